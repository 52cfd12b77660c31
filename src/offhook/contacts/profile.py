"""What is known of a contact: values with their sources, and notes (P2, P3, P4).

Every value goes through `put`, which holds the one rule of who may replace whom. The name that
pages show is renewed with it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ARRAY, String, any_, delete, literal, select

from offhook import teams
from offhook.contacts import rules, screening, service
from offhook.contacts.defining import attribute, attributes
from offhook.contacts.events import ContactUpdated
from offhook.contacts.models import Contact, Note, Value
from offhook.contacts.rules import FIRST_NAME, LAST_NAME, NAME, Outcome, Source
from offhook.db import Session, fetch, new_id, now, publish, publish_all, touch
from offhook.errors import Conflict, Invalid, NotFound

NAMES = (NAME, FIRST_NAME, LAST_NAME)
KNOWN_NOTES = 20
PUT = """
    INSERT INTO contact_values (id, team_id, contact_id, key, text, source, set_by,
        conversation_id, turn_id, at)
    SELECT id, %(team_id)s, contact_id, key, text, %(source)s, %(set_by)s,
        %(conversation_id)s, %(turn_id)s, %(at)s
    FROM jsonb_to_recordset(%(values)s::jsonb)
        AS given (id text, contact_id text, key text, text text)
    ON CONFLICT (contact_id, key) DO UPDATE SET text = excluded.text, source = excluded.source,
        set_by = excluded.set_by, conversation_id = excluded.conversation_id,
        turn_id = excluded.turn_id, at = excluded.at
    RETURNING id
"""
RENAME = """
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(names)s::jsonb) AS given (id text, name text)
    )
    UPDATE contacts SET name = given.name, updated_at = %(at)s FROM given
    WHERE contacts.team_id = %(team_id)s AND contacts.id = given.id
        AND contacts.id = ANY(ARRAY(SELECT id FROM given))
    RETURNING contacts.id
"""
"""The ids are said once more, so that a table without statistics is not read for the whole team."""

Texts = dict[str, tuple[str, Source]]
"""What is known under each key, and from where."""


class NotFillable(Conflict):
    code = "contact_attribute_not_fillable"


class NameTooLong(Invalid):
    code = "contact_name_too_long"


class NoteInvalid(Invalid):
    code = "contact_note_invalid"


class NoteNotFound(NotFound):
    code = "contact_note_not_found"


@dataclass(frozen=True, slots=True)
class Given:
    """Where values come from, and when it was said if that is not now."""

    source: Source
    set_by: str = ""
    conversation_id: str | None = None
    turn_id: str | None = None


@dataclass(frozen=True, slots=True)
class KnownValue:
    key: str
    label: str
    text: str
    source: Source
    at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """A contact as an agent may know it. That the caller is this person is not shown (SEC10)."""

    contact_id: str
    name: str
    values: tuple[KnownValue, ...]
    blocked: bool
    notes: tuple[str, ...]
    """The newest last."""


async def known(session: Session, team_id: str, contact_id: str) -> Known:
    """Raises ContactNotFound."""
    contact = await service.get(session, team_id, contact_id)
    values = await values_of(session, team_id, contact.id)
    told = [
        KnownValue(each.key, each.label, value.text, value.source, value.at)
        for each in await attributes(session, team_id)
        if (value := values.get(each.key)) is not None and value.text
    ]
    notes = await notes_of(session, team_id, contact.id, limit=KNOWN_NOTES)
    return Known(
        contact.id,
        contact.name,
        tuple(told),
        await screening.is_blocked_contact(session, team_id, contact.id),
        tuple(note.text for note in reversed(notes)),
    )


async def learn(
    session: Session,
    team_id: str,
    contact_id: str,
    key: str,
    value: str,
    conversation_id: str,
    turn_id: str | None = None,
) -> Outcome:
    """Keep what an agent took from a turn (P3). KEPT if a person had set it by hand (P2).

    Raises ContactNotFound, AttributeNotFound, NotFillable, ValueInvalid.
    """
    wanted = await attribute(session, team_id, key)
    if not wanted.agent_fills:
        raise NotFillable(
            f"{wanted.label} is not for agents to fill.", remedy="A member of the team can set it."
        )
    text = rules.read_value(wanted, await teams.as_kept(session, team_id, value))
    if not text:
        return Outcome.SAME
    given = Given(Source.AGENT, conversation_id=conversation_id, turn_id=turn_id)
    contact = await service.get(session, team_id, contact_id, lock=True)
    return (await put(session, contact, {key: text}, given))[key]


async def set_by_hand(
    session: Session,
    team_id: str,
    contact_id: str,
    values: Mapping[str, str],
    *,
    set_by: str,
    country: str = "US",
) -> Contact:
    """Set values by hand; an empty one removes what is known and keeps machines from filling it.

    Raises ContactNotFound, AttributeNotFound, ValueInvalid, NameTooLong; then nothing was set.
    """
    defined = {each.key: each for each in await attributes(session, team_id)}
    read: dict[str, str] = {}
    for key, text in values.items():
        if key == NAME:
            read[key] = name_of(text)
        else:
            wanted = defined.get(key) or await attribute(session, team_id, key)
            read[key] = rules.read_value(wanted, text, country)
    contact = await service.get(session, team_id, contact_id, lock=True)
    await put(session, contact, read, Given(Source.HAND, set_by=set_by))
    return contact


async def put(
    session: Session, contact: Contact, values: Mapping[str, str], given: Given
) -> dict[str, Outcome]:
    """Set the values that `given` may set on a locked contact, and tell of them once."""
    present = await values_of(session, contact.team_id, contact.id)
    instant = await now(session)
    known = {key: (row.text, row.source) for key, row in present.items()}
    outcomes = {
        key: rules.outcome(known.get(key), text, given.source) for key, text in values.items()
    }
    for key, outcome in outcomes.items():
        if outcome is Outcome.SET:
            row = present.get(key) or Value(team_id=contact.team_id, contact_id=contact.id, key=key)
            row.text, row.source, row.set_by = values[key], given.source, given.set_by
            row.conversation_id, row.turn_id = given.conversation_id, given.turn_id
            row.at = instant
            session.add(row)
    changed = [key for key, outcome in outcomes.items() if outcome is Outcome.SET]
    if not changed:
        return outcomes
    await session.flush()
    contact.updated_at = instant
    if not set(NAMES).isdisjoint(changed):
        await rename(session, contact)
    await publish(
        session,
        ContactUpdated(
            team_id=contact.team_id,
            contact_id=contact.id,
            changed=tuple(sorted(changed)),
            source=given.source.value,
        ),
    )
    await touch(session, contact.team_id, "contacts", f"contact:{contact.id}", "inbox")
    return outcomes


async def put_all(
    session: Session, team_id: str, wanted: Mapping[str, Mapping[str, str]], given: Given
) -> dict[str, set[str]]:
    """`put` on many locked contacts, by id, in as few waits as on one: which keys were set of whom.

    For what machines bring: what a person sets is audited value by value. Straight in the database:
    contacts that the session holds keep the name they had.
    """
    known = await texts_of(session, team_id, wanted)
    changed = {
        contact_id: {
            key: text
            for key, text in values.items()
            if rules.outcome(known[contact_id].get(key), text, given.source) is Outcome.SET
        }
        for contact_id, values in wanted.items()
    }
    changed = {contact_id: texts for contact_id, texts in changed.items() if texts}
    if not changed:
        return {}
    instant = await now(session)
    values = [
        {"id": new_id("val"), "contact_id": contact_id, "key": key, "text": text}
        for contact_id, texts in changed.items()
        for key, text in texts.items()
    ]
    place = {"team_id": team_id, "at": instant}
    await fetch(session, PUT, {**place, **_origin(given), "values": json.dumps(values)})
    names = [
        {"id": contact_id, "name": rules.display_name(known[contact_id] | _from(given, texts))}
        for contact_id, texts in changed.items()
    ]
    await fetch(session, RENAME, {**place, "names": json.dumps(names)})
    news = [
        ContactUpdated(
            team_id=team_id,
            contact_id=contact_id,
            changed=tuple(sorted(texts)),
            source=given.source.value,
        )
        for contact_id, texts in changed.items()
    ]
    await publish_all(session, news)
    await touch(session, team_id, "contacts", "inbox", *(f"contact:{each}" for each in changed))
    return {contact_id: set(texts) for contact_id, texts in changed.items()}


def _origin(given: Given) -> dict[str, str | None]:
    return {**asdict(given), "source": given.source.value}


def _from(given: Given, texts: Mapping[str, str]) -> Texts:
    return {key: (text, given.source) for key, text in texts.items()}


async def rename(session: Session, contact: Contact) -> None:
    """Renew the name that pages show from the values (`rules.display_name`)."""
    rows = await session.scalars(
        select(Value).where(
            Value.team_id == contact.team_id, Value.contact_id == contact.id, Value.key.in_(NAMES)
        )
    )
    contact.name = rules.display_name({row.key: (row.text, row.source) for row in rows})


def name_of(text: str) -> str:
    """Raises NameTooLong."""
    name = rules.tidy(text)
    if len(name) > rules.MAX_NAME_CHARACTERS:
        raise NameTooLong(
            f"The name has {len(name)} characters.",
            remedy=f"Use at most {rules.MAX_NAME_CHARACTERS}.",
        )
    return name


async def values_of(session: Session, team_id: str, contact_id: str) -> dict[str, Value]:
    """The contact's values by key, those set empty by hand among them."""
    rows = await session.scalars(
        select(Value).where(Value.team_id == team_id, Value.contact_id == contact_id)
    )
    return {row.key: row for row in rows}


async def texts_of(
    session: Session, team_id: str, contact_ids: Collection[str]
) -> dict[str, Texts]:
    """What is known of each contact, by id."""
    rows = await session.execute(
        select(Value.contact_id, Value.key, Value.text, Value.source).where(
            Value.team_id == team_id,
            Value.contact_id == any_(literal(sorted(contact_ids), ARRAY(String))),
        )
    )
    known: dict[str, Texts] = {each: {} for each in contact_ids}
    for contact_id, key, text, source in rows:
        known[contact_id][key] = (text, source)
    return known


async def note(
    session: Session,
    team_id: str,
    contact_id: str,
    text: str,
    *,
    source: Source = Source.HAND,
    written_by: str = "",
    conversation_id: str | None = None,
) -> Note:
    """Write a note. Raises ContactNotFound, NoteInvalid."""
    kept = text.replace("\x00", "").encode("utf-8", "replace").decode().strip()
    if not kept or len(kept) > rules.MAX_NOTE_CHARACTERS:
        raise NoteInvalid(
            f"A note of {len(kept)} characters cannot be kept.",
            remedy=f"Write 1 to {rules.MAX_NOTE_CHARACTERS:,} characters.",
        )
    contact = await service.get(session, team_id, contact_id)
    row = Note(
        team_id=team_id,
        contact_id=contact.id,
        text=kept,
        source=source,
        written_by=written_by,
        conversation_id=conversation_id,
        at=await now(session),
    )
    session.add(row)
    await session.flush()
    await touch(session, team_id, f"contact:{contact.id}")
    return row


async def remove_note(session: Session, team_id: str, contact_id: str, note_id: str) -> None:
    """Raises ContactNotFound, NoteNotFound."""
    contact = await service.get(session, team_id, contact_id)
    gone = await session.scalar(
        delete(Note)
        .where(Note.team_id == team_id, Note.contact_id == contact.id, Note.id == note_id)
        .returning(Note.id)
    )
    if gone is None:
        raise NoteNotFound(
            f"This contact has no note “{note_id[:40]}”.", remedy="Take an id from its notes."
        )
    await touch(session, team_id, f"contact:{contact.id}")


async def notes_of(
    session: Session, team_id: str, contact_id: str, *, limit: int = 100
) -> Sequence[Note]:
    """The newest first."""
    rows = await session.scalars(
        select(Note)
        .where(Note.team_id == team_id, Note.contact_id == contact_id)
        .order_by(Note.at.desc(), Note.id.desc())
        .limit(limit)
    )
    return rows.all()
