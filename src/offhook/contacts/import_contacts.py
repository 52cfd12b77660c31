"""The rows of an import that make or complete contacts (P7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, String, any_, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from offhook import phone
from offhook.contacts import rules, service
from offhook.contacts.importing import File, Taken
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
        self,
        session: Session,
        team_id: str,
        rows: Sequence[Meant],
        options: Mapping[str, Any],
        file: File,
    ) -> Sequence[Taken]:
        known = await _known(session, team_id, rows, file)
        news = [row for row in rows if _is_news(known.get(_canonical(row)))]
        numbers = [row.number for row in news]
        met = await service.meet_all(session, team_id, numbers, to_change=True)
        wanted: dict[str, dict[str, str]] = {}
        for row, (contact, _) in zip(news, met, strict=True):
            holder = known.get(_canonical(row))
            told = holder.told if holder is not None else row.values
            wanted.setdefault(contact.id, {}).update(told)
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


@dataclass(frozen=True, slots=True)
class _Holder:
    """A contact that has numbers of the file, and what is known of it.

    `told`: what the file says of it. Of rows with numbers of one contact the later counts, wherever
    in the file they are, so that the same file again changes nothing.
    """

    texts: Texts
    told: Mapping[str, str]


async def _known(
    session: Session, team_id: str, rows: Sequence[Meant], file: File
) -> Mapping[str, _Holder]:
    """Who has the numbers of these rows, by canonical number."""
    here = dict(await _numbers(session, team_id, ContactNumber.canonical, map(_canonical, rows)))
    contact_ids = set(here.values())
    theirs: dict[str, list[Meant]] = {each: [] for each in contact_ids}
    for number, contact_id in await _numbers(
        session, team_id, ContactNumber.contact_id, contact_ids
    ):
        if number in file:
            theirs[contact_id].append(file[number])
    texts = await texts_of(session, team_id, contact_ids)
    holders = {each: _Holder(texts[each], _told(theirs[each])) for each in contact_ids}
    return {number: holders[contact_id] for number, contact_id in here.items()}


async def _numbers(
    session: Session,
    team_id: str,
    column: InstrumentedAttribute[str],
    values: Iterable[str],
) -> Sequence[tuple[str, str]]:
    """Canonical number and contact of the numbers with one of these values."""
    found = await session.execute(
        select(ContactNumber.canonical, ContactNumber.contact_id).where(
            ContactNumber.team_id == team_id,
            column == any_(literal(list(values), ARRAY(String))),
        )
    )
    return [(row[0], row[1]) for row in found.all()]


def _told(rows: Sequence[Meant]) -> Mapping[str, str]:
    told: dict[str, str] = {}
    for row in sorted(rows, key=lambda each: each.line):
        told |= row.values
    return told


def _is_news(holder: _Holder | None) -> bool:
    """Whether the file says something new of the contact, or makes one."""
    return holder is None or any(
        rules.outcome(holder.texts.get(key), text, Source.IMPORT) is Outcome.SET
        for key, text in holder.told.items()
    )


def _canonical(row: Meant) -> str:
    return phone.canonical(row.number.e164)
