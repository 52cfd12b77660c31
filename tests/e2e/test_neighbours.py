"""Every operation of the API on one team's things, asked by another team, by an expired key and by
nobody: none changes or reveals anything (SEC7).

The things were really made (a number bought, texted and called, a task, a calendar, an endpoint),
their owner reads each of them, and every row of the team is compared before and after.
"""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from neighbours import CANARY, Furnished, Operation, harvest, ids_in, items, offered_by, with_ids
from sqlalchemy import select, text, update

from offhook import teams
from offhook.db import Database, Session
from offhook.schema import metadata
from offhook.supervisor import EmbeddedPostgres
from offhook.teams import keys
from offhook.teams.models import ApiKey, Role

UNKNOWN = "unk_00000000000000000000000000"
# What has no example in a team's first hour; its own room's tests ask for it as another team.
ELSEWHERE = {
    "invoice_id": "tests/billing/test_invoice_pages.py",
    "line_id": "tests/billing/test_invoice_pages.py",
    "import_id": "tests/numbers/test_own_api.py, tests/contacts/test_web.py",
    "erasure_id": "tests/contacts/test_web.py",
    "media_id": "tests/messages/test_media.py",
    "run_id": "tests/tasks/test_web.py",
    "test_id": "tests/agents/test_trials.py",
    "difference_id": "tests/reconciliation/test_pages.py",
}
OWN = frozenset(
    {
        "team_id",
        "user_id",
        "day",
        "limited",
        "number",
        "kind",
        "key",
        "e164",
        "event",
        "price_id",
        "rate_id",
    }
)
"""Not the team's own things, or words rather than ids."""


class Rows:
    """Every row of a team, as one digest per table."""

    def __init__(self, url: str) -> None:
        self.url = url

    def of(self, team_id: str) -> dict[str, str]:
        return asyncio.run(self._of(team_id))

    async def _of(self, team_id: str) -> dict[str, str]:
        database = Database(self.url)
        try:
            async with database.system() as session:
                return {
                    table.name: await self._digest(session, table.name, team_id)
                    for table in metadata().sorted_tables
                    if "team_id" in table.c
                }
        finally:
            await database.close()

    async def _digest(self, session: Session, table: str, team_id: str) -> str:
        query = text(f'SELECT t::text FROM "{table}" t WHERE team_id = :team ORDER BY 1')  # noqa: S608 - a table's name
        rows = (await session.scalars(query, {"team": team_id})).all()
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()


async def _keys(url: str, first_team: str) -> tuple[str, str]:
    """A key of another team, and one of the first team that has expired."""
    database = Database(url)
    try:
        async with database.system() as session:
            team, user = await teams.create_team(
                session, name="Next door", email="next@door.example", password="next door's own"
            )
            _, other = await keys.make_key(
                session, team.id, Role.OWNER, user.id, name="Theirs", scopes=("read", "write")
            )
        async with database.system() as session:
            owner_id = await session.scalar(
                select(ApiKey.created_by).where(ApiKey.team_id == first_team)
            )
            made, expired = await keys.make_key(
                session,
                first_team,
                Role.OWNER,
                owner_id or "",
                name="Old",
                scopes=("read", "write"),
            )
            past = datetime.now(UTC) - timedelta(minutes=1)
            await session.execute(
                update(ApiKey).where(ApiKey.id == made.id).values(expires_at=past)
            )
        return other, expired
    finally:
        await database.close()


def test_no_operation_tells_or_does_anything_for_another_team(furnished: Furnished) -> None:
    owner, made = furnished.owner, furnished.made
    for each in items(owner.get("/webhooks/endpoints")):  # no retry changes a row meanwhile
        owner.post(f"/webhooks/endpoints/{each['id']}/disable")
    url = str(EmbeddedPostgres(owner.installation.home / "pg").running_url())
    offered = offered_by(owner.installation.url)
    ids = harvest(owner, offered, made)
    needed = {name for each in offered for name in each.parameters} - OWN
    without = sorted(needed - ids.keys() - ELSEWHERE.keys())
    assert without == [], "these have no example"
    for each in offered:
        if each.method == "GET" and each.path.endswith("}") and set(each.parameters) <= ids.keys():
            read = owner.rest.get(each.address(ids).removeprefix("/api/v1"))
            assert read.is_success or read.json()["code"] == "operator_only", (each, read.text)

    team_id = owner.get("/team")["id"]
    theirs = set(ids.values())
    other, expired = asyncio.run(_keys(url, team_id))
    rows = Rows(url)
    before = rows.of(team_id)
    program = httpx.Client(base_url=owner.installation.url, trust_env=False, timeout=30)
    for each in offered:
        answer = ask(program, each, ids, other)
        names_theirs = bool(set(each.parameters) & ids.keys() - OWN)
        assert answer.status_code < 500, (each, answer.text)
        assert not (names_theirs and answer.is_success), (each, answer.text)
        sent = ids_in([each.address(ids | _unknown(each, ids)), with_ids(each.body, ids)])
        assert not (ids_in(answer.text) - sent) & theirs, (each, answer.text)
        assert CANARY not in answer.text, each
        for nobody in (expired, ""):
            refused = ask(program, each, ids, nobody)
            assert refused.status_code == 401, (each, refused.text)
    program.close()
    after = rows.of(team_id)
    assert {name for name in after if after[name] != before[name]} == set()


def _unknown(operation: Operation, ids: dict[str, str]) -> dict[str, str]:
    return {name: UNKNOWN for name in operation.parameters if name not in ids}


def ask(
    program: httpx.Client, operation: Operation, ids: dict[str, str], key: str
) -> httpx.Response:
    """Send it with the first team's ids and somebody's key."""
    given: dict[str, Any] = {"params": dict(operation.query)}
    if operation.body is not None:
        given["json"] = with_ids(operation.body, ids)
    return program.request(
        operation.method,
        operation.address(ids | _unknown(operation, ids)),
        headers={"Authorization": f"Bearer {key}"} if key else {},
        **given,
    )
