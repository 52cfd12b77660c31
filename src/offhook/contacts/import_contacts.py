"""The rows of an import that make or complete contacts (P7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, String, any_, literal, select

from offhook import phone
from offhook.contacts import rules, service
from offhook.contacts.importing import Taken
from offhook.contacts.models import ContactNumber
from offhook.contacts.profile import Given, Texts, put_all, texts_of
from offhook.contacts.rules import Outcome, Source
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
        news = _with_news(rows, known)
        numbers = [row.number for row in news]
        met = await service.meet_all(session, team_id, numbers, to_change=True)
        wanted: dict[str, dict[str, str]] = {}
        for row, (contact, _) in zip(news, met, strict=True):
            wanted.setdefault(contact.id, {}).update(row.values)
        changed = await put_all(session, team_id, wanted, Given(Source.IMPORT))
        became = {
            row.number: Taken.CREATED
            if made
            else Taken.UPDATED
            if row.values.keys() & changed.get(contact.id, ())
            else Taken.UNCHANGED
            for row, (contact, made) in zip(news, met, strict=True)
        }
        return [became.get(row.number, Taken.UNCHANGED) for row in rows]


Known = Mapping[str, tuple[str, Texts]]
"""By canonical number: whose it is, and what is known of them."""


async def _known(session: Session, team_id: str, rows: Sequence[Meant]) -> Known:
    canonical = [phone.canonical(row.number.e164) for row in rows]
    found = await session.execute(
        select(ContactNumber.canonical, ContactNumber.contact_id).where(
            ContactNumber.team_id == team_id,
            ContactNumber.canonical == any_(literal(canonical, ARRAY(String))),
        )
    )
    holders = dict(found.all())
    texts = await texts_of(session, team_id, set(holders.values()))
    return {number: (contact_id, texts[contact_id]) for number, contact_id in holders.items()}


def _with_news(rows: Sequence[Meant], known: Known) -> list[Meant]:
    """The rows of whom something is new. Of two rows with numbers of one contact the later counts,
    so that the same file again changes nothing.
    """
    whose = [known.get(phone.canonical(row.number.e164)) for row in rows]
    told: dict[str, dict[str, str]] = {}
    for row, holder in zip(rows, whose, strict=True):
        if holder is not None:
            told.setdefault(holder[0], {}).update(row.values)
    return [
        row
        for row, holder in zip(rows, whose, strict=True)
        if holder is None or _is_news(holder[1], told[holder[0]])
    ]


def _is_news(known: Texts, told: Mapping[str, str]) -> bool:
    return any(
        rules.outcome(known.get(key), text, Source.IMPORT) is Outcome.SET
        for key, text in told.items()
    )
