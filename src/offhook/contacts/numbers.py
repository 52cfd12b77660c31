"""A contact's numbers, by hand: added, taken away; a contact made from one (P1, P7)."""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from offhook import audit, phone
from offhook.contacts import service
from offhook.contacts.events import ContactUpdated
from offhook.contacts.models import Contact, ContactNumber
from offhook.db import Session, new_id, now, publish, touch
from offhook.errors import Conflict, NotFound
from offhook.phone import Written


class NumberTaken(Conflict):
    code = "contact_number_taken"


class NumberOfContactNotFound(NotFound):
    code = "contact_number_not_found"


class LastNumber(Conflict):
    code = "contact_last_number"


async def create(session: Session, team_id: str, written: Written) -> Contact:
    """A contact made by hand. Raises NumberTaken with the contact that has the number."""
    contact, made = await service.meet(session, team_id, written.e164, extension=written.extension)
    if not made:
        raise _taken(contact, written)
    audit.record(session, team_id, "created", "contact", contact.id)
    return contact


async def add(session: Session, team_id: str, contact_id: str, written: Written) -> Contact:
    """Give a contact another number; its own again changes nothing.

    Raises ContactNotFound, NumberTaken with the contact that has the number.
    """
    contact = await service.get(session, team_id, contact_id, lock=True)
    made = await session.scalar(
        insert(ContactNumber)
        .values(
            id=new_id("cnr"),
            team_id=team_id,
            contact_id=contact.id,
            canonical=phone.canonical(written.e164),
            e164=written.e164,
            extension=written.extension,
            created_at=await now(session),
        )
        .on_conflict_do_nothing(index_elements=["team_id", "canonical"])
        .returning(ContactNumber.id)
    )
    if made is None:
        holder = await service.find(session, team_id, written.e164)
        if holder is not None and holder.id != contact.id:
            raise _taken(holder, written)
        return contact
    await _tell(session, contact)
    return contact


async def remove(session: Session, team_id: str, contact_id: str, number: str) -> Contact:
    """Take a number away from a contact; conversations stay with the contact that had them.

    Raises ContactNotFound, NumberOfContactNotFound, LastNumber.
    """
    contact = await service.get(session, team_id, contact_id, lock=True)
    numbers = await service.numbers_of(session, team_id, contact.id)
    canonical = phone.canonical(number)
    if canonical not in {each.canonical for each in numbers}:
        raise NumberOfContactNotFound(
            f"This contact does not have the number “{number[:40]}”.",
            remedy="Take one of its numbers.",
        )
    if len(numbers) == 1:
        raise LastNumber(
            "A contact has at least one number.", remedy="Add another, or erase the contact."
        )
    await session.execute(
        delete(ContactNumber).where(
            ContactNumber.team_id == team_id,
            ContactNumber.contact_id == contact.id,
            ContactNumber.canonical == canonical,
        )
    )
    if phone.canonical(contact.e164) == canonical:
        contact.e164 = next(each.e164 for each in numbers if each.canonical != canonical)
    await _tell(session, contact)
    return contact


async def _tell(session: Session, contact: Contact) -> None:
    contact.updated_at = await now(session)
    await session.flush()
    await publish(
        session,
        ContactUpdated(team_id=contact.team_id, contact_id=contact.id, changed=("numbers",)),
    )
    await touch(session, contact.team_id, "contacts", f"contact:{contact.id}")


def _taken(contact: Contact, written: Written) -> NumberTaken:
    shown = phone.international(written.e164)
    name = contact.name or "another contact"
    return NumberTaken(
        f"{shown} belongs to {name}.",
        remedy="Open that contact, or merge the two.",
        contact_id=contact.id,
    )
