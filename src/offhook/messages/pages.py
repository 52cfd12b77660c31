"""The composer that the inbox shows under a thread: who answers, and answering by hand (S7)."""

import json
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import inbox, numbers, teams
from offhook.carriers import account
from offhook.db import Session
from offhook.messages import optouts, taking_over
from offhook.messages.rules import NOT_SENT, Why
from offhook.messages.segments import MAX_CHARACTERS, not_gsm, size
from offhook.messages.sending import send_by_hand
from offhook.settings import Settings
from offhook.teams import Actor, CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)


@router.get("/fragments/composer/{conversation_id}")
async def composer(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """A field to write in, or why nothing can be sent here."""
    context = await _answering(session, actor, conversation_id)
    return render(request, "messages/composer.html", most=MAX_CHARACTERS, **context)


@router.get("/fragments/answering/{conversation_id}")
async def answering(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """The composer's live line, without the field in which somebody may be writing."""
    context = await _answering(session, actor, conversation_id)
    return render(request, "messages/answering.html", **context)


@router.post("/fragments/size")
async def measure(
    request: Request, _: CurrentActor, body: Annotated[str, Form(max_length=20_000)] = ""
) -> HTMLResponse:
    """How many messages the carrier makes of a text that is being written (S5)."""
    text = body.strip()
    return render(request, "messages/size.html", text=text, size=size(text), letters=not_gsm(text))


@router.post("/inbox/{conversation_id}/take-over")
async def take_over(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await taking_over.take_over(session, actor.team_id, conversation_id, actor.who, actor.email)
    return redirect(request, f"/inbox/{conversation_id}", toast="You answer now")


@router.post("/inbox/{conversation_id}/hand-back")
async def hand_back(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await taking_over.hand_back(session, actor.team_id, conversation_id, actor.email)
    return redirect(request, f"/inbox/{conversation_id}", toast="The agent answers again")


@router.post("/inbox/{conversation_id}/send")
async def send(
    request: Request,
    conversation_id: str,
    actor: CurrentActor,
    session: TeamSession,
    body: Annotated[str, Form()] = "",
) -> Response:
    """The page shows it by its live news; without scripts it is opened anew."""
    thread = await inbox.get(session, actor.team_id, conversation_id)
    settings = cast("Settings", request.app.state.settings)
    await send_by_hand(
        session,
        actor.team_id,
        number_id=thread.number_id,
        to=thread.sender,
        body=body,
        country=actor.country,
        account_id=account(settings).sid,
        author=actor.email,
    )
    if request.headers.get("hx-request") == "true":
        news = {"HX-Trigger": json.dumps({"inbox:changed": True, "composer:sent": True})}
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=news)
    return redirect(request, f"/inbox/{conversation_id}")


async def _answering(session: Session, actor: Actor, conversation_id: str) -> dict[str, Any]:
    thread = await inbox.get(session, actor.team_id, conversation_id)
    members = {
        each.user.id: each.user.email for each in await teams.members(session, actor.team_id)
    }
    return {
        "thread": thread,
        "why": await _why_not(session, actor, thread),
        "mine": thread.taken_over_by == actor.who,
        "who": members.get(thread.taken_over_by, "a program"),
    }


async def _why_not(session: Session, actor: Actor, thread: inbox.Conversation) -> str:
    """Why nothing can be sent here, as a sentence; "" where it can."""
    if not thread.sender.startswith("+") or thread.contact_id is None:
        return "This sender takes no replies."
    number = await numbers.get(session, actor.team_id, thread.number_id)
    answer = await numbers.answering(session, actor.team_id, thread.number_id, numbers.Service.SMS)
    if not isinstance(answer, numbers.Answerer):
        reason = Why(answer.reason) if answer is not None else Why.DISABLED
        return NOT_SENT[reason].removeprefix("Not sent: ").capitalize() + "."
    stopped = await optouts.is_opted_out(
        session, actor.team_id, ours=number.e164, remote=thread.sender
    )
    return "They have opted out of texts from this number." if stopped else ""
