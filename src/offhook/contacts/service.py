"""Use cases of contacts: made on first contact, found by number, named by hand.

Callers and texters who show no number have no contact (P5); that is decided by the type: only an
`E164` can be one. Knows no conversation.
"""

from collections.abc import Collection

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from offhook.contacts.events import ContactCreated, ContactUpdated
from offhook.contacts.models import Contact
from offhook.db import Session, new_id, now, publish, touch
from offhook.errors import Invalid, NotFound
from offhook.phone import E164

MAX_NAME_CHARACTERS = 80


class ContactNotFound(NotFound):
    code = "contact_not_found"


class ContactNameTooLong(Invalid):
    code = "contact_name_too_long"


async def on_contact(session: Session, team_id: str, e164: E164) -> Contact:
    """The team's contact with this number, made now if it is their first contact (P1).

    Race-free: of many at once one inserts, and the others wait for its commit and find its row.
    """
    if (known := await find(session, team_id, e164)) is not None:
        return known
    instant = await now(session)
    made = await session.scalar(
        insert(Contact)
        .values(
            id=new_id("con"),
            team_id=team_id,
            e164=e164,
            name="",
            created_at=instant,
            updated_at=instant,
        )
        .on_conflict_do_nothing(index_elements=["team_id", "e164"])
        .returning(Contact.id)
    )
    if made is not None:
        await publish(session, ContactCreated(team_id=team_id, contact_id=made, number=e164))
        await touch(session, team_id, "contacts")
    contact = await find(session, team_id, e164)
    assert contact is not None  # noqa: S101 - inserted by us, or by whoever we waited for
    return contact


async def find(session: Session, team_id: str, e164: E164) -> Contact | None:
    return await session.scalar(
        select(Contact).where(Contact.team_id == team_id, Contact.e164 == e164)
    )


async def get(session: Session, team_id: str, contact_id: str) -> Contact:
    """Raises ContactNotFound, also for another team's contact (SEC7)."""
    contact = await session.scalar(
        select(Contact).where(Contact.team_id == team_id, Contact.id == contact_id)
    )
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
    rows = await session.scalars(
        select(Contact).where(Contact.team_id == team_id, Contact.id.in_(wanted))
    )
    return {contact.id: contact for contact in rows}


def listed(team_id: str, query: str = "") -> Select[Contact]:
    """The team's contacts whose name or number holds `query`, for `paginate`."""
    statement = select(Contact).where(Contact.team_id == team_id)
    words = query.strip()
    if words:
        digits = "".join(each for each in words if each.isdigit())
        number = Contact.e164.contains(digits, autoescape=True) if digits else None
        name = func.lower(Contact.name).contains(words.lower(), autoescape=True)
        statement = statement.where(or_(name, number) if number is not None else name)
    return statement


async def rename(session: Session, team_id: str, contact_id: str, name: str) -> Contact:
    """Set the name by hand; empty removes it."""
    contact = await get(session, team_id, contact_id)
    trimmed = " ".join(name.replace("\x00", "").split())
    if len(trimmed) > MAX_NAME_CHARACTERS:
        raise ContactNameTooLong(
            f"The name has {len(trimmed)} characters.",
            remedy=f"Use at most {MAX_NAME_CHARACTERS}.",
        )
    contact.name = trimmed
    contact.updated_at = await now(session)
    await publish(session, ContactUpdated(team_id=team_id, contact_id=contact.id))
    await touch(session, team_id, "contacts", "inbox")
    return contact
