"""Pages of contacts: the list, and one contact. Their conversations are the inbox's: a fragment."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import phone
from offhook.contacts import erasing, exporting, merging, numbers, profile, screening, service
from offhook.contacts.api import json_of, list_of
from offhook.contacts.defining import attributes
from offhook.contacts.models import BlockedNumber, Contact, ContactNumber, Value
from offhook.contacts.rules import COMPANY, EMAIL, NAME, Attribute, Source, Type
from offhook.db import Session
from offhook.phone import E164
from offhook.teams import Actor, AdminActor, CurrentActor, TeamSession
from offhook.web import Paging, paginate, redirect, render

router = APIRouter(include_in_schema=False)
PAGE = 50
FOUND = 8
SHOWN = "shown."
"""Before the key of what a field of the form held when it was shown."""
Text = Annotated[str, Form()]
Search = Annotated[str, Query(max_length=80)]
SOURCES = {
    Source.HAND: "by hand",
    Source.IMPORT: "imported",
    Source.AGENT: "said to an agent",
    Source.CALLER_ID: "caller ID",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A contact in the list."""

    contact: Contact
    numbers: int
    blocked: bool
    company: str
    email: str


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute of a contact's page; `value` None: nothing is known."""

    attribute: Attribute
    value: Value | None

    @property
    def text(self) -> str:
        return self.value.text if self.value else ""

    @property
    def options(self) -> list[tuple[str, str]]:
        """What can be chosen; a value that is no choice any more stays one."""
        choices = [each for each in (*self.attribute.choices, self.text) if each]
        return [("", "Not known"), *((each, each) for each in dict.fromkeys(choices))]


@router.get("/contacts")
async def index(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    q: Search = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> HTMLResponse:
    query = service.listed(actor.team_id, q)
    order = (Contact.created_at, Contact.id)
    rows, after = await paginate(session, query, Paging(PAGE, cursor), *order)
    older = "?" + urlencode({"q": q, "cursor": after}) if after else ""
    lines = await _lines(session, actor.team_id, rows)
    return render(request, "contacts/list.html", lines=lines, q=q, older=older, first=not cursor)


@router.post("/contacts")
async def create(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    number: Text = "",
    name: Text = "",
) -> Response:
    made = await numbers.create(session, actor.team_id, phone.read(number, actor.country))
    if name.strip():
        await profile.set_by_hand(session, actor.team_id, made.id, {NAME: name}, set_by=actor.who)
    return redirect(request, f"/contacts/{made.id}", toast="Added")


@router.get("/contacts/export.csv")
async def export(
    request: Request, actor: AdminActor, session: TeamSession, q: Search = ""
) -> Response:
    return list_of(request, session, actor.team_id, q, exporting.as_csv)


@router.get("/contacts/export.json")
async def export_json(
    request: Request, actor: AdminActor, session: TeamSession, q: Search = ""
) -> Response:
    return list_of(request, session, actor.team_id, q, exporting.as_json)


@router.get("/contacts/{contact_id}")
async def show(
    request: Request, contact_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    contact = await service.get(session, actor.team_id, contact_id)
    if contact.id != contact_id:  # it became a part of this one
        return redirect(request, f"/contacts/{contact.id}")
    return render(request, "contacts/contact.html", **await _context(session, actor, contact))


@router.get("/contacts/{contact_id}/body")
async def body(
    request: Request, contact_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    contact = await service.get(session, actor.team_id, contact_id)
    return render(request, "contacts/body.html", **await _context(session, actor, contact))


@router.get("/contacts/{contact_id}/notes")
async def notes(
    request: Request, contact_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    contact = await service.get(session, actor.team_id, contact_id)
    return render(request, "contacts/notes.html", **await _context(session, actor, contact))


@router.post("/contacts/{contact_id}/name")
async def rename(
    request: Request,
    contact_id: str,
    actor: CurrentActor,
    session: TeamSession,
    name: Text = "",
    back: Text = "",
) -> Response:
    await profile.set_by_hand(session, actor.team_id, contact_id, {NAME: name}, set_by=actor.who)
    inside = back.startswith("/inbox/")  # nobody else's address is followed
    return redirect(request, back if inside else f"/contacts/{contact_id}", toast="Saved")


@router.post("/contacts/{contact_id}/values")
async def save(
    request: Request, contact_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    """What was changed in the form is set by hand; what was left alone keeps its source, and so
    does what an agent has learnt since the form was shown.
    """
    contact = await service.get(session, actor.team_id, contact_id)
    present = await profile.values_of(session, actor.team_id, contact.id)
    form = await request.form()
    keys = [NAME, *(each.key for each in await attributes(session, actor.team_id))]
    changed = {
        key: text
        for key in keys
        if isinstance(text := form.get(key), str)
        and text.strip() != form.get(f"{SHOWN}{key}", _text(present.get(key)))
    }
    await profile.set_by_hand(
        session, actor.team_id, contact.id, changed, set_by=actor.who, country=actor.country
    )
    return redirect(request, f"/contacts/{contact.id}", toast="Saved")


@router.post("/contacts/{contact_id}/numbers")
async def add_number(
    request: Request,
    contact_id: str,
    actor: CurrentActor,
    session: TeamSession,
    number: Text = "",
) -> Response:
    written = phone.read(number, actor.country)
    await numbers.add(session, actor.team_id, contact_id, written)
    return redirect(request, f"/contacts/{contact_id}", toast="Added")


@router.post("/contacts/{contact_id}/numbers/{e164}/remove")
async def remove_number(
    request: Request, contact_id: str, e164: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await numbers.remove(session, actor.team_id, contact_id, e164)
    return redirect(request, f"/contacts/{contact_id}", toast="Removed")


@router.post("/contacts/{contact_id}/numbers/{e164}/{what}")
async def screen_number(
    request: Request,
    contact_id: str,
    e164: str,
    what: str,
    actor: CurrentActor,
    session: TeamSession,
) -> Response:
    number = phone.parse(e164, actor.country)
    if what == "block":
        await screening.block(session, actor.team_id, number, by=actor.who)
    else:
        await screening.unblock(session, actor.team_id, number)
    toast = "Blocked" if what == "block" else "Unblocked"
    return redirect(request, f"/contacts/{contact_id}", toast=toast)


@router.post("/contacts/{contact_id}/notes")
async def add_note(
    request: Request, contact_id: str, actor: CurrentActor, session: TeamSession, text: Text = ""
) -> Response:
    await profile.note(session, actor.team_id, contact_id, text, written_by=actor.email)
    return redirect(request, f"/contacts/{contact_id}", toast="Noted")


@router.post("/contacts/{contact_id}/notes/{note_id}/remove")
async def remove_note(
    request: Request, contact_id: str, note_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await profile.remove_note(session, actor.team_id, contact_id, note_id)
    return redirect(request, f"/contacts/{contact_id}", toast="Removed")


@router.get("/contacts/{contact_id}/others")
async def others(
    request: Request, contact_id: str, actor: CurrentActor, session: TeamSession, q: Search = ""
) -> HTMLResponse:
    """Whom this contact could be merged with, while one types."""
    found: list[Contact] = []
    if q.strip():
        query = service.listed(actor.team_id, q).where(Contact.id != contact_id)
        found = list(await session.scalars(query.order_by(Contact.name, Contact.id).limit(FOUND)))
    return render(request, "contacts/others.html", contact_id=contact_id, found=found, q=q)


@router.post("/contacts/{contact_id}/merge")
async def merge(
    request: Request,
    contact_id: str,
    actor: CurrentActor,
    session: TeamSession,
    other_id: Text = "",
) -> Response:
    kept = await merging.merge(session, actor.team_id, contact_id, other_id)
    return redirect(request, f"/contacts/{kept.id}", toast="Merged")


@router.get("/contacts/{contact_id}/export")
async def export_one(contact_id: str, actor: AdminActor, session: TeamSession) -> Response:
    return await json_of(session, actor.team_id, contact_id)


@router.post("/contacts/{contact_id}/erase")
async def erase(
    request: Request, contact_id: str, actor: AdminActor, session: TeamSession, typed: Text = ""
) -> Response:
    receipt = await erasing.erase(
        session, actor.team_id, contact_id, confirm=typed, country=actor.country, by=actor.who
    )
    return redirect(request, f"/contacts/erased/{receipt.id}", toast="Erased")


def _text(value: Value | None) -> str:
    return value.text if value else ""


async def _lines(session: Session, team_id: str, rows: list[Contact]) -> list[Line]:
    ids = [row.id for row in rows]
    held: dict[str, list[str]] = {each: [] for each in ids}
    found = await session.scalars(
        select(ContactNumber).where(
            ContactNumber.team_id == team_id, ContactNumber.contact_id.in_(ids)
        )
    )
    for number in found:
        held[number.contact_id].append(number.canonical)
    canonical = [each for some in held.values() for each in some]
    blocked = await screening.blocked_among(session, team_id, canonical)
    values = await session.scalars(
        select(Value).where(
            Value.team_id == team_id, Value.contact_id.in_(ids), Value.key.in_((COMPANY, EMAIL))
        )
    )
    known = {(each.contact_id, each.key): each.text for each in values}
    return [
        Line(
            row,
            len(held[row.id]),
            not blocked.isdisjoint(held[row.id]),
            known.get((row.id, COMPANY), ""),
            known.get((row.id, EMAIL), ""),
        )
        for row in rows
    ]


async def _context(session: Session, actor: Actor, contact: Contact) -> dict[str, Any]:
    team_id = actor.team_id
    held = await service.numbers_of(session, team_id, contact.id)
    values = await profile.values_of(session, team_id, contact.id)
    rows = await session.scalars(
        select(BlockedNumber).where(
            BlockedNumber.team_id == team_id,
            BlockedNumber.canonical.in_([each.canonical for each in held]),
        )
    )
    return {
        "contact": contact,
        "title": contact.name or phone.national(E164(contact.e164)),
        "numbers": held,
        "blocked": {each.canonical: each for each in rows},
        "name": values.get(NAME),
        "known": [Known(each, values.get(each.key)) for each in await attributes(session, team_id)],
        "notes": await profile.notes_of(session, team_id, contact.id),
        "sources": SOURCES,
        "types": {Type.EMAIL: "email", Type.DATE: "date", Type.PHONE: "tel"},
        "is_admin": actor.is_admin,
    }
