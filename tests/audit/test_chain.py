"""A row that was altered, removed or put in between is found (SEC21)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from offhook import audit
from offhook.audit import chain
from offhook.audit.chain import Broken, Link, Walk
from offhook.audit.marks import plain
from offhook.db import Database
from offhook.supervisor import EmbeddedPostgres
from web_fixtures import new_owner

Links = list[Link]


def links(count: int = 5) -> Links:
    made: Links = []
    last = chain.START
    for position in range(1, count + 1):
        content = {"position": position, "changes": "{}"}
        made.append(Link(position, last, chain.digest(last, content), content))
        last = made[-1].digest
    return made


def walked(given: Links, position: int, digest: str) -> Broken | None:
    walk = Walk()
    for link in given:
        if (broken := walk.step(link)) is not None:
            return broken
    return walk.end(position, digest)


def _forged(made: Links) -> Links:
    """An entry that was altered together with its digest."""
    content = {"position": 3, "changes": '{"role":["member","owner"]}'}
    return [
        *made[:2],
        replace(made[2], content=content, digest=chain.digest(made[2].previous, content)),
        *made[3:],
    ]


TAMPERINGS: list[tuple[Callable[[Links], Links], int, str]] = [
    (lambda made: made, 0, ""),
    (lambda made: [*made[:2], replace(made[2], content={"x": 1}), *made[3:]], 3, "altered"),
    (lambda made: [*made[:2], *made[3:]], 3, "missing"),
    (_forged, 4, "follow"),
    (lambda made: made[:4], 5, "ends at"),
    (lambda made: made[:0], 1, "ends at"),
    (lambda made: [*made[:4], links(6)[4], made[4]], 6, "missing"),
]


@pytest.mark.parametrize(("tamper", "position", "reason"), TAMPERINGS)
def test_what_was_done_to_a_chain_is_found(
    tamper: Callable[[Links], Links], position: int, reason: str
) -> None:
    made = links()
    broken = walked(tamper(made), 5, made[-1].digest)
    assert (broken.position if broken else 0) == position
    assert reason in (broken.reason if broken else "")


def test_a_whole_new_chain_is_told_by_its_head() -> None:
    made = links()
    others = [replace(each, content={"other": each.position}) for each in made]
    last = chain.START
    forged: Links = []
    for each in others:
        forged.append(replace(each, previous=last, digest=chain.digest(last, each.content)))
        last = forged[-1].digest
    assert walked(forged, 5, last) is None
    assert walked(forged, 5, made[-1].digest) is not None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_recorded_has_one_text(value: object) -> None:
    said = plain(value)
    assert chain.canonical(plain(said)) == chain.canonical(said)


def test_times_are_digested_in_utc_whatever_the_connection_says() -> None:
    at = datetime(2026, 5, 14, 12, 0, 0, 5, tzinfo=UTC)
    assert chain.written(at) == "2026-05-14T12:00:00.000005+00:00"


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE audit_entries SET changes = '{}' WHERE position = 2", "Entry 2 was altered."),
        ("UPDATE audit_entries SET at = at + interval '1 us' WHERE position = 1", "Entry 1"),
        ("DELETE FROM audit_entries WHERE position = 2", "Entry 2 is missing."),
        ("DELETE FROM audit_entries WHERE position = 3", "The log ends at entry 2 instead of 3."),
    ],
)
async def test_a_row_that_a_superuser_tampered_with_is_found(
    postgres: EmbeddedPostgres, database: Database, tampering: str, found: str
) -> None:
    person = await new_owner(database)
    async with database.team(person.team_id) as session:
        audit.record(session, person.team_id, "heard", "recording", "call_1")
    async with database.system() as session:
        assert (await audit.verify(session, person.team_id)).broken is None
        name = str(await session.scalar(text("SELECT current_database()")))
    for statement in (
        "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_stay",
        f"{tampering} {'AND' if 'WHERE' in tampering else 'WHERE'} chain = '{person.team_id}'",
    ):
        postgres.sql(statement, name)
    async with database.system() as session:
        broken = (await audit.verify(session, person.team_id)).broken
    assert broken is not None
    assert broken.reason.startswith(found)
