"""REST of joining a live call (I5): a WebSocket to listen or to talk in the agent's place, and
whispers to the agent.
"""

from datetime import datetime
from http import HTTPStatus
from typing import cast

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from offhook import inbox
from offhook.calls.asked import secret_of
from offhook.calls.joining import service, whispering
from offhook.calls.joining.tickets import TICKET_S, Member
from offhook.settings import Settings
from offhook.teams import Actor, CurrentActor, OnceOnly, TeamSession
from offhook.web import shapes

router = APIRouter(prefix="/api/v1/calls", tags=["calls"])


class LineOut(BaseModel):
    """A WebSocket of one live call.

    It sends 50 binary messages a second: 20 ms of both sides at 8 kHz, 320 bytes, one of the
    caller's mu-law and one of the agent's in turn; and `{"type": "taken", "by": "…"}` when somebody
    takes the call over or, with `""`, hands it back. Tell it once a second how many binary messages
    have come, `{"type": "heard", "frames": 250}`: whoever is more than two seconds behind misses
    audio. It closes with code 1000 when the call is over.

    Whoever took the call over sends their voice as binary messages of 160 bytes, 20 ms each, and
    `{"type": "hand_back"}` to let the agent go on. After five seconds without a connection it goes
    on by itself.
    """

    url: str = Field(description="Good for one call and this member or key.")
    expires_in_s: int = Field(description="Connect within so many seconds.")


@router.post("/{call_id}/listen")
async def listen(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> LineOut:
    """Listen in on a live call; noted in the audit log."""
    return await _line(request, session, actor, call_id, talks=False)


@router.post("/{call_id}/take-over")
async def take_over(
    request: Request, call_id: str, actor: CurrentActor, session: TeamSession
) -> LineOut:
    """Talk with the caller in the agent's place, from the moment that the socket is open."""
    return await _line(request, session, actor, call_id, talks=True)


class WhisperIn(shapes.Exact):
    text: str = Field(
        min_length=1,
        max_length=whispering.MAX_CHARACTERS,
        description="What the agent should know or do.",
        examples=["Offer them Saturday at ten, we have room then."],
    )


class WhisperOut(BaseModel):
    """A line of the transcript that the agent alone was told."""

    sequence: int
    text: str
    by: str
    at: datetime

    @classmethod
    def of(cls, turn: inbox.Turn) -> "WhisperOut":
        return cls(sequence=turn.sequence, text=turn.text, by=turn.author, at=turn.started_at)


@router.post("/{call_id}/whisper", status_code=HTTPStatus.CREATED, response_model=WhisperOut)
async def whisper(
    call_id: str, body: WhisperIn, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Tell the agent of a live call something that the caller does not hear; it is taken into
    account from the agent's next reply on, shown in the transcript, and noted in the audit log.
    """

    async def work() -> WhisperOut:
        member = Member(actor.who, actor.email)
        turn = await whispering.whisper(session, actor.team_id, call_id, member, body.text)
        return WhisperOut.of(turn)

    return await once(work)


async def _line(
    request: Request, session: TeamSession, actor: Actor, call_id: str, *, talks: bool
) -> LineOut:
    member = Member(actor.who, actor.email)
    ticket = await service.ticket(session, actor.team_id, call_id, member, talks=talks)
    settings = cast("Settings", request.app.state.settings)
    base = settings.web_url.replace("http", "ws", 1)
    query = ticket.query(secret_of(request))
    return LineOut(url=f"{base}/calls/{call_id}/line?{query}", expires_in_s=TICKET_S)
