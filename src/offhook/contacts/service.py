"""Use cases of contacts: made on first contact, found by any spelling of any of their numbers.

Callers and texters who show no number have no contact (P5); that is decided by the type: only an
`E164` can be one. Knows no conversation.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ARRAY, Select, String, any_, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from offhook import phone
from offhook.contacts.events import ContactCreated
from offhook.contacts.models import Contact, ContactNumber, Value
from offhook.db import (
    Session,
    enqueue,
    fetch,
    new_id,
    one_at_a_time,
    publish_all,
    told_time,
    touch,
)
from offhook.errors import NotFound
from offhook.phone import E164, Written

LOOK_UP_JOB = "contacts.look_up"
MAKE = """
    WITH wanted AS (
        SELECT *, coalesce(%(present)s::timestamptz, statement_timestamp())
            + place * interval '1 microsecond' AS at
        FROM jsonb_to_recordset(%(wanted)s::jsonb) AS wanted (id text, contact_id text,
            canonical text, e164 text, extension text, place int)
    ), number AS (
        INSERT INTO contact_numbers (id, team_id, contact_id, canonical, e164, extension,
            created_at)
        SELECT id, %(team_id)s, contact_id, canonical, e164, extension, at
        FROM wanted ORDER BY canonical
        ON CONFLICT (team_id, canonical) DO NOTHING
        RETURNING contact_id, canonical, e164, created_at
    ), contact AS (
        INSERT INTO contacts (id, team_id, e164, name, created_at, updated_at)
        SELECT contact_id, %(team_id)s, e164, '', created_at, created_at FROM number
    )
    SELECT canonical FROM number
"""
"""In the order of the numbers, so that two who make many wait for each other and do not deadlock;
the microseconds keep a file's order in lists.
"""


class ContactNotFound(NotFound):
    code = "contact_not_found"


async def on_contact(session: Session, team_id: str, e164: E164) -> Contact:
    """The team's contact with this number, made now if it is their first contact (P1).

    Race-free: of many at once one inserts, and the others wait for its commit and find its row.
    Until the commit nobody merges or erases the contact. A new one's name is
    looked up (P2).
    """
    contact, made = await meet(session, team_id, e164)
    if made:
        await enqueue(session, LOOK_UP_JOB, team_id=team_id, contact_id=contact.id)
    return contact


async def meet(
    session: Session, team_id: str, e164: E164, *, extension: str = ""
) -> tuple[Contact, bool]:
    """The contact with this number and whether it was made just now."""
    (met,) = await meet_all(session, team_id, [Written(e164, extension)])
    return met


async def meet_all(
    session: Session, team_id: str, numbers: Sequence[Written], *, to_change: bool = False
) -> list[tuple[Contact, bool]]:
    """`meet` for many, in as few waits as for one. `to_change`: locked for who changes them.

    Who is known is locked by their row, which a merge waits for; who is not, by the team.
    """
    wanted = {phone.canonical(each.e164): each for each in numbers}
    made: set[str] = set()
    is_held = to_change  # many rows: merges lock theirs in another order
    if is_held:
        await one_at_a_time(session, _merging(team_id), shared=True)
    while True:
        met = await _holders(session, team_id, sorted(wanted), to_change=to_change)
        strangers = {number: each for number, each in wanted.items() if number not in met}
        if not strangers:
            break
        if not is_held:
            await one_at_a_time(session, _merging(team_id), shared=True)
            is_held = True
        made |= await _make(session, team_id, strangers)
    if made:
        news = [
            ContactCreated(team_id=team_id, contact_id=met[number].id, number=each.e164)
            for number, each in wanted.items()
            if number in made
        ]
        await publish_all(session, news)
        await touch(session, team_id, "contacts")
    known = (phone.canonical(each.e164) for each in numbers)
    return [(met[number], number in made) for number in known]


async def nobody_meets(session: Session, team_id: str) -> None:
    """Until the commit whoever calls or texts the team waits to become a contact, so that nothing
    is written for a contact that is just becoming a part of another.
    """
    await one_at_a_time(session, _merging(team_id))


def _merging(team_id: str) -> str:
    return f"contacts {team_id}"


async def _make(session: Session, team_id: str, strangers: Mapping[str, Written]) -> set[str]:
    """Insert numbers and contacts in one statement; the canonical numbers that nobody else had."""
    wanted = [
        {
            "id": new_id("cnr"),
            "contact_id": new_id("con"),
            "canonical": canonical,
            "e164": each.e164,
            "extension": each.extension,
            "place": place,
        }
        for place, (canonical, each) in enumerate(strangers.items())
    ]
    given = {"team_id": team_id, "wanted": json.dumps(wanted), "present": told_time(session)}
    return {number for (number,) in await fetch(session, MAKE, given)}


async def _holders(
    session: Session, team_id: str, canonical: Sequence[str], *, to_change: bool
) -> dict[str, Contact]:
    """The contacts with these numbers, by number; until the commit neither merged nor erased."""
    query = (
        select(ContactNumber.canonical, Contact)
        .join(Contact, ContactNumber.contact_id == Contact.id)
        .where(
            ContactNumber.team_id == team_id,
            ContactNumber.canonical == any_(literal(canonical, ARRAY(String))),
            Contact.merged_into.is_(None),
        )
        .order_by(Contact.id)  # locked in one order, whoever locks many
    )
    if to_change:
        query = query.with_for_update(key_share=True, of=Contact)
        query = query.execution_options(populate_existing=True)
    else:  # a shared lock: first contacts do not wait for each other, and foreign keys pass
        query = query.with_for_update(read=True, key_share=False, of=Contact)
    return dict((await session.execute(query)).all())


async def find(session: Session, team_id: str, e164: E164) -> Contact | None:
    """The contact with this number in any national spelling (P6), or None."""
    return await session.scalar(
        select(Contact)
        .join(ContactNumber, ContactNumber.contact_id == Contact.id)
        .where(
            ContactNumber.team_id == team_id,
            ContactNumber.canonical == phone.canonical(e164),
            Contact.merged_into.is_(None),
        )
    )


async def spelling(session: Session, team_id: str, e164: E164) -> E164:
    """`e164` as the team knows the number: in countries that write one in two ways, the first
    spelling that came. What is kept by number (a thread, a timeline) is kept under this one.
    """
    if not phone.has_variants(e164):
        return e164
    known = await session.scalar(
        select(ContactNumber.e164).where(
            ContactNumber.team_id == team_id, ContactNumber.canonical == phone.canonical(e164)
        )
    )
    return E164(known) if known else e164


async def get(session: Session, team_id: str, contact_id: str, *, lock: bool = False) -> Contact:
    """The contact, or the one that it was merged into. `lock` until the commit.

    Raises ContactNotFound, also for another team's contact (SEC7).
    """
    seen = aliased(Contact)
    query = (
        select(Contact)
        .join(seen, Contact.id == func.coalesce(seen.merged_into, seen.id))
        .where(Contact.team_id == team_id, seen.team_id == team_id, seen.id == contact_id)
    )
    if lock:
        query = query.with_for_update(of=Contact, key_share=True)
        query = query.execution_options(populate_existing=True)
    contact = await session.scalar(query)
    if contact is not None and contact.merged_into is not None:  # merged while we waited
        return await get(session, team_id, contact_id, lock=lock)
    if contact is None:
        raise ContactNotFound(
            f"There is no contact “{contact_id[:40]}”.", remedy="Take an id from the list."
        )
    return contact


async def of(
    session: Session, team_id: str, contact_ids: Collection[str | None]
) -> dict[str, Contact]:
    """The contacts with these ids, by id; what is not there is left out."""
    wanted = {each for each in contact_ids if each}
    if not wanted:
        return {}
    seen = aliased(Contact)
    rows = await session.execute(
        select(seen.id, Contact)
        .join(seen, Contact.id == func.coalesce(seen.merged_into, seen.id))
        .where(Contact.team_id == team_id, seen.team_id == team_id, seen.id.in_(wanted))
    )
    return {row.id: row[1] for row in rows.all()}


async def numbers_of(session: Session, team_id: str, contact_id: str) -> list[ContactNumber]:
    """The contact's numbers, the first one first."""
    rows = await session.scalars(
        select(ContactNumber)
        .where(ContactNumber.team_id == team_id, ContactNumber.contact_id == contact_id)
        .order_by(ContactNumber.created_at, ContactNumber.id)
    )
    return list(rows)


async def addresses(session: Session, team_id: str, e164: E164) -> list[str]:
    """Every number, in every spelling, at which the person with this number is reached."""
    contact = await find(session, team_id, e164)
    known = await numbers_of(session, team_id, contact.id) if contact is not None else []
    canonical = {phone.canonical(e164), *(each.canonical for each in known)}
    return [each for number in sorted(canonical) for each in phone.spellings(number)]


def listed(team_id: str, query: str = "") -> Select[Contact]:
    """The team's contacts of whom a name, number or value holds `query`, for `paginate`."""
    statement = select(Contact).where(Contact.team_id == team_id, Contact.merged_into.is_(None))
    words = query.replace("\x00", "").strip()
    if not words:
        return statement
    holds = [
        func.lower(Contact.name).contains(words.lower(), autoescape=True),
        exists().where(
            Value.contact_id == Contact.id,
            Value.team_id == team_id,
            func.lower(Value.text).contains(words.lower(), autoescape=True),
        ),
    ]
    if digits := "".join(each for each in words if each.isdecimal()):
        holds.append(
            exists().where(
                ContactNumber.contact_id == Contact.id,
                ContactNumber.team_id == team_id,
                ContactNumber.e164.contains(digits, autoescape=True),
            )
        )
    return statement.where(or_(*holds))
