"""The composer that the inbox shows under a thread: answering by hand."""

from typing import Annotated, cast

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import inbox, numbers
from offhook.carriers import account
from offhook.messages import optouts
from offhook.messages.rules import NOT_SENT, Why
from offhook.messages.segments import MAX_CHARACTERS
from offhook.messages.sending import send_by_hand
from offhook.settings import Settings
from offhook.teams import CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)


@router.get("/fragments/composer/{conversation_id}")
async def composer(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """A field to write in, or why nothing can be sent here."""
    thread = await inbox.get(session, actor.team_id, conversation_id)
    why = ""
    if not thread.sender.startswith("+") or thread.contact_id is None:
        why = "This sender takes no replies."
    else:
        number = await numbers.get(session, actor.team_id, thread.number_id)
        answer = await numbers.answering(
            session, actor.team_id, thread.number_id, numbers.Service.SMS
        )
        if not isinstance(answer, numbers.Answerer):
            reason = Why(answer.reason) if answer is not None else Why.DISABLED
            why = NOT_SENT[reason].removeprefix("Not sent: ").capitalize() + "."
        elif await optouts.is_opted_out(
            session, actor.team_id, ours=number.e164, remote=thread.sender
        ):
            why = "They have opted out of texts from this number."
    return render(request, "messages/composer.html", thread=thread, why=why, most=MAX_CHARACTERS)


@router.post("/inbox/{conversation_id}/send")
async def send(
    request: Request,
    conversation_id: str,
    actor: CurrentActor,
    session: TeamSession,
    body: Annotated[str, Form()] = "",
) -> Response:
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
    )
    return redirect(request, f"/inbox/{conversation_id}")
