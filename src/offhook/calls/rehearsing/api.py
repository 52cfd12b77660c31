"""REST of rehearsals: a WebSocket to talk to an agent's draft."""

import time
from urllib.parse import urlencode

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request

from offhook import agents
from offhook.calls.asked import secret_of, settings_of
from offhook.calls.rehearsing.tickets import TICKET_S, Ticket
from offhook.db import new_id
from offhook.teams import CurrentActor, Role, TeamSession, require
from offhook.web import shapes

router = APIRouter(prefix="/api/v1/agents", tags=["agents"])


class RehearsalIn(shapes.Exact):
    real: bool = Field(
        default=False, description="Do confirmed tasks really; otherwise they are only shown."
    )


class RehearsalOut(BaseModel):
    """A WebSocket for one rehearsal.

    Audio goes both ways as in Twilio's Media Streams, 20 ms of mu-law at 8 kHz in each
    `{"event": "media", "media": {"payload": BASE64}}`; a `mark` that comes is to be sent back once
    the audio before it has sounded, and all at once on `clear`, which drops what has not. Beside
    them come `words` (what is being said), `turn`, `task` and `notice`. Nothing is stored.
    """

    url: str = Field(description="Good for one rehearsal.")
    expires_in_s: int = Field(description="Connect within so many seconds.")


@router.post("/{agent_id}/rehearsals", summary="Talk to the draft")
async def begin(
    request: Request, agent_id: str, body: RehearsalIn, actor: CurrentActor, session: TeamSession
) -> RehearsalOut:
    """A line to the agent's draft; it touches no contact, no conversation and no usage."""
    if body.real:
        require(Role.ADMIN)(actor)
    agent = await agents.get(session, actor.team_id, agent_id)
    ticket = Ticket(
        id=new_id("reh"),
        team_id=actor.team_id,
        agent_id=agent.id,
        timezone=actor.timezone,
        country=actor.country,
        real=body.real,
        expires_s=int(time.time()) + TICKET_S,
    )
    base = settings_of(request).web_url.replace("http", "ws", 1)
    query = urlencode(ticket.fields(secret_of(request)))
    return RehearsalOut(url=f"{base}/agents/{agent.id}/line?{query}", expires_in_s=TICKET_S)
