"""Every change of an audited row leaves an entry, attributed, in the transaction of the change."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from offhook import audit, contacts
from offhook.audit import By, Entry, Kind
from offhook.billing.models import Buyer
from offhook.contacts.models import Contact
from offhook.db import Database, new_id, now
from offhook.phone import E164
from offhook.teams import keys, service
from offhook.teams.models import ApiKey, Invitation, Membership, Role, Team
from web_fixtures import Person, new_member, new_owner

ADA = By(Kind.USER, "usr_ada", "ada@example.com")


async def log(database: Database, team_id: str | None) -> list[Entry]:
    async with database.system() as session:
        return [entry async for entry in audit.entries(session, team_id, audit.Filter())]


def told(entry: Entry) -> tuple[str, str, str, dict[str, Any]]:
    return entry.action, entry.subject, entry.label, json.loads(entry.changes)


@pytest.fixture
async def person(database: Database) -> Person:
    return await new_owner(database)


async def test_a_change_is_told_with_before_after_and_who(
    database: Database, person: Person
) -> None:
    with audit.acting(ADA):
        async with database.team(person.team_id) as session:
            await service.change_team(session, person.team_id, name="Night Bread", country="DE")
    entry = (await log(database, person.team_id))[-1]
    changes = {"name": ["Daily Bread", "Night Bread"], "country": ["US", "DE"]}
    assert told(entry) == ("changed", "team", "Night Bread", changes)
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == (
        Kind.USER,
        "usr_ada",
        "ada@example.com",
    )


async def test_a_new_team_and_its_owner_are_told_as_offhooks_own_act(
    database: Database, person: Person
) -> None:
    entries = await log(database, person.team_id)
    assert [(each.action, each.subject) for each in entries[:2]] == [
        ("created", "team"),
        ("created", "member"),
    ]
    assert {each.actor_kind for each in entries} == {Kind.SYSTEM}
    people = await log(database, None)
    assert [(each.action, each.subject, each.label) for each in people] == [
        ("created", "person", person.email)
    ]


async def test_a_secret_is_told_as_changed_and_not_what_it_is(
    database: Database, person: Person
) -> None:
    async with database.team(person.team_id) as session:
        row, key = await keys.make_key(
            session, person.team_id, Role.OWNER, person.user_id, name="Booking system"
        )
    entry = (await log(database, person.team_id))[-1]
    assert told(entry)[:3] == ("created", "API key", "Booking system")
    assert told(entry)[3]["key_hash"] == [None, "•••"]
    assert key not in entry.changes
    assert row.key_hash not in entry.changes
    async with database.system() as session:
        await service.change_password(session, person.user_id, "correct horse battery", "x" * 15)
    entry = (await log(database, None))[-1]
    assert told(entry) == ("changed", "person", person.email, {"password_hash": ["•••", "•••"]})


async def test_what_is_left_out_and_what_stays_the_same_leaves_no_entry(
    database: Database, person: Person
) -> None:
    async with database.team(person.team_id) as session:
        row, _ = await keys.make_key(session, person.team_id, Role.OWNER, person.user_id, name="K")
    before = len(await log(database, person.team_id))
    async with database.team(person.team_id) as session:
        key = await session.get_one(ApiKey, row.id)
        key.last_used_at = await now(session)
        team = await session.get_one(Team, person.team_id)
        team.name = "Daily " + "Bread"
    assert len(await log(database, person.team_id)) == before


async def test_a_statement_over_many_rows_tells_each(database: Database, person: Person) -> None:
    await new_member(database, person.team_id)
    async with database.team(person.team_id) as session:
        await session.execute(
            update(Membership)
            .where(Membership.team_id == person.team_id, Membership.role == Role.MEMBER)
            .values(role=Role.ADMIN)
        )
        gone = await session.scalars(
            delete(Membership)
            .where(Membership.team_id == person.team_id, Membership.role == Role.OWNER)
            .returning(Membership.user_id)
        )
        assert gone.all() == [person.user_id]
    first, second = (await log(database, person.team_id))[-2:]
    assert told(first)[0::3] == ("changed", {"role": ["member", "admin"]})
    assert second.subject_id == person.user_id
    assert told(second)[0::3] == ("deleted", {"role": ["owner", None]})


async def test_an_upsert_is_told_as_what_it_is(database: Database, person: Person) -> None:
    async def write(amount: str) -> None:
        async with database.team(person.team_id) as session:
            made = insert(Buyer).values(
                id=new_id("buy"), team_id=person.team_id, name=amount, country="US"
            )
            await session.execute(
                made.on_conflict_do_update(index_elements=["team_id"], set_={"name": amount})
            )

    before = len(await log(database, person.team_id))
    for amount in ("Bread", "Rolls", "Rolls"):
        await write(amount)
    first, second = (await log(database, person.team_id))[before:]
    assert told(first)[0::3] == ("created", told(first)[3] | {"name": [None, "Bread"]})
    assert told(second)[0::3] == ("changed", {"name": ["Bread", "Rolls"]})
    async with database.team(person.team_id) as session:
        await session.execute(
            insert(Buyer)
            .values(id=new_id("buy"), team_id=person.team_id, name="No", country="US")
            .on_conflict_do_nothing()
        )
    assert len(await log(database, person.team_id)) == before + 2


async def test_what_is_rolled_back_did_not_happen(database: Database, person: Person) -> None:
    before = len(await log(database, person.team_id))
    with pytest.raises(ZeroDivisionError):
        async with database.team(person.team_id) as session:
            await service.change_team(session, person.team_id, name="Never")
            await session.flush()
            raise ZeroDivisionError
    async with database.team(person.team_id) as session:
        await service.change_team(session, person.team_id, name="Kept")
        with pytest.raises(ZeroDivisionError):
            async with session.begin_nested():
                await service.change_team(session, person.team_id, name="Taken back")
                await session.flush()
                raise ZeroDivisionError
    entries = (await log(database, person.team_id))[before:]
    assert [told(each)[3]["name"] for each in entries] == [["Daily Bread", "Kept"]]


async def test_what_is_no_change_of_a_row_is_recorded_by_hand(
    database: Database, person: Person
) -> None:
    with audit.acting(ADA):
        async with database.team(person.team_id) as session:
            audit.record(session, person.team_id, "heard", "recording", "call_1", label="0:42")
    entry = (await log(database, person.team_id))[-1]
    assert told(entry) == ("heard", "recording", "0:42", {})
    assert entry.actor_id == "usr_ada"


async def test_many_at_once_make_one_chain_without_gaps(database: Database) -> None:
    people = [await new_owner(database) for _ in range(2)]

    async def rename(person: Person, name: str) -> None:
        async with database.team(person.team_id) as session:
            audit.record(session, person.team_id, "heard", "recording", name)
            await service.change_team(session, person.team_id, name=name)

    await asyncio.gather(*(rename(people[n % 2], f"Name {n}") for n in range(24)))
    async with database.system() as session:
        for person in people:
            verdict = await audit.verify(session, person.team_id)
            assert verdict.broken is None
            assert verdict.entries >= 24


# --- The wall around the table (SEC21) ---


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor_name = 'nobody'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM audit_entries WHERE false",
    ],
)
async def test_entries_cannot_be_changed_sec21(
    database: Database, person: Person, statement: str
) -> None:
    before = [each.digest for each in await log(database, person.team_id)]
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        async with database.system() as session:
            await session.execute(text(statement))
    assert [each.digest for each in await log(database, person.team_id)] == before


async def test_a_team_reads_and_writes_its_own_log_only(database: Database, person: Person) -> None:
    other = await new_owner(database)
    async with database.team(person.team_id) as session:
        teams = await session.scalars(select(Entry.team_id).distinct())
        assert teams.all() == [person.team_id]
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.team(person.team_id) as session:
            audit.record(session, other.team_id, "heard", "recording", "call_1")


async def test_an_invitation_that_replaces_another_tells_both(
    database: Database, person: Person
) -> None:
    async with database.team(person.team_id) as session:
        session.add(
            Invitation(
                team_id=person.team_id,
                email="bo@example.com",
                role=Role.MEMBER,
                token_hash="a" * 64,
                created_by=person.user_id,
                created_at=await now(session),
                expires_at=await now(session),
            )
        )
        await session.flush()
        await session.execute(delete(Invitation).where(Invitation.email == "bo@example.com"))
    entries = (await log(database, person.team_id))[-2:]
    assert [each.action for each in entries] == ["created", "deleted"]
    assert "a" * 64 not in "".join(each.changes for each in entries)


# --- What callers change all day, and what a log must not keep ---


async def test_a_contact_is_told_by_hand_only_and_without_any_value(
    database: Database, person: Person
) -> None:
    before = len(await log(database, person.team_id))
    async with database.team(person.team_id) as session:
        contact = await contacts.on_contact(session, person.team_id, E164("+14155550132"))
    assert len(await log(database, person.team_id)) == before
    with audit.acting(ADA):
        async with database.team(person.team_id) as session:
            row = await session.get_one(Contact, contact.id)
            row.name = "Zoë Example"
    entry = (await log(database, person.team_id))[-1]
    assert told(entry)[:3] == ("changed", "contact", "")
    assert entry.subject_id == contact.id
    assert set(told(entry)[3]) == {"name"}
    assert "Zoë" not in entry.changes
