"""The rows of an import that make or complete contacts (P7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from offhook import phone
from offhook.contacts import service
from offhook.contacts.importing import Taken
from offhook.contacts.models import ContactNumber, Value
from offhook.contacts.profile import Given, Outcome, put
from offhook.contacts.rules import Source, may_replace
from offhook.contacts.spreadsheet import Meant
from offhook.db import Session


class Contacts:
    """Implements `importing.Taker`."""

    meanings: Sequence[str] | None = None

    async def check(
        self, session: Session, team_id: str, options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        return {}

    async def choices(self, session: Session, team_id: str) -> Sequence[tuple[str, str]]:
        return ()

    async def take(
        self, session: Session, team_id: str, rows: Sequence[Meant], options: Mapping[str, Any]
    ) -> Sequence[Taken]:
        known = await _known(session, team_id, rows)
        return [await _take(session, team_id, row, known) for row in rows]


Known = Mapping[str, tuple[str, Mapping[str, Value]]]


async def _known(session: Session, team_id: str, rows: Sequence[Meant]) -> Known:
    """The contacts of a batch by canonical number, with their values: two questions for all."""
    numbers = await session.execute(
        select(ContactNumber.canonical, ContactNumber.contact_id).where(
            ContactNumber.team_id == team_id,
            ContactNumber.canonical.in_([phone.canonical(row.number.e164) for row in rows]),
        )
    )
    contact_of = {row.canonical: row.contact_id for row in numbers.all()}
    values: dict[str, dict[str, Value]] = {each: {} for each in contact_of.values()}
    found = await session.scalars(
        select(Value).where(Value.team_id == team_id, Value.contact_id.in_(values))
    )
    for value in found:
        values[value.contact_id][value.key] = value
    return {
        canonical: (contact_id, values[contact_id]) for canonical, contact_id in contact_of.items()
    }


async def _take(session: Session, team_id: str, row: Meant, known: Known) -> Taken:
    canonical = phone.canonical(row.number.e164)
    if canonical in known:
        _, present = known[canonical]
        if not any(_is_news(present.get(key), text) for key, text in row.values.items()):
            return Taken.UNCHANGED
    contact, made = await service.meet(
        session, team_id, row.number.e164, extension=row.number.extension
    )
    contact = await service.get(session, team_id, contact.id, lock=True)
    outcomes = await put(session, contact, row.values, Given(Source.IMPORT))
    if made:
        return Taken.CREATED
    return Taken.UPDATED if Outcome.SET in outcomes.values() else Taken.UNCHANGED


def _is_news(present: Value | None, text: str) -> bool:
    if present is None:
        return True
    return present.text != text and may_replace(Source.IMPORT, present.source)
