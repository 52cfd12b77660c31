"""Pages of the inbox: the list, one person's timeline, and fragments for other pages.

/inbox, /inbox/{id}                     the list beside a conversation; /rows and /body are live
/inbox/acts, /inbox/read, /inbox/export what is done about one or many, and their file
/fragments/last-activity/{number_id}    for the list of numbers

Calls have their own page in calls/, the composer is served by messages/: both are above this room
and are reached by their addresses.
"""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from offhook.db import Session
from offhook.inbox import acts, exporting, handling, reading, service, view
from offhook.inbox.acts import Act, Wish
from offhook.inbox.models import Conversation
from offhook.inbox.view import Text, WantedQuery
from offhook.teams import Actor, CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)


@router.get("/inbox")
async def index(
    request: Request, actor: CurrentActor, session: TeamSession, wanted: WantedQuery
) -> HTMLResponse:
    context = await view.of_list(session, actor, wanted, first_look=True)
    context |= await view.of_filters(session, actor, wanted)
    return render(request, "inbox/inbox.html", chosen=None, pane="", **context)


@router.get("/inbox/rows")
async def rows(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    wanted: WantedQuery,
    chosen: Text = "",
) -> HTMLResponse:
    context = await view.of_list(session, actor, wanted)
    return render(request, "inbox/rows.html", chosen_id=chosen, **context)


@router.get("/inbox/export")
async def export(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    wanted: WantedQuery,
    format: exporting.Format = exporting.Format.CSV,  # noqa: A002 - the parameter's name in the address
) -> StreamingResponse:
    asked = wanted.filter(actor)
    return await exporting.download(request, session, actor, asked, format)


@router.get("/inbox/{conversation_id}")
async def show(
    request: Request,
    conversation_id: str,
    actor: CurrentActor,
    session: TeamSession,
    wanted: WantedQuery,
    pane: Text = "",
) -> HTMLResponse:
    """`pane=contact` shows the contact where there is room for one pane only."""
    chosen = await _read(session, actor, conversation_id)
    context = await view.of_list(session, actor, wanted, first_look=True)
    context |= await view.of_filters(session, actor, wanted)
    told = await view.of_conversation(session, actor, chosen, wanted)
    return render(request, "inbox/inbox.html", chosen=chosen, pane=pane, **(context | told))


@router.get("/inbox/{conversation_id}/body")
async def body(
    request: Request,
    conversation_id: str,
    actor: CurrentActor,
    session: TeamSession,
    wanted: WantedQuery,
) -> HTMLResponse:
    """The state of the pane, whole: the page puts it in place of what it shows (CM8)."""
    chosen = await _read(session, actor, conversation_id)
    told = await view.of_conversation(session, actor, chosen, wanted)
    return render(request, "inbox/body.html", chosen=chosen, **told)


@router.get("/inbox/{conversation_id}/contact")
async def contact(
    request: Request,
    conversation_id: str,
    actor: CurrentActor,
    session: TeamSession,
    wanted: WantedQuery,
) -> HTMLResponse:
    chosen = await service.get(session, actor.team_id, conversation_id)
    told = await view.of_conversation(session, actor, chosen, wanted)
    return render(request, "inbox/contact.html", chosen=chosen, **told)


@router.post("/inbox/acts")
async def act(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    act: Annotated[Act, Form()],
    ids: Annotated[list[str], Form()],
    value: Annotated[str, Form(max_length=400)] = "",
    back: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """What a button or a key does, about one or many. One that is refused says why."""
    if act is Act.SNOOZE:
        value = _in_zone(value, actor.timezone)
    wish = Wish(actor.team_id, actor.who, act, value)
    if len(ids) == 1:
        await acts.one(session, ids[0], wish)
        return _done(request, acts.DONE[act], back or f"/inbox/{ids[0]}")
    result = await acts.many(session, ids, wish)
    told = f"{acts.DONE[act]}: {len(result.done)}"
    if result.refused:
        told += f". {len(result.refused)} left: {result.refused[0].problem.sentence}"
    return _done(request, told, back or "/inbox")


@router.post("/inbox/read")
async def read_all(request: Request, actor: CurrentActor, session: TeamSession) -> Response:
    await handling.mark_all_read(session, actor.team_id, actor.who)
    return _done(request, "All marked as read", "/inbox")


@router.get("/fragments/last-activity/{number_id}")
async def last_activity(
    request: Request, number_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    moment = await reading.last_activity(session, actor.team_id, number_id)
    return render(request, "inbox/last_activity.html", moment=moment)


def _done(request: Request, told: str, back: str) -> Response:
    """The page stays and loads again what it shows; without scripts it is opened anew."""
    if request.headers.get("hx-request") == "true":
        news = json.dumps({"toast": told, "inbox:changed": True})
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": news})
    inside = back.startswith("/inbox")  # nobody else's address is followed
    return redirect(request, back if inside else "/inbox", toast=told)


def _in_zone(value: str, zone: str) -> str:
    """The time of a field of a page, which has no zone, in the team's."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (
        (at.replace(tzinfo=ZoneInfo(zone)) if at.tzinfo is None else at).astimezone(UTC).isoformat()
    )


async def _read(session: Session, actor: Actor, conversation_id: str) -> Conversation:
    conversation = await service.get(session, actor.team_id, conversation_id)
    await handling.mark_read(session, actor.team_id, conversation_id, actor.who)
    return conversation
