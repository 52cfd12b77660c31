"""Pages of the inbox: the list, one person's timeline, and fragments for other pages.

/inbox, /inbox/{id}                     the list beside a conversation; /rows and /body are live
/fragments/last-activity/{number_id}    for the list of numbers

Calls have their own page in calls/, the composer is served by messages/: both are above this room
and are reached by their addresses.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import contacts, numbers, tasks
from offhook.db import Session
from offhook.inbox import looks, reading, service
from offhook.inbox.models import Channel, Conversation, State
from offhook.inbox.reading import Filter
from offhook.teams import Actor, CurrentActor, TeamSession
from offhook.web import Paging, paginate, redirect, render

router = APIRouter(include_in_schema=False)
PAGE = 40
MAX_LIVE = 20
PARAMETERS = (
    "channel", "number", "state", "contact", "unread", "person", "q", "label", "cursor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters as they stand in the address."""

    channel: str = ""
    number: str = ""
    state: str = ""
    contact: str = ""
    unread: str = ""
    person: str = ""
    q: str = ""
    label: str = ""
    cursor: str = ""

    def filter(self) -> Filter:
        """What cannot be read is no filter: an old address still shows the inbox."""
        return Filter(
            channel=Channel(self.channel) if self.channel in set(Channel) else None,
            number_id=self.number,
            contact_id=self.contact,
            state=State(self.state) if self.state in set(State) else None,
            unread=True if self.unread else None,
            person_needed=True if self.person else None,
            words=self.q,
            label=self.label,
        )

    def address(self, **changes: str) -> str:
        """The query that says the same, `?` and all; "" without a filter."""
        values = {
            name: value for name in PARAMETERS if (value := changes.get(name, getattr(self, name)))
        }
        return f"?{urlencode(values)}" if values else ""

    @property
    def filtered(self) -> bool:
        return bool(replace(self, cursor="").address())


Text = Annotated[str, Query(max_length=200)]


def _wanted(
    channel: Text = "",
    number: Text = "",
    state: Text = "",
    contact: Text = "",
    unread: Text = "",
    person: Text = "",
    q: Text = "",
    label: Text = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Wanted:
    return Wanted(channel, number, state, contact, unread, person, q, label, cursor)


WantedQuery = Annotated[Wanted, Depends(_wanted)]


@router.get("/inbox")
async def index(
    request: Request, actor: CurrentActor, session: TeamSession, wanted: WantedQuery
) -> HTMLResponse:
    context = await _list(session, actor, wanted)
    return render(request, "inbox/inbox.html", chosen=None, **context)


@router.get("/inbox/rows")
async def rows(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    wanted: WantedQuery,
    chosen: Text = "",
) -> HTMLResponse:
    context = await _list(session, actor, wanted)
    return render(request, "inbox/rows.html", chosen_id=chosen, **context)


@router.get("/inbox/{conversation_id}")
async def show(
    request: Request,
    conversation_id: str,
    actor: CurrentActor,
    session: TeamSession,
    wanted: WantedQuery,
) -> HTMLResponse:
    chosen = await _read(session, actor, conversation_id)
    context = await _list(session, actor, wanted)
    told = await _told(session, actor, chosen)
    return render(request, "inbox/inbox.html", chosen=chosen, **(context | told))


@router.get("/inbox/{conversation_id}/body")
async def body(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """The state of the pane, whole: the page puts it in place of what it shows (CM8)."""
    chosen = await _read(session, actor, conversation_id)
    told = await _told(session, actor, chosen)
    return render(request, "inbox/body.html", chosen=chosen, **told)


@router.post("/inbox/{conversation_id}/close")
async def close(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await service.close_by_hand(session, actor.team_id, conversation_id)
    return redirect(request, f"/inbox/{conversation_id}", toast="Closed")


@router.post("/inbox/{conversation_id}/labels/remove")
async def remove_label(
    request: Request,
    conversation_id: str,
    actor: CurrentActor,
    session: TeamSession,
    label: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    await service.remove_label(session, actor.team_id, conversation_id, label)
    return redirect(request, f"/inbox/{conversation_id}", toast="Removed")


@router.post("/inbox/{conversation_id}/seen-to")
async def seen_to(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await service.seen_to(session, actor.team_id, conversation_id)
    return redirect(request, f"/inbox/{conversation_id}", toast="Done")


@router.get("/fragments/last-activity/{number_id}")
async def last_activity(
    request: Request, number_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    moment = await reading.last_activity(session, actor.team_id, number_id)
    return render(request, "inbox/last_activity.html", moment=moment)


async def _read(session: Session, actor: Actor, conversation_id: str) -> Conversation:
    conversation = await service.get(session, actor.team_id, conversation_id)
    await service.mark_read(session, actor.team_id, conversation_id)
    return conversation


async def _list(session: Session, actor: Actor, wanted: Wanted) -> dict[str, Any]:
    """The list with live calls on top, and the words for it."""
    asked = wanted.filter()
    paging = Paging(PAGE, wanted.cursor)
    query = reading.listed(actor.team_id, asked)
    live: list[Conversation] = []
    if asked.state is None:
        query = query.where(Conversation.state != State.LIVE)
        if not wanted.cursor:
            going_on = reading.listed(actor.team_id, replace(asked, state=State.LIVE))
            newest = going_on.order_by(Conversation.opened_at.desc()).limit(MAX_LIVE)
            live = list(await session.scalars(newest))
    order = (Conversation.last_activity_at, Conversation.id)
    found, after = await paginate(session, query, paging, *order)
    shown = [*live, *found]
    known = await contacts.of(session, actor.team_id, [each.contact_id for each in shown])
    return {
        "conversations": [
            (each, looks.title(each, known.get(each.contact_id or ""))) for each in shown
        ],
        "numbers": await _numbers(session, actor.team_id),
        "labels": await reading.labels(session, actor.team_id),
        "wanted": wanted,
        "older": f"/inbox{wanted.address(cursor=after)}" if after else "",
        "newest": f"/inbox{replace(wanted, cursor='').address()}" if wanted.cursor else "",
        "states": looks.STATES,
        "reason": looks.reason,
    }


async def _told(session: Session, actor: Actor, chosen: Conversation) -> dict[str, Any]:
    told = await reading.timeline(session, actor.team_id, chosen)
    contact = None
    if chosen.contact_id:
        contact = await contacts.get(session, actor.team_id, chosen.contact_id)
    held = await _numbers(session, actor.team_id)
    return {
        "entries": looks.timeline(told, ZoneInfo(actor.timezone)),
        "contact": contact,
        "title": looks.title(chosen, contact),
        "topics": " ".join(["inbox", *(topic for each in told for topic in _topics(each))]),
        "number": held.get(chosen.number_id),
        "calls": sum(each.conversation.channel is Channel.CALL for each in told),
        "texts": sum(len(each.turns) for each in told if each.conversation.channel is Channel.SMS),
        "states": looks.STATES,
        "status": looks.status,
        "reason": looks.reason,
        "talked": looks.talked,
    }


def _topics(told: reading.Told) -> tuple[str, str]:
    conversation_id = told.conversation.id
    return f"conversation:{conversation_id}", tasks.topic(conversation_id)


async def _numbers(session: Session, team_id: str) -> dict[str, numbers.Number]:
    """All numbers that the team holds or held, by id: the inbox outlives them (N10)."""
    found = await session.scalars(
        select(numbers.Number)
        .where(numbers.Number.team_id == team_id, numbers.Number.held_since.is_not(None))
        .order_by(numbers.Number.name, numbers.Number.id)
    )
    return {number.id: number for number in found}
