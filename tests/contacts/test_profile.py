"""What is known of a contact: sources, what may replace what, what agents learn (P2, P3)."""

import asyncio
import itertools

import pytest
from sqlalchemy import select

from contact_fixtures import ANN, make_team
from offhook import contacts
from offhook.contacts import Outcome, Source
from offhook.contacts.defining import AttributeInvalid, AttributeTaken, add, change, remove
from offhook.contacts.models import Contact, Value
from offhook.contacts.profile import Given, put, put_all, values_of
from offhook.contacts.rules import (
    MAY_REPLACE,
    STANDARD,
    Attribute,
    Type,
    display_name,
    key_of,
    may_replace,
    read_value,
)
from offhook.db import Database, EventRow, Session
from offhook.phone import E164, PhoneNumberInvalid

SAID = {"conversation_id": "cnv_1", "turn_id": "trn_1"}


async def ann(session: Session, team: str) -> Contact:
    return await contacts.on_contact(session, team, ANN)


async def value(session: Session, team: str, contact: Contact, key: str) -> Value:
    return (await values_of(session, team, contact.id))[key]


@pytest.mark.parametrize(("new", "old"), list(itertools.product(Source, Source)))
def test_a_machine_never_replaces_what_a_person_set(new: Source, old: Source) -> None:
    """P2: the whole table, and in words what it must hold."""
    allowed = may_replace(new, old)
    assert allowed is (old in MAY_REPLACE[new])
    if old is Source.HAND:
        assert allowed is (new is Source.HAND)
    if new is Source.HAND or new is old:
        assert allowed


async def test_an_agent_learns_with_the_turn_it_was_said_in(database: Database) -> None:
    """P3"""
    team = await make_team(database)
    async with database.team(team) as session:
        contact = await ann(session, team)
        first = await contacts.learn(session, team, contact.id, "first_name", " Ann ", **SAID)
        again = await contacts.learn(session, team, contact.id, "first_name", "Ann", **SAID)
        assert (first, again) == (Outcome.SET, Outcome.SAME)
        kept = await value(session, team, contact, "first_name")
        assert (kept.text, kept.source, kept.turn_id) == ("Ann", Source.AGENT, "trn_1")
        known = await contacts.known(session, team, contact.id)
    assert known.name == "Ann"
    assert [(each.key, each.text) for each in known.values] == [("first_name", "Ann")]
    async with database.team(team) as session:
        told = await session.scalars(
            select(EventRow.payload).where(EventRow.name == "contact.updated")
        )
        assert [(each["changed"], each["source"]) for each in told] == [(["first_name"], "agent")]


async def test_what_a_person_set_stays_also_when_it_is_empty(database: Database) -> None:
    """P2"""
    team = await make_team(database)
    async with database.team(team) as session:
        contact = await ann(session, team)
        await contacts.learn(session, team, contact.id, "company", "Acme", **SAID)
        by_hand = {"first_name": "Anna", "company": ""}
        await contacts.set_by_hand(session, team, contact.id, by_hand, set_by="usr_1")
        for key, text in (("first_name", "Ann"), ("company", "Acme")):
            outcome = await contacts.learn(session, team, contact.id, key, text, **SAID)
            assert outcome is Outcome.KEPT
        known = await contacts.known(session, team, contact.id)
    assert [(each.key, each.text) for each in known.values] == [("first_name", "Anna")]
    assert known.values[0].source is Source.HAND


async def test_a_value_confirmed_by_hand_is_a_persons_from_then_on(database: Database) -> None:
    team = await make_team(database)
    async with database.team(team) as session:
        contact = await ann(session, team)
        await contacts.learn(session, team, contact.id, "first_name", "Ann", **SAID)
        await contacts.set_by_hand(session, team, contact.id, {"first_name": "Ann"}, set_by="usr_1")
        outcome = await contacts.learn(session, team, contact.id, "first_name", "Bob", **SAID)
    assert outcome is Outcome.KEPT


@pytest.mark.parametrize("source", [Source.IMPORT, Source.AGENT, Source.CALLER_ID])
async def test_values_for_many_are_set_as_for_one(database: Database, source: Source) -> None:
    """P2, P7: whatever is known, from whichever source."""
    team = await make_team(database)
    keys = ["name", "first_name", "email", "company", "location", "job_title"]
    before = dict(zip(keys[1:], [*Source, None], strict=True))
    given = Given(source, conversation_id="cnv_1", turn_id="trn_1")
    wanted = {key: f"{key}@new.example" for key in keys}
    wanted["location"] = "location@old.example"
    people = [E164("+14155550101"), E164("+14155550102")]
    async with database.team(team) as session:
        one, other = [await contacts.on_contact(session, team, each) for each in people]
        for contact in (one, other):
            for key, known in before.items():
                if known is not None:
                    await put(session, contact, {key: f"{key}@old.example"}, Given(known))
    async with database.team(team) as session:
        outcomes = await put(session, await contacts.get(session, team, one.id), wanted, given)
        changed = await put_all(session, team, {other.id: wanted}, given)
        again = await put_all(session, team, {other.id: wanted}, given)
    assert changed == {other.id: {key for key in keys if outcomes[key] is Outcome.SET}}
    assert again == {}
    async with database.team(team) as session:
        of_one, of_other = [await values_of(session, team, each.id) for each in (one, other)]
        seen = ("text", "source", "set_by", "conversation_id", "turn_id")
        assert {key: [getattr(row, each) for each in seen] for key, row in of_one.items()} == {
            key: [getattr(row, each) for each in seen] for key, row in of_other.items()
        }
        named = [(await contacts.get(session, team, each.id)).name for each in (one, other)]
        assert named[0] == named[1] != ""
        told = await session.scalars(
            select(EventRow.payload)
            .where(EventRow.name == "contact.updated")
            .order_by(EventRow.position.desc())
            .limit(2)
        )
        of_many, alone = (
            {key: each for key, each in payload.items() if key != "contact_id"} for payload in told
        )
        assert of_many == alone


async def test_two_agents_that_learn_at_once_leave_one_value(database: Database) -> None:
    team = await make_team(database)
    async with database.team(team) as session:
        contact = await ann(session, team)

    async def learn(name: str) -> None:
        async with database.team(team) as session:
            await contacts.learn(session, team, contact.id, "first_name", name, **SAID)

    await asyncio.gather(*(learn(f"Ann {each}") for each in range(8)))
    async with database.team(team) as session:
        rows = await session.scalars(select(Value).where(Value.contact_id == contact.id))
        assert len(rows.all()) == 1


async def test_agents_fill_only_what_is_marked_for_them(database: Database) -> None:
    """P3, SEC9: whatever a model says."""
    team, other = await make_team(database), await make_team(database)
    async with database.team(team) as session:
        contact = await ann(session, team)
        await add(session, team, Attribute("", "Customer number", Type.NUMBER))
        await add(session, team, Attribute("vip", "VIP", Type.BOOLEAN, agent_fills=True))
        await change(session, team, "email", agent_fills=False)
        keys = [each.key for each in await contacts.fillable(session, team)]
        assert "vip" in keys
        assert not {"customer_number", "email"} & set(keys)
        for key in ("customer_number", "email"):
            with pytest.raises(contacts.NotFillable):
                await contacts.learn(session, team, contact.id, key, "1", **SAID)
        for key in ("name", "no_such_key", "'; DROP TABLE contacts; --"):
            with pytest.raises(contacts.AttributeNotFound):
                await contacts.learn(session, team, contact.id, key, "1", **SAID)
    async with database.team(other) as session:
        with pytest.raises(contacts.ContactNotFound):
            await contacts.learn(session, other, contact.id, "first_name", "Eve", **SAID)


@pytest.mark.parametrize(
    ("type", "given", "kept"),
    [
        (Type.TEXT, "  a \n b\x00 ", "a b"),
        (Type.NUMBER, "1.50", "1.50"),
        (Type.NUMBER, "1e3", "1000"),
        (Type.DATE, "2026-05-14", "2026-05-14"),
        (Type.BOOLEAN, "Yes", "yes"),
        (Type.BOOLEAN, "false", "no"),
        (Type.CHOICE, "GOLD", "Gold"),
        (Type.EMAIL, "Ann@Example.COM", "Ann@example.com"),
        (Type.PHONE, "(650) 253-0000", "+16502530000"),
        (Type.NUMBER, "", ""),
    ],
)
def test_a_value_is_kept_in_the_one_form_of_its_type(type: Type, given: str, kept: str) -> None:  # noqa: A002 - the field's own name
    attribute = Attribute("x", "X", type, ("Gold", "Silver"))
    assert read_value(attribute, given) == kept
    assert read_value(attribute, kept) == kept


@pytest.mark.parametrize(
    ("type", "given"),
    [
        (Type.TEXT, "x" * 501),
        (Type.NUMBER, "NaN"),
        (Type.NUMBER, "1e999999"),
        (Type.NUMBER, "12 apples"),
        (Type.DATE, "31.02.2026"),
        (Type.DATE, "2026-02-31"),
        (Type.BOOLEAN, "maybe"),
        (Type.CHOICE, "bronze"),
        (Type.EMAIL, "ann at example"),
        (Type.EMAIL, "ann@localhost"),
        (Type.PHONE, "call me"),
    ],
)
def test_a_value_of_another_type_is_refused(type: Type, given: str) -> None:  # noqa: A002 - as above
    attribute = Attribute("x", "X", type, ("Gold", "Silver"))
    with pytest.raises((contacts.ValueInvalid, PhoneNumberInvalid)):
        read_value(attribute, given)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, ""),
        ({"name": ("WIRELESS ANN", Source.CALLER_ID)}, "WIRELESS ANN"),
        (
            {"name": ("ANN B", Source.CALLER_ID), "first_name": ("Ann", Source.AGENT)},
            "Ann",
        ),
        (
            {"first_name": ("Ann", Source.AGENT), "last_name": ("Baker", Source.AGENT)},
            "Ann Baker",
        ),
        ({"name": ("Mum", Source.HAND), "first_name": ("Ann", Source.AGENT)}, "Mum"),
        ({"name": ("", Source.HAND), "last_name": ("Baker", Source.HAND)}, "Baker"),
    ],
)
def test_what_a_contact_is_called(values: dict[str, tuple[str, Source]], shown: str) -> None:
    assert display_name(values) == shown


async def test_own_attributes_are_added_changed_and_removed_with_their_values(
    database: Database,
) -> None:
    team = await make_team(database)
    async with database.team(team) as session:
        level = Attribute("", "Level", Type.CHOICE, ("Gold", "Silver", "Gold"))
        made = await add(session, team, level)
        assert (made.key, made.choices) == ("level", ("Gold", "Silver"))
        for taken in ("level", "email", "name"):
            with pytest.raises(AttributeTaken):
                await add(session, team, Attribute(taken, "Again"))
        contact = await ann(session, team)
        await contacts.set_by_hand(session, team, contact.id, {"level": "gold"}, set_by="u")
        assert (await change(session, team, "level", label="Tier")).label == "Tier"
        assert await remove(session, team, "level") == 1
        assert "level" not in await values_of(session, team, contact.id)
        with pytest.raises(AttributeInvalid):
            await remove(session, team, "email")
        with pytest.raises(AttributeInvalid):
            await change(session, team, "email", label="Mail")


@pytest.mark.parametrize(
    "wanted",
    [
        Attribute("", ""),
        Attribute("", "x" * 61),
        Attribute("", "日本"),
        Attribute("Bad Key", "Bad"),
        Attribute("", "Level", Type.CHOICE, ("one",)),
        Attribute("", "Level", Type.CHOICE, ("one", "x" * 81)),
        Attribute("", "Level", description="x" * 301),
    ],
)
async def test_an_unusable_attribute_is_refused(database: Database, wanted: Attribute) -> None:
    team = await make_team(database)
    async with database.team(team) as session:
        with pytest.raises(AttributeInvalid):
            await add(session, team, wanted)


def test_keys_are_made_from_labels() -> None:
    assert key_of("Customer number (old)") == "customer_number_old"
    assert key_of("1st") == ""
    assert len({each.key for each in STANDARD}) == len(STANDARD)


async def test_a_look_up_replaces_only_a_look_up(database: Database) -> None:
    team = await make_team(database)
    async with database.team(team) as session:
        contact = await contacts.get(session, team, (await ann(session, team)).id, lock=True)
        looked_up = Given(Source.CALLER_ID)
        await put(session, contact, {"name": "BAKER ANN"}, looked_up)
        assert contact.name == "BAKER ANN"
        await put(session, contact, {"company": "Acme"}, Given(Source.AGENT))
        outcomes = await put(session, contact, {"name": "Ann Baker", "company": "ACME"}, looked_up)
        assert outcomes == {"name": Outcome.SET, "company": Outcome.KEPT}


async def test_notes_reach_the_agents_oldest_first(database: Database) -> None:
    team = await make_team(database)
    async with database.team(team) as session:
        contact = await ann(session, team)
        await contacts.note(session, team, contact.id, "Likes rye", written_by="ann@example.com")
        await contacts.note(session, team, contact.id, "Has a dog", source=Source.AGENT)
        assert (await contacts.known(session, team, contact.id)).notes == ("Likes rye", "Has a dog")


async def test_a_block_is_the_numbers_in_every_spelling(database: Database) -> None:
    """P7, CI4"""
    team, other = await make_team(database), await make_team(database)
    mexican, spelled = E164("+525587654321"), E164("+5215587654321")
    async with database.team(team) as session:
        contact = await contacts.on_contact(session, team, mexican)
        await contacts.block(session, team, spelled, by="usr_1")
        assert await contacts.screened(session, team, mexican) is contacts.Screened.BLOCKED
        assert (await contacts.known(session, team, contact.id)).blocked
        await contacts.unblock(session, team, mexican)
        assert await contacts.screened(session, team, spelled) is None
    async with database.team(other) as session:
        assert await contacts.screened(session, other, mexican) is None
