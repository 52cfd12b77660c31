"""Pages of calls: one call with its transcript and recording, and fragments for other pages.

/calls/{id}                        the page; /calls/{id}/body is what live news load again
/calls/{id}/recording              the audio, by a link of five minutes (SEC16)
/fragments/live-calls              for the head of the Telephony list
/fragments/live-calls/pinned       for the head of the inbox
/fragments/test-panel/{number_id}  a handset that calls and texts a number, for its page
"""

import asyncio
import time
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from offhook import inbox, numbers
from offhook.calls import looks, reading, recordings, service, testing, viewing
from offhook.calls.joining import whispering
from offhook.calls.joining.tickets import Member
from offhook.calls.rules import End
from offhook.carriers import handset_token
from offhook.settings import Settings
from offhook.teams import CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
TEST_CALLER = "+12025550100"  # in the range that is never given to anybody (fictional numbers)


@router.get("/calls/{call_id}")
async def page(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    view = await viewing.view(session, actor.team_id, call_id)
    await inbox.mark_read(session, actor.team_id, view.call.conversation_id, actor.who)
    return render(request, "calls/call.html", view=view, looks=looks)


@router.get("/calls/{call_id}/body")
async def body(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    view = await viewing.view(session, actor.team_id, call_id)
    await inbox.mark_read(session, actor.team_id, view.call.conversation_id, actor.who)
    return render(request, "calls/call.html", block="call", view=view, looks=looks)


@router.post("/calls/{call_id}/end")
async def end(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    """End a live call; the media process does it within the second."""
    await service.request_end(session, actor.team_id, call_id, End.ENDED_BY_PERSON)
    return redirect(request, f"/calls/{call_id}", toast="The call is being ended")


@router.post("/calls/{call_id}/whisper")
async def whisper(
    request: Request,
    call_id: str,
    actor: CurrentActor,
    session: TeamSession,
    text: Annotated[str, Form()] = "",
) -> Response:
    """The page shows it by its live news: loading it anew would end what somebody listens to."""
    member = Member(actor.who, actor.email)
    await whispering.whisper(session, actor.team_id, call_id, member, text)
    if request.headers.get("hx-request") == "true":
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return redirect(request, f"/calls/{call_id}")


@router.post("/calls/{call_id}/test")
async def make_test(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    """To the test, where its answers come in."""
    made = await testing.make_test(session, actor.team_id, call_id, by=actor.who)
    return redirect(request, f"/agents/{made.agent_id}/tests/{made.id}")


@router.get("/calls/{call_id}/recording")
async def recording(
    request: Request,
    call_id: str,
    actor: CurrentActor,
    session: TeamSession,
    expires: Annotated[int, Query()] = 0,
    signature: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The audio as WAV, in ranges where the browser asks for them."""
    asked = recordings.Link(call_id, expires, signature)
    recordings.check(_secret(request), asked, actor.who, now_s=int(time.time()))
    call = await service.get(session, actor.team_id, call_id)
    path = Path(call.recording_path or "")
    if call.recording != "ready" or not await asyncio.to_thread(path.is_file):
        raise recordings.RecordingNotFound(
            "This call has no recording.", remedy="Recording is switched on on the number's page."
        )
    await reading.note_heard(session, actor.team_id, call_id, actor.who)
    return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": "no-store"})


@router.get("/fragments/live-calls")
async def live_calls(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    shown = await viewing.live(session, actor.team_id)
    return render(request, "calls/live.html", calls=shown, looks=looks)


@router.get("/fragments/live-calls/pinned")
async def pinned(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    """Live calls at the head of the inbox, each with its last words."""
    shown = await viewing.live(session, actor.team_id)
    return render(request, "calls/live_pinned.html", calls=shown, looks=looks)


@router.get("/fragments/test-panel/{number_id}")
async def test_panel(
    request: Request, number_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """A handset on the simulated network; with a real carrier, the number to dial."""
    number = await numbers.get(session, actor.team_id, number_id)
    settings = cast("Settings", request.app.state.settings)
    handset: dict[str, Any] | None = None
    if number.carrier == "simulator":
        token = handset_token(_secret(request), TEST_CALLER, now_s=int(time.time()))
        handset = {"url": settings.simulator_url, "token": token, "own": TEST_CALLER}
    return render(request, "calls/test_panel.html", number=number, handset=handset)


def _secret(request: Request) -> bytes:
    return cast("bytes", request.app.state.secret)
