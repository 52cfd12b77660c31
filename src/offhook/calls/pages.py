"""Pages of calls: one call with its transcript and recording, and fragments for other pages.

/calls/{id}                        the page; /calls/{id}/body is what live news load again
/calls/{id}/recording              the audio, by a link of five minutes (SEC16)
/fragments/live-calls              for the head of the Telephony list
/fragments/test-panel/{number_id}  a handset that calls and texts a number, for its page
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from offhook import agents, contacts, inbox, numbers, tasks, usage
from offhook.calls import reading, recordings, service
from offhook.calls.admission import LIVE_STATES
from offhook.calls.models import Call
from offhook.calls.reading import Outcome
from offhook.calls.rules import End
from offhook.calls.transfers import legs
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers.models import Transfer
from offhook.carriers import handset_token
from offhook.db import Session
from offhook.prices import Money
from offhook.settings import Settings
from offhook.teams import CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
TEST_CALLER = "+12025550100"  # in the range that is never given to anybody (fictional numbers)


@dataclass(frozen=True, slots=True)
class View:
    """Everything that a call's page shows."""

    call: Call
    outcome: Outcome
    duration: timedelta
    agent: agents.Snapshot | None
    number: numbers.Number
    contact: contacts.Contact | None
    entries: list[tuple[inbox.Entry, int | None]]
    cost: "usage.CallCost | None"
    recording_url: str
    transfers: list[tuple[Transfer, str, bool, Money | None]]
    """Each with what became of it, whether that is well, and what its second leg cost."""

    @property
    def is_live(self) -> bool:
        return self.call.state in LIVE_STATES


async def _view(request: Request, session: Session, actor: CurrentActor, call_id: str) -> View:
    call = await service.get(session, actor.team_id, call_id)
    turns = await inbox.turns_of(session, actor.team_id, call.conversation_id)
    runs = await tasks.runs_of(session, actor.team_id, [call.conversation_id])
    contact = None
    if call.contact_id:
        contact = await contacts.get(session, actor.team_id, call.contact_id)
    url = ""
    if call.recording == "ready":
        url = recordings.link(_secret(request), call.id, actor.who, now_s=int(time.time())).url
    return View(
        call=call,
        outcome=reading.outcome(call),
        duration=reading.duration(call),
        agent=agents.from_json(call.agent) if call.agent else None,
        number=await numbers.get(session, actor.team_id, call.number_id),
        contact=contact,
        entries=[
            (each, reading.seek_ms(each.at, call)) for each in inbox.spoken_and_done(turns, runs)
        ],
        cost=await usage.cost_of_call(session, actor.team_id, call.id),
        recording_url=url,
        transfers=[
            (each, *transfers.told(each), legs.charge(each))
            for each in await transfers.of_call(session, actor.team_id, call.id)
        ],
    )


@router.get("/calls/{call_id}")
async def page(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    view = await _view(request, session, actor, call_id)
    await inbox.mark_read(session, actor.team_id, view.call.conversation_id, actor.who)
    return render(request, "calls/call.html", view=view)


@router.get("/calls/{call_id}/body")
async def body(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    view = await _view(request, session, actor, call_id)
    return render(request, "calls/call.html", block="call", view=view)


@router.post("/calls/{call_id}/end")
async def end(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    """End a live call; the media process does it within the second."""
    await service.request_end(session, actor.team_id, call_id, End.ENDED_BY_PERSON)
    return redirect(request, f"/calls/{call_id}", toast="The call is being ended")


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
    rows = await reading.live(session, actor.team_id)
    by_id = await contacts.of(session, actor.team_id, [call.contact_id for call in rows])
    shown = [(call, by_id.get(call.contact_id or "")) for call in rows]
    return render(request, "calls/live.html", calls=shown)


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
