"""Contacts over REST: list, make, read, change; numbers, notes, blocks; merge, export, erase."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from offhook import audit, phone
from offhook.contacts import erasing, exporting, merging, numbers, profile, screening, service
from offhook.contacts.keeping import person_of
from offhook.contacts.models import Contact
from offhook.contacts.shapes import (
    Blocked,
    ContactChange,
    ContactNew,
    ContactOut,
    Erase,
    ErasureOut,
    Merge,
    NoteNew,
    NoteOut,
    NumberNew,
    NumberOut,
    ProfileOut,
    ValueOut,
)
from offhook.db import Database, Session
from offhook.teams import AdminActor, CurrentActor, OnceOnly, TeamSession
from offhook.web import Page, PagingQuery, paginate

router = APIRouter(prefix="/api/v1/contacts", tags=["contacts"])
Search = Annotated[str, Query(max_length=80)]


@router.get("")
async def index(
    actor: CurrentActor, session: TeamSession, paging: PagingQuery, q: Search = ""
) -> Page[ContactOut]:
    """Contacts of whom a name, number or value holds `q`, newest first."""
    query = service.listed(actor.team_id, q)
    rows, after = await paginate(session, query, paging, Contact.created_at, Contact.id)
    return Page(items=[ContactOut.of(row) for row in rows], next=after)


@router.post("", status_code=201, response_model=ProfileOut)
async def create(
    wanted: ContactNew, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Make a contact by hand; a number that has one already is refused with its id."""

    async def work() -> ProfileOut:
        written = phone.read(wanted.number, actor.country)
        contact = await numbers.create(session, actor.team_id, written)
        await profile.set_by_hand(
            session,
            actor.team_id,
            contact.id,
            wanted.values,
            set_by=actor.who,
            country=actor.country,
        )
        return await _profile(session, contact)

    return await once(work)


@router.get("/export.csv", response_class=StreamingResponse)
async def export(
    request: Request, actor: AdminActor, session: TeamSession, q: Search = ""
) -> StreamingResponse:
    """The list as CSV: numbers, name, a column for each attribute."""
    return list_of(request, session, actor.team_id, q, exporting.as_csv)


@router.get("/export.json", response_class=StreamingResponse)
async def export_json(
    request: Request, actor: AdminActor, session: TeamSession, q: Search = ""
) -> StreamingResponse:
    """The list as a JSON array: numbers, name, each value with its source."""
    return list_of(request, session, actor.team_id, q, exporting.as_json)


@router.get("/{contact_id}")
async def show(contact_id: str, actor: CurrentActor, session: TeamSession) -> ProfileOut:
    """A contact with numbers, values by source, notes; for a merged one that of the other."""
    return await _profile(session, await service.get(session, actor.team_id, contact_id))


@router.patch("/{contact_id}")
async def change(
    contact_id: str, wanted: ContactChange, actor: CurrentActor, session: TeamSession
) -> ProfileOut:
    """Set values by hand: no machine changes them afterwards."""
    contact = await profile.set_by_hand(
        session,
        actor.team_id,
        contact_id,
        wanted.all(),
        set_by=actor.who,
        country=actor.country,
    )
    return await _profile(session, contact)


@router.post("/{contact_id}/numbers", status_code=201)
async def add_number(
    contact_id: str, wanted: NumberNew, actor: CurrentActor, session: TeamSession
) -> ProfileOut:
    """Give the contact another number; a number of somebody else is refused with their id."""
    written = phone.read(wanted.number, actor.country)
    return await _profile(session, await numbers.add(session, actor.team_id, contact_id, written))


@router.delete("/{contact_id}/numbers/{e164}")
async def remove_number(
    contact_id: str, e164: str, actor: CurrentActor, session: TeamSession
) -> ProfileOut:
    """Take a number away; the last one stays."""
    return await _profile(session, await numbers.remove(session, actor.team_id, contact_id, e164))


@router.put("/{contact_id}/blocked")
async def block(
    contact_id: str, wanted: Blocked, actor: CurrentActor, session: TeamSession
) -> ProfileOut:
    """Block or unblock all of the contact's numbers: calls are rejected, texts kept unanswered."""
    await screening.block_contact(session, actor.team_id, contact_id, wanted.blocked, by=actor.who)
    return await _profile(session, await service.get(session, actor.team_id, contact_id))


@router.post("/{contact_id}/notes", status_code=201, response_model=NoteOut)
async def add_note(
    contact_id: str, wanted: NoteNew, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Write a note; the team and its agents see it."""

    async def work() -> NoteOut:
        return NoteOut.of(
            await profile.note(
                session, actor.team_id, contact_id, wanted.text, written_by=actor.email
            )
        )

    return await once(work)


@router.delete("/{contact_id}/notes/{note_id}", status_code=204)
async def remove_note(
    contact_id: str, note_id: str, actor: CurrentActor, session: TeamSession
) -> None:
    """Delete a note."""
    await profile.remove_note(session, actor.team_id, contact_id, note_id)


@router.post("/{contact_id}/merge")
async def merge(
    contact_id: str, wanted: Merge, actor: CurrentActor, session: TeamSession
) -> ProfileOut:
    """Make another contact a part of this one, with all conversations. Opt-outs stay with their
    pair of numbers, blocks with their number.
    """
    contact = await merging.merge(session, actor.team_id, contact_id, wanted.other_id)
    return await _profile(session, contact)


@router.get("/{contact_id}/export", response_class=Response)
async def export_one(contact_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """Everything kept about a contact as JSON, with all their conversations."""
    return await json_of(session, actor.team_id, contact_id)


@router.post("/{contact_id}/erase")
async def erase(
    contact_id: str, wanted: Erase, actor: AdminActor, session: TeamSession
) -> ErasureOut:
    """Erase a contact with all their conversations; the receipt. Cannot be undone."""
    return ErasureOut.of(
        await erasing.erase(
            session,
            actor.team_id,
            contact_id,
            confirm=wanted.confirm,
            country=actor.country,
            by=actor.who,
        )
    )


def list_of(
    request: Request,
    session: Session,
    team_id: str,
    query: str,
    written: Callable[[Database, str, str], AsyncIterator[str]],
) -> StreamingResponse:
    """The list as a download; that it was taken is recorded (SEC21)."""
    audit.record(session, team_id, "exported", "contacts", "")
    kind = "csv" if written is exporting.as_csv else "json"
    return StreamingResponse(
        written(request.app.state.database, team_id, query),
        media_type="text/csv" if kind == "csv" else "application/json",
        headers=attached(f"contacts.{kind}"),
    )


async def json_of(session: Session, team_id: str, contact_id: str) -> Response:
    """One contact whole as a download; that it was taken is recorded (SEC21)."""
    content = await exporting.whole(session, team_id, contact_id)
    audit.record(session, team_id, "exported", "contact", contact_id)
    return Response(content, media_type="application/json", headers=attached(f"{contact_id}.json"))


def attached(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }


async def _profile(session: Session, contact: Contact) -> ProfileOut:
    await session.flush()
    team_id = contact.team_id
    held = await service.numbers_of(session, team_id, contact.id)
    blocked = await screening.blocked_among(session, team_id, [each.canonical for each in held])
    values = await profile.values_of(session, team_id, contact.id)
    notes = await profile.notes_of(session, team_id, contact.id)
    person = await person_of(session, contact)
    return ProfileOut(
        **ContactOut.of(contact).model_dump(),
        numbers=[NumberOut.of(each, blocked) for each in held],
        values={key: ValueOut.of(value) for key, value in sorted(values.items())},
        notes=[NoteOut.of(each) for each in notes],
        merged=list(person.contact_ids[1:]),
    )
