"""Two contacts that are one person become one (P7, CI4).

Numbers, values, notes and all conversations move; opt-outs stay with their pair of numbers and
blocks with their number, since they are kept by number and not here. The other contact stays as a
signpost. Merges of a team follow each other, and wait for first contacts that are under way.
"""

from sqlalchemy import update

from offhook import audit
from offhook.contacts import service
from offhook.contacts.events import ContactUpdated
from offhook.contacts.keeping import keepers
from offhook.contacts.models import Contact, ContactNumber, Note
from offhook.contacts.profile import rename, values_of
from offhook.contacts.rules import MAY_REPLACE, Source
from offhook.db import Session, now, publish, touch
from offhook.errors import Invalid


class MergeWithItself(Invalid):
    code = "contact_merge_with_itself"


async def merge(session: Session, team_id: str, kept_id: str, other_id: str) -> Contact:
    """Make `other_id` a part of `kept_id`; the contact that is left. If they are one already, it
    is that one: merges of the same two at once end in one contact.

    Raises ContactNotFound, MergeWithItself.
    """
    if kept_id == other_id:
        raise MergeWithItself(
            "A contact cannot be merged with itself.", remedy="Choose another contact."
        )
    await service.nobody_meets(session, team_id)
    kept = await service.get(session, team_id, kept_id, lock=True)
    other = await service.get(session, team_id, other_id, lock=True)
    if kept.id == other.id:
        return kept
    await _move(session, kept, other)
    return kept


async def _move(session: Session, kept: Contact, other: Contact) -> None:
    team_id = kept.team_id
    for table in (ContactNumber, Note):
        await session.execute(
            update(table)
            .where(table.team_id == team_id, table.contact_id == other.id)
            .values(contact_id=kept.id)
        )
    await _move_values(session, kept, other)
    for keeper in keepers():
        await keeper.moved(session, team_id, other.id, kept.id)
    await session.execute(
        update(Contact)
        .where(Contact.team_id == team_id, Contact.merged_into == other.id)
        .values(merged_into=kept.id)
    )
    instant = await now(session)
    other.merged_into, other.e164, other.name = kept.id, "", ""
    other.updated_at = kept.updated_at = instant
    await session.flush()
    await rename(session, kept)
    merged = {"merged": (None, other.id)}
    audit.record(session, team_id, "merged", "contact", kept.id, changes=merged)
    await publish(
        session,
        ContactUpdated(team_id=team_id, contact_id=kept.id, changed=("numbers",), merged=other.id),
    )
    topics = ("contacts", "inbox", f"contact:{kept.id}", f"contact:{other.id}")
    await touch(session, team_id, *topics)


async def _move_values(session: Session, kept: Contact, other: Contact) -> None:
    """Of two values the stronger source's stays, of equal ones that of the contact that stays."""
    present = await values_of(session, kept.team_id, kept.id)
    for key, value in (await values_of(session, other.team_id, other.id)).items():
        mine = present.get(key)
        if mine is not None and (_stronger_or_equal(mine.source, value.source) or not value.text):
            await session.delete(value)
            continue
        if mine is not None:
            await session.delete(mine)
            await session.flush()
        value.contact_id = kept.id
    await session.flush()


def _stronger_or_equal(one: Source, other: Source) -> bool:
    return other in MAY_REPLACE[one]
