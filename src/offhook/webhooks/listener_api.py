"""REST of listeners, for `offhook listen`: long polls, so that no address has to be public."""

import asyncio
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from offhook.db import Database
from offhook.teams import AdminActor, TeamSession
from offhook.web import shapes
from offhook.webhooks import endpoints, listening, rules
from offhook.webhooks.api import EndpointMade, Events, of_row
from offhook.webhooks.endpoints import Wish
from offhook.webhooks.listening import Result
from offhook.webhooks.web import CurrentVault

router = APIRouter(prefix="/api/v1/webhooks/listeners", tags=["webhooks"])
POLL_S = 0.3
MOST_WAIT_S = 25.0


class ListenerIn(shapes.Exact):
    events: Events = Field(default=[rules.EVERY], max_length=200)
    name: str = Field(default="offhook listen", max_length=80)
    with_text: bool = False


class HandedOut(shapes.Exact):
    delivery_id: str
    lease: str = Field(description="To be named with the result.")
    event: str
    headers: dict[str, str] = Field(description="Signed, to be passed on as they are.")
    body: str = Field(description="The signed bytes, as text.")


class ResultIn(shapes.Exact):
    delivery_id: str = Field(max_length=40)
    lease: str = Field(max_length=40)
    latency_ms: int = Field(ge=0, le=3_600_000)
    headers: dict[str, Annotated[str, Field(max_length=1000)]] = Field(max_length=20)
    status: int | None = Field(ge=100, le=999, description="Null: nobody answered.")
    error: str = Field(default="", max_length=300)
    answer: str = Field(default="", max_length=4096)


@router.post("", status_code=HTTPStatus.CREATED)
async def add_listener(
    body: ListenerIn, actor: AdminActor, session: TeamSession, vault: CurrentVault
) -> EndpointMade:
    """Make an endpoint whose program asks for its deliveries."""
    wish = Wish("", body.events, body.name, body.with_text)
    row, secret = await listening.add(session, vault, actor.team_id, actor.email, wish)
    return EndpointMade(secret=secret, **of_row(row).model_dump())


@router.post("/{endpoint_id}/next")
async def next_deliveries(
    request: Request,
    endpoint_id: str,
    actor: AdminActor,
    vault: CurrentVault,
    wait_s: Annotated[float, Query(ge=0, le=MOST_WAIT_S)] = MOST_WAIT_S,
) -> list[HandedOut]:
    """What is due, as soon as there is something; empty after `wait_s`. Report within a minute."""
    database = cast("Database", request.app.state.database)
    ends = asyncio.get_running_loop().time() + wait_s
    while not await _is_due(database, actor.team_id, endpoint_id):
        if asyncio.get_running_loop().time() >= ends or await request.is_disconnected():
            return []
        await asyncio.sleep(POLL_S)
    handed = await listening.hand_out(database, vault, actor.team_id, endpoint_id)
    return [
        HandedOut(
            delivery_id=each.claimed.hold.id,
            lease=each.claimed.hold.lease,
            event=each.claimed.event,
            headers=each.headers,
            body=each.body.decode(),
        )
        for each in handed
    ]


@router.post("/{endpoint_id}/results", status_code=HTTPStatus.NO_CONTENT)
async def report(
    endpoint_id: str,
    body: Annotated[list[ResultIn], Field(max_length=20)],
    actor: AdminActor,
    session: TeamSession,
) -> Response:
    """Tell what the receiver answered to each; what failed comes again by the schedule."""
    results = [Result(**each.model_dump()) for each in body]
    await listening.report(session, actor.team_id, endpoint_id, results)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.delete("/{endpoint_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_listener(endpoint_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """Stop listening."""
    await endpoints.remove(session, actor.team_id, endpoint_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _is_due(database: Database, team_id: str, endpoint_id: str) -> bool:
    async with database.team(team_id) as session:
        return await listening.is_due(session, team_id, endpoint_id)
