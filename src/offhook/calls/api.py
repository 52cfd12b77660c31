"""Calls over REST: list, read, end, listen."""

import time
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from offhook import agents, inbox
from offhook.calls import reading, recordings, service, testing, viewing
from offhook.calls.models import Call
from offhook.calls.rules import CallState, End
from offhook.carriers import AnsweredBy
from offhook.db import Session
from offhook.prices import Direction
from offhook.teams import CurrentActor, OnceOnly, TeamSession
from offhook.web import Page, PagingQuery, paginate

router = APIRouter(prefix="/api/v1/calls", tags=["calls"])


class CallOut(BaseModel):
    """One call. `caller` is the other side: whoever rang, or whom we called. `duration_s` is 0
    while it lives and for a call that was not answered.
    """

    id: str
    conversation_id: str
    number_id: str
    contact_id: str | None
    caller: str
    direction: Direction
    state: CallState
    reason: str | None
    outcome: str
    answered_at: datetime
    ended_at: datetime | None
    duration_s: int
    recording: str | None
    taken_by: str | None = Field(description="The member who talks in the agent's place.")
    answered_by: AnsweredBy | None = Field(
        description="Who or what took a call that we started, by the carrier's ear; null until it "
        "is known, and for calls that came in."
    )

    @classmethod
    def of(cls, call: Call, answered_by: AnsweredBy | None = None) -> "CallOut":
        return cls(
            id=call.id,
            conversation_id=call.conversation_id,
            number_id=call.number_id,
            contact_id=call.contact_id,
            caller=call.caller,
            direction=call.direction,
            state=call.state,
            reason=call.reason,
            outcome=reading.outcome(call).sentence,
            answered_at=call.answered_at,
            ended_at=call.ended_at,
            duration_s=round(reading.duration(call).total_seconds()),
            recording=call.recording,
            taken_by=call.taken_name or None,
            answered_by=answered_by,
        )


class TurnOut(BaseModel):
    """One turn of a call's transcript. `author`: who of the team said it; `seek_ms`: its place in
    the recording.
    """

    sequence: int
    speaker: str
    author: str
    text: str
    started_at: datetime
    ended_at: datetime | None
    status: str
    seek_ms: int | None


class Transcript(BaseModel):
    turns: list[TurnOut]


class StretchOut(BaseModel):
    """A stretch of a recording."""

    start_ms: int
    end_ms: int


class WaveformOut(BaseModel):
    """How the recording looks."""

    length_ms: int
    caller: list[float] = Field(
        description="The loudest sample of each of as many equal stretches, 0 to 1."
    )
    agent: list[float]
    silences: list[StretchOut] = Field(
        description="Where neither side speaks for a second or longer."
    )


class RecordingOut(BaseModel):
    """`url` plays for five minutes, for who asked: the person signed in, or the same key."""

    url: str
    length_ms: int


@router.get("")
async def index(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    number_id: Annotated[str, Query(max_length=40)] = "",
    live: bool | None = None,
) -> Page[CallOut]:
    """Calls, newest first."""
    statement = reading.listed(actor.team_id, number_id=number_id, live=live)
    rows, after = await paginate(session, statement, paging, Call.answered_at, Call.id)
    return Page(items=await _shown(session, actor.team_id, rows), next=after)


@router.get("/{call_id}")
async def show(call_id: str, actor: CurrentActor, session: TeamSession) -> CallOut:
    call = await service.get(session, actor.team_id, call_id)
    return (await _shown(session, actor.team_id, [call]))[0]


@router.get("/{call_id}/transcript")
async def transcript(call_id: str, actor: CurrentActor, session: TeamSession) -> Transcript:
    call = await service.get(session, actor.team_id, call_id)
    turns = await inbox.turns_of(session, actor.team_id, call.conversation_id)
    return Transcript(
        turns=[
            TurnOut(
                sequence=turn.sequence,
                speaker=turn.speaker,
                author=turn.author,
                text=turn.text,
                started_at=turn.started_at,
                ended_at=turn.ended_at,
                status=turn.status,
                seek_ms=reading.seek_ms(turn.started_at, call),
            )
            for turn in turns
        ]
    )


@router.post("/{call_id}/end")
async def end(call_id: str, actor: CurrentActor, session: TeamSession) -> CallOut:
    """End a live call; one that has ended stays as it is."""
    call = await service.request_end(session, actor.team_id, call_id, End.ENDED_BY_PERSON)
    return (await _shown(session, actor.team_id, [call]))[0]


@router.post(
    "/{call_id}/test",
    status_code=HTTPStatus.CREATED,
    response_model=agents.TestOut,
    summary="Make a test of a call",
)
async def make_test(
    call_id: str, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Keep what was said as a test of the call's agent, and hold it with the draft. A call that has
    a test is held again.
    """

    async def work() -> agents.TestOut:
        made = await testing.make_test(session, actor.team_id, call_id, by=actor.who)
        return agents.TestOut.of(made)

    return await once(work)


@router.get("/{call_id}/recording")
async def recording(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> RecordingOut:
    call = await service.get(session, actor.team_id, call_id)
    if call.recording != "ready":
        raise recordings.RecordingNotFound(
            "This call has no recording.", remedy="Wait for the event recording.ready."
        )
    secret = cast("bytes", request.app.state.secret)
    link = recordings.link(secret, call.id, actor.who, now_s=int(time.time()))
    return RecordingOut(url=link.url, length_ms=call.recording_ms or 0)


@router.get("/{call_id}/waveform")
async def waveform(call_id: str, actor: CurrentActor, session: TeamSession) -> WaveformOut:
    drawn = await viewing.drawing(session, actor.team_id, call_id)
    silences = [StretchOut(start_ms=start, end_ms=end) for start, end in drawn.silences]
    return WaveformOut(
        length_ms=drawn.length_ms, caller=drawn.caller, agent=drawn.agent, silences=silences
    )


async def _shown(session: Session, team_id: str, rows: Sequence[Call]) -> list[CallOut]:
    heard = await reading.answered_by(session, team_id, rows)
    return [CallOut.of(call, heard.get(call.id)) for call in rows]
