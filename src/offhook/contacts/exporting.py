"""What is kept about contacts, to take away: one person whole, the list as CSV or JSON (P7).

The JSON of one person is the same, byte for byte, until something changes: its digest stands in
the receipt of an erasure. Cells that a spreadsheet would run get an apostrophe (SEC8).
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Row, String, any_, literal, select, tuple_

from offhook.contacts import service
from offhook.contacts.defining import attributes
from offhook.contacts.keeping import keepers, person_of
from offhook.contacts.models import BlockedNumber, Contact, ContactNumber, Value
from offhook.contacts.profile import notes_of, values_of
from offhook.contacts.rules import Source
from offhook.db import Database, Session, UtcTime
from offhook.web import csv_line

MAX_NOTES = 10_000
PAGE = 500


async def whole(session: Session, team_id: str, contact_id: str) -> bytes:
    """Everything kept about one contact, with all their conversations. Raises ContactNotFound."""
    contact = await service.get(session, team_id, contact_id)
    person = await person_of(session, contact)
    numbers = await service.numbers_of(session, team_id, contact.id)
    blocked = await session.scalars(
        select(BlockedNumber.e164)
        .where(
            BlockedNumber.team_id == team_id,
            BlockedNumber.canonical.in_([each.canonical for each in numbers]),
        )
        .order_by(BlockedNumber.e164)
    )
    told: dict[str, Any] = {
        "contact": _columns(contact, "id", "e164", "name", "created_at", "updated_at"),
        "merged": list(person.contact_ids[1:]),
        "numbers": [_columns(each, "e164", "extension", "created_at") for each in numbers],
        "blocked_numbers": list(blocked),
        "values": [
            _columns(*(each, "key", "text", "source", "set_by", "conversation_id", "turn_id", "at"))
            for _, each in sorted((await values_of(session, team_id, contact.id)).items())
        ],
        "notes": [
            _columns(each, "id", "text", "source", "written_by", "conversation_id", "at")
            for each in await notes_of(session, team_id, contact.id, limit=MAX_NOTES)
        ],
    }
    for keeper in keepers():
        told |= await keeper.told(session, team_id, person)
    return json.dumps(told, ensure_ascii=False, indent=1, default=_plain).encode()


def _columns(row: object, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


async def as_csv(database: Database, team_id: str, query: str = "") -> AsyncIterator[str]:
    """The list as CSV, a page of contacts at a time: numbers, name, the attributes by key."""
    async with database.team(team_id) as session:
        keys = [each.key for each in await attributes(session, team_id)]
    yield csv_line(["id", "number", "other_numbers", "name", *keys, "created_at"])
    async for line in _lines(database, team_id, query):
        known = {each.key: each.text for each in line.values}
        yield csv_line(
            [
                line.contact.id,
                line.contact.e164,
                " ".join(line.others),
                line.contact.name,
                *(known.get(key, "") for key in keys),
                line.contact.created_at.isoformat(),
            ]
        )


async def as_json(database: Database, team_id: str, query: str = "") -> AsyncIterator[str]:
    """The list as one JSON array, a page of contacts at a time: each value with its source."""
    lead = "["
    async for line in _lines(database, team_id, query):
        contact = line.contact
        told = {
            "id": contact.id,
            "number": contact.e164,
            "other_numbers": line.others,
            "name": contact.name,
            "values": [
                _columns(each, "key", "text", "source", "set_by", "at") for each in line.values
            ],
            "created_at": contact.created_at,
        }
        yield lead + "\n" + json.dumps(told, ensure_ascii=False, default=_plain)
        lead = ","
    yield "[]\n" if lead == "[" else "\n]\n"


Told = Row[str, str, str, Source, str, datetime]
"""Of a value: contact, key, text, source, who set it, when."""


@dataclass(frozen=True, slots=True)
class _Line:
    contact: Contact
    others: list[str]
    values: list[Told]


async def _lines(database: Database, team_id: str, query: str) -> AsyncIterator[_Line]:
    """All of the list, the oldest first; no transaction is open while one is taken away."""
    place = tuple_(Contact.created_at, Contact.id)
    page = service.listed(team_id, query).order_by(Contact.created_at, Contact.id).limit(PAGE)
    wanted = page
    while True:
        async with database.team(team_id) as session:
            rows = (await session.scalars(wanted)).all()
            lines = await _told(session, team_id, rows)
        for line in lines:
            yield line
        if len(rows) < PAGE:
            return
        last = rows[-1]
        wanted = page.where(place > tuple_(literal(last.created_at, UtcTime()), literal(last.id)))


async def _told(session: Session, team_id: str, page: Sequence[Contact]) -> list[_Line]:
    ids = any_(literal([contact.id for contact in page], ARRAY(String)))
    others: dict[str, list[str]] = {}
    numbers = await session.execute(
        select(ContactNumber.contact_id, ContactNumber.e164)
        .where(ContactNumber.team_id == team_id, ContactNumber.contact_id == ids)
        .order_by(ContactNumber.created_at, ContactNumber.id)
    )
    for contact_id, e164 in numbers:
        others.setdefault(contact_id, []).append(e164)
    values = await session.execute(
        select(Value.contact_id, Value.key, Value.text, Value.source, Value.set_by, Value.at)
        .where(Value.team_id == team_id, Value.contact_id == ids)
        .order_by(Value.contact_id, Value.key)
    )
    known: dict[str, list[Told]] = {}
    for value in values:
        known.setdefault(value.contact_id, []).append(value)
    return [
        _Line(
            contact,
            [each for each in others.get(contact.id, []) if each != contact.e164],
            known.get(contact.id, []),
        )
        for contact in page
    ]
