"""A team that has been at work for a while: what its pages show beyond `furnish`.

`live_in(owner, number)` makes what somebody makes by REST, a text with a picture, a task that ran;
and by the ledger, as no test waits for a month: a call of last month with its invoice, and a day on
which the carrier counted otherwise.
"""

import asyncio
import base64
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from installation import until
from neighbours import furnish
from owner import Bought, Owner
from sqlalchemy import update

from offhook import numbers, usage
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


def live_in(owner: Owner, number: Bought) -> list[str]:
    """Returns the addresses of pages that nothing leads to once they have served."""
    furnish(owner, number)
    _appointment(owner)
    _tasks(owner)
    with ThreadPoolExecutor(len(SENDERS)) as telephones:
        list(telephones.map(partial(_texts, owner, number), SENDERS))
    _picture(owner, number)
    served = [*_people(owner), *_own_account(owner), *_purchase(owner), _tested(owner, number)]
    asyncio.run(_past(owner, number))
    return served


def _texts(owner: Owner, number: Bought, sender: str) -> None:
    for text in SENDERS[sender]:
        owner.text(number, text, sender=sender)
        until(lambda: owner.replies(number, sender), "a reply", 90)


def _appointment(owner: Owner) -> None:
    """Today, where the calendar opens."""
    calendar = owner.get("/calendars")[0]["id"]
    soon = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(minutes=15)
    wanted = {
        "calendar_id": calendar,
        "starts_at": soon.isoformat(),
        "name": "Zoë",
        "by_hand": True,
    }
    owner.post("/appointments", wanted)


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


def _tested(owner: Owner, number: Bought) -> str:
    """The call made a test of its agent, and held with its draft."""
    call = owner.calls(number)[0]
    until(lambda: owner.get(f"/calls/{call['id']}")["state"] == "ended", "the call's end", 60)
    made = owner.post(f"/calls/{call['id']}/test")
    here = f"/agents/{made['agent_id']}/tests/{made['id']}"
    until(lambda: owner.get(here)["state"] in {"passed", "failed"}, "the test", 60)
    return here


def _picture(owner: Owner, number: Bought) -> None:
    path = Path(owner.installation.root) / "cake.png"
    path.write_bytes(PICTURE)
    said = owner.installation.run(
        "text", number.e164, "Like this one?", "--picture", str(path), "--wait", "0"
    )
    assert said.returncode == 0, said.stderr


def _people(owner: Owner) -> list[str]:
    """An import that is done, one that is asked about, and a person who was erased."""
    pages: list[str] = []
    for name in ("people.csv", "again.csv"):
        file = {"file": (name, PEOPLE)}
        answer = owner.rest.post("/contact-imports", files=file)
        assert answer.status_code == 201, answer.text
        pages.append(f"/contacts/import/{answer.json()['id']}")
        if name == "people.csv":
            owner.post(f"/contact-imports/{answer.json()['id']}/start")
    gone = owner.post("/contacts", {"number": "+12025550149"})
    owner.post(f"/contacts/{gone['id']}/erase", {"confirm": "+12025550149"})
    return pages


def _own_account(owner: Owner) -> list[str]:
    """A number of the team's own carrier account."""
    made = owner.installation.run("simulated-account", "--numbers", "2")
    sid, token, e164, second = re.findall(
        r"^\s*(?:Account SID|Auth token|Number)\s+(\S+)", made.stdout, re.MULTILINE
    )
    kept = owner.post("/carrier-accounts", {"sid": sid, "token": token, "network": "simulator"})
    wanted = {"account_id": kept["id"], "numbers": [e164]}
    (begun,) = owner.rest.post("/numbers/imports", json=wanted).json()
    return [
        f"/numbers/imports/{begun['batch_id']}",
        f"/numbers/own/{kept['id']}/review?{urlencode({'number': second})}",
    ]


def _purchase(owner: Owner) -> list[str]:
    """A quote, and a purchase that is done."""
    offer = owner.get("/numbers/available", voice="true")[0]
    quote = owner.post("/numbers/quotes", {"e164": offer["e164"], "type": offer["type"]})
    accepted = {"quote_id": quote["id"], "accept_terms": quote["terms_version"]}
    bought = owner.post("/numbers/purchases", accepted, **{"Idempotency-Key": uuid.uuid4().hex})
    return [f"/numbers/quotes/{quote['id']}", f"/numbers/purchases/{bought['id']}"]


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
    usage.names_from(numbers.labels)  # as the worker has it
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
