"""Erasing a contact, with a receipt (P7).

Gone afterwards: profile, numbers, values, notes, and what other rooms keep of the person: words,
recordings, names and numbers in their records. Kept: the ledger, which names no person; opt-outs
and blocks, which are promises about a number and are honoured on. The receipt holds no word of the
person; its digest is that of the export at that instant.
"""

import hashlib
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update

from offhook import phone
from offhook.contacts import service
from offhook.contacts.exporting import whole
from offhook.contacts.keeping import Person, keepers, person_of
from offhook.contacts.models import (
    BlockedNumber,
    Contact,
    ContactNumber,
    Erasure,
    Note,
    Value,
)
from offhook.db import EventRow, Session, now, touch
from offhook.errors import Invalid, NotFound

LEDGER = "The ledger of minutes and messages, which names no person."
CARRIER = "The carrier's own records, which the carrier keeps."
BLOCKS = "Blocks of numbers, so that they go on being honoured: {}."
OPT_OUTS = "Opt-outs, so that they go on being honoured."


class ErasureNotConfirmed(Invalid):
    code = "erasure_not_confirmed"


class ErasureNotFound(NotFound):
    code = "erasure_not_found"


async def erase(
    session: Session, team_id: str, contact_id: str, *, confirm: str, country: str, by: str
) -> Erasure:
    """Erase a contact whose number is typed again in `confirm`. Cannot be undone.

    Raises ContactNotFound, ErasureNotConfirmed, ContactBusy; then nothing was erased.
    """
    contact = await service.get(session, team_id, contact_id, lock=True)
    numbers = await service.numbers_of(session, team_id, contact.id)
    _check(confirm, country, {each.canonical for each in numbers})
    digest = hashlib.sha256(await whole(session, team_id, contact.id)).hexdigest()
    person = await person_of(session, contact)
    counts: dict[str, int] = {}
    for keeper in keepers():
        counts |= await keeper.erased(session, team_id, person)
    blocks = await session.scalar(
        select(func.count()).where(
            BlockedNumber.team_id == team_id,
            BlockedNumber.canonical.in_([each.canonical for each in numbers]),
        )
    )
    counts |= await _erase_own(session, team_id, person)
    receipt = Erasure(
        team_id=team_id,
        contact_ids=list(person.contact_ids),
        counts=counts,
        kept=[LEDGER, OPT_OUTS, *([BLOCKS.format(blocks)] if blocks else []), CARRIER],
        digest=digest,
        erased_by=by,
        at=await now(session),
    )
    session.add(receipt)
    await session.flush()
    await touch(session, team_id, "contacts", "inbox", f"contact:{contact_id}")
    return receipt


def _check(confirm: str, country: str, canonical: set[str]) -> None:
    try:
        typed = phone.canonical(phone.parse(confirm, country))
    except phone.PhoneNumberInvalid:
        typed = ""
    if typed not in canonical:
        raise ErasureNotConfirmed(
            f"“{confirm.strip()[:40]}” is no number of this contact.",
            remedy="Type one of the contact's numbers to confirm.",
        )


async def _erase_own(session: Session, team_id: str, person: Person) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, table in (("values", Value), ("notes", Note), ("numbers", ContactNumber)):
        gone = await session.scalars(
            delete(table)
            .where(table.team_id == team_id, table.contact_id.in_(person.contact_ids))
            .returning(table.id)
        )
        counts[name] = len(gone.all())
    # What was announced stays an event, without the number.
    await session.execute(
        update(EventRow)
        .where(
            EventRow.team_id == team_id,
            EventRow.name == "contact.created",
            EventRow.payload["contact_id"].astext.in_(person.contact_ids),
        )
        .values(payload=EventRow.payload.op("||")({"number": ""}))
        .execution_options(synchronize_session=False)
    )
    merged = (Contact.merged_into.is_not(None), Contact.merged_into.is_(None))
    for which in merged:  # the signposts before the contact that they name
        await session.execute(
            delete(Contact).where(
                Contact.team_id == team_id, Contact.id.in_(person.contact_ids), which
            )
        )
    counts["contacts"] = len(person.contact_ids)
    return counts


async def receipt(session: Session, team_id: str, erasure_id: str) -> Erasure:
    """Raises ErasureNotFound."""
    found = await session.scalar(
        select(Erasure).where(Erasure.team_id == team_id, Erasure.id == erasure_id)
    )
    if found is None:
        raise ErasureNotFound(
            f"There is no receipt “{erasure_id[:40]}”.", remedy="Take an id from the list."
        )
    return found


async def receipts(session: Session, team_id: str, *, limit: int = 200) -> Sequence[Erasure]:
    """The newest first."""
    rows = await session.scalars(
        select(Erasure)
        .where(Erasure.team_id == team_id)
        .order_by(Erasure.at.desc(), Erasure.id.desc())
        .limit(limit)
    )
    return rows.all()
