"""A team that has been at work for a while: what its pages show beyond `furnish`.

`live_in(owner, number)` makes what somebody makes by REST, a text with a picture, a task that ran;
and by the ledger, as no test waits for a month: a call of last month with its invoice, and a day on
which the carrier counted otherwise.
"""

import asyncio
import base64
import re
from datetime import datetime, timedelta
from pathlib import Path

from installation import until
from neighbours import furnish
from owner import Bought, Owner
from sqlalchemy import update

from offhook import usage
from offhook.billing import invoicing
from offhook.db import Database, now
from offhook.prices.models import PriceVersion
from offhook.reconciliation.models import Difference, ReconciledDay
from offhook.reconciliation.rules import Action, Kind
from offhook.supervisor import EmbeddedPostgres
from offhook.usage import Service

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mM4UWFDEmIY1TCqYfhqAACRKnwQyz716gAA"
    "AABJRU5ErkJggg=="
)
SENDERS = {
    "+12025550143": ("Are you open on Sunday?", "What does the rye bread cost?", "Thank you!"),
    "+12025550144": ("I want to complain about the cake", "Do you deliver to Springfield?"),
    "+447700900123": ("Do you have parking?",),
}
PEOPLE = """Name,Phone,Company
Zoë O'Neill,+12025550143,Neill & Co
Bo,+12025550146,
Nobody,12,
""".encode()


def live_in(owner: Owner, number: Bought) -> None:
    furnish(owner, number)
    _tasks(owner)
    for sender, texts in SENDERS.items():
        for text in texts:
            owner.text(number, text, sender=sender)
            until(lambda sender=sender: owner.replies(number, sender), "a reply", 90)
    _picture(owner, number)
    _people(owner)
    _own_account(owner)
    asyncio.run(_past(owner, number))


def _tasks(owner: Owner) -> None:
    """One that leaves a label when somebody complains."""
    task = {
        "kind": "label",
        "title": "Complaint",
        "description": "When somebody complains.",
        "phrases": ["I want to complain"],
        "config": {"labels": ["complaint"]},
    }
    made = owner.post("/tasks", task)
    owner.put(f"/tasks/{made['id']}/agents/{owner.sample_agent()}", {"channels": ["sms", "call"]})


def _picture(owner: Owner, number: Bought) -> None:
    path = Path(owner.installation.root) / "cake.png"
    path.write_bytes(PICTURE)
    said = owner.installation.run(
        "text", number.e164, "Like this one?", "--picture", str(path), "--wait", "0"
    )
    assert said.returncode == 0, said.stderr


def _people(owner: Owner) -> None:
    """An import that is done, one that is asked about, and a person who was erased."""
    for name in ("people.csv", "again.csv"):
        file = {"file": (name, PEOPLE)}
        answer = owner.rest.post("/contact-imports", files=file)
        assert answer.status_code == 201, answer.text
        if name == "people.csv":
            owner.post(f"/contact-imports/{answer.json()['id']}/start")
    gone = owner.post("/contacts", {"number": "+12025550149"})
    owner.post(f"/contacts/{gone['id']}/erase", {"confirm": "+12025550149"})


def _own_account(owner: Owner) -> None:
    """A number of the team's own carrier account."""
    made = owner.installation.run("simulated-account", "--numbers", "2")
    sid, token, e164 = re.findall(
        r"^\s*(?:Account SID|Auth token|Number)\s+(\S+)", made.stdout, re.MULTILINE
    )[:3]
    kept = owner.post("/carrier-accounts", {"sid": sid, "token": token, "network": "simulator"})
    owner.post("/numbers/imports", {"account_id": kept["id"], "numbers": [e164]})


async def _past(owner: Owner, number: Bought) -> None:
    team = owner.get("/team")["id"]
    database = Database(str(EmbeddedPostgres(owner.installation.home / "pg").running_url()))
    try:
        async with database.system() as session:
            moment = await now(session)
            last_month = moment.replace(day=1) - timedelta(days=12)
            await session.execute(update(PriceVersion).values(valid_from=last_month))
        async with database.team(team) as session:
            for index in range(3):
                await usage.reserve_minute(
                    session, team, number_id=number.id, call_id="call_past", index=index,
                    starts_at=last_month + timedelta(minutes=index),
                )  # fmt: skip
            await usage.settle_call(session, team, call_id="call_past", seconds=170)
        await _counted_otherwise(database, team, number, moment)
    finally:
        await database.close()
    closing = Database(database.url, clock=lambda: max(moment, moment.replace(day=5)))
    try:
        await invoicing.close_team(closing, team)  # due on the fourth
    finally:
        await closing.close()


async def _counted_otherwise(
    database: Database, team: str, number: Bought, moment: datetime
) -> None:
    day = (moment - timedelta(days=1)).date()
    call = "CA" + 32 * "1"
    async with database.team(team) as session:
        session.add(
            Difference(
                team_id=team, account_id="AC1", day=day, number_id=number.id,
                service=Service.CALLS, kind=Kind.LONGER, carrier_id=call, subject_id=call,
                ours=4, theirs=5, our_seconds=185, their_seconds=250, action=Action.NONE,
                found_at=moment,
            )
        )  # fmt: skip
    async with database.system() as session:
        checked = ReconciledDay(
            account_id="AC1", day=day, checked_at=moment, calls=1, messages=0, differences=1
        )
        session.add(checked)
