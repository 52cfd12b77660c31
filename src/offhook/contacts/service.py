"""Use cases of contacts: made on first contact, found by any spelling of any of their numbers.

Callers and texters who show no number have no contact (P5); that is decided by the type: only an
`E164` can be one. Knows no conversation.
"""

from collections.abc import Collection

from sqlalchemy import Select, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from offhook import phone
from offhook.contacts.events import ContactCreated
from offhook.contacts.models import Contact, ContactNumber, Value
from offhook.db import Session, enqueue, new_id, now, one_at_a_time, publish, touch
from offhook.errors import NotFound
from offhook.phone import E164

LOOK_UP_JOB = "contacts.look_up"


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
    await one_at_a_time(session, _merging(team_id), shared=True)
    while True:
        if (known := await find(session, team_id, e164, stays=True)) is not None:
            return known, False
        if (made := await _make(session, team_id, e164, extension)) is not None:
            news = ContactCreated(team_id=team_id, contact_id=made.id, number=e164)
            await publish(session, news)
            await touch(session, team_id, "contacts")
            return made, True


async def nobody_meets(session: Session, team_id: str) -> None:
    """Until the commit whoever calls or texts the team waits to become a contact, so that nothing
    is written for a contact that is just becoming a part of another.
    """
    await one_at_a_time(session, _merging(team_id))


def _merging(team_id: str) -> str:
    return f"contacts {team_id}"


async def _make(session: Session, team_id: str, e164: E164, extension: str) -> Contact | None:
    """Insert number and contact in one statement; None if somebody else has the number."""
    contact_id, instant = new_id("con"), await now(session)
    number = (
        insert(ContactNumber)
        .values(
            id=new_id("cnr"),
            team_id=team_id,
            contact_id=contact_id,
            canonical=phone.canonical(e164),
            e164=e164,
            extension=extension,
            created_at=instant,
        )
        .on_conflict_do_nothing(index_elements=["team_id", "canonical"])
        .returning(ContactNumber.contact_id)
        .cte("number")
    )
    columns = {
        Contact.id: number.c.contact_id,
        Contact.team_id: literal(team_id),
        Contact.e164: literal(e164),
        Contact.name: literal(""),
        Contact.created_at: literal(instant, Contact.created_at.type),
        Contact.updated_at: literal(instant, Contact.updated_at.type),
    }
    return await session.scalar(
        insert(Contact)
        .from_select([each.key for each in columns], select(*columns.values()))
        .returning(Contact)
    )


async def find(
    session: Session, team_id: str, e164: E164, *, stays: bool = False
) -> Contact | None:
    """The contact with this number in any national spelling (P6), or None.

    `stays`: it is neither merged nor erased until the commit.
    """
    query = (
        select(Contact)
        .join(ContactNumber, ContactNumber.contact_id == Contact.id)
        .where(
            ContactNumber.team_id == team_id,
            ContactNumber.canonical == phone.canonical(e164),
            Contact.merged_into.is_(None),
        )
    )
    if stays:  # a shared lock: first contacts do not wait for each other, and foreign keys pass
        query = query.with_for_update(read=True, key_share=False, of=Contact)
    return await session.scalar(query)


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
