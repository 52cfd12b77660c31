"""Contacts: made once however many first contacts there are, found by number, of one team."""

import asyncio

import pytest
from sqlalchemy import func, select

from contact_fixtures import ANN, make_team
from offhook import contacts
from offhook.contacts import Contact
from offhook.contacts.profile import NameTooLong
from offhook.db import Database, EventRow
from offhook.phone import E164


async def test_a_hundred_first_contacts_at_once_make_one_contact(database: Database) -> None:
    """P1"""
    team = await make_team(database)

    async def first_contact() -> str:
        async with database.team(team) as session:
            return (await contacts.on_contact(session, team, ANN)).id

    found = await asyncio.gather(*(first_contact() for _ in range(100)))
    assert len(set(found)) == 1
    async with database.team(team) as session:
        rows = select(func.count()).select_from(Contact).where(Contact.team_id == team)
        events = (
            select(func.count())
            .select_from(EventRow)
            .where(EventRow.team_id == team, EventRow.name == "contact.created")
        )
        assert await session.scalar(rows) == 1
        assert await session.scalar(events) == 1


async def test_two_teams_have_a_contact_each_for_the_same_number(database: Database) -> None:
    ours, theirs = await make_team(database), await make_team(database)
    async with database.team(ours) as session:
        mine = await contacts.on_contact(session, ours, ANN)
    async with database.team(theirs) as session:
        other = await contacts.on_contact(session, theirs, ANN)
        assert other.id != mine.id
        with pytest.raises(contacts.ContactNotFound):
            await contacts.get(session, theirs, mine.id)
        assert await contacts.of(session, theirs, [mine.id, other.id, None]) == {other.id: other}


async def test_a_name_is_set_by_hand_and_trimmed(database: Database) -> None:
    team = await make_team(database)
    async with database.team(team) as session:
        made = await contacts.on_contact(session, team, ANN)
        named = await contacts.set_by_hand(
            session, team, made.id, {"name": "  Ann \n Baker\x00 "}, set_by="usr_1"
        )
        assert named.name == "Ann Baker"
        with pytest.raises(NameTooLong):
            await contacts.set_by_hand(session, team, made.id, {"name": "x" * 81}, set_by="usr_1")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", True),
        ("ann", True),
        ("(415) 555", True),
        ("0111", True),
        ("%", False),
        ("bob", False),
    ],
)
async def test_the_list_is_searched_by_name_and_number(
    database: Database, words: str, found: bool
) -> None:
    team = await make_team(database)
    async with database.team(team) as session:
        made = await contacts.on_contact(session, team, ANN)
        await contacts.set_by_hand(session, team, made.id, {"name": "Ann"}, set_by="usr_1")
        rows = (await session.scalars(contacts.listed(team, words))).all()
    assert bool(rows) is found


@pytest.mark.parametrize(
    ("first", "second"),
    [("+525587654321", "+5215587654321"), ("+5491123456789", "+541123456789")],
)
async def test_every_national_spelling_finds_the_contact(
    database: Database, first: str, second: str
) -> None:
    """P6, CI4"""
    team = await make_team(database)
    async with database.team(team) as session:
        made = await contacts.on_contact(session, team, E164(first))
        found = await contacts.on_contact(session, team, E164(second))
        assert found.id == made.id
        assert await contacts.spelling(session, team, E164(second)) == first


async def test_both_spellings_at_once_make_one_contact(database: Database) -> None:
    team = await make_team(database)

    async def first_contact(number: str) -> str:
        async with database.team(team) as session:
            return (await contacts.on_contact(session, team, E164(number))).id

    numbers = ["+525587654321", "+5215587654321"] * 10
    assert len(set(await asyncio.gather(*map(first_contact, numbers)))) == 1
