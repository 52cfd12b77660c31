"""REST of deliveries: what was sent, what came back, and sending it again (W11)."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from offhook.teams import AdminActor, CurrentActor, OnceOnly, TeamSession
from offhook.web import Page, PagingQuery, shapes
from offhook.webhooks import deliveries, replaying
from offhook.webhooks.deliveries import Filter
from offhook.webhooks.models import Delivery
from offhook.webhooks.rules import DeliveryState

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])
Text = Annotated[str, Query(max_length=60)]


class DeliveryOut(BaseModel):
    id: str
    endpoint_id: str
    event_id: str = Field(description="The `webhook-id`, the same for every endpoint and attempt.")
    event: str
    state: DeliveryState = Field(description="`stopped`: the endpoint was switched off meanwhile.")
    attempts: int
    next_at: datetime | None = Field(description="The next attempt, while it is pending.")
    last_status: int | None
    last_error: str
    created_at: datetime
    ended_at: datetime | None


class AttemptOut(BaseModel):
    id: str
    number: int
    at: datetime
    latency_ms: int
    url: str
    headers: dict[str, str] = Field(description="Of the request.")
    status: int | None = Field(description="Of the answer; null: there was none.")
    error: str
    answer: str = Field(description="The beginning of the answer, at most 1 kB.")


class DeliveryDetail(DeliveryOut):
    body: str = Field(description="The bytes that are sent, as text.")
    tried: list[AttemptOut] = Field(description="Every attempt, the newest first.")


class RangeIn(shapes.Exact):
    start: shapes.Instant
    end: shapes.Instant
    delivered_too: bool = Field(
        default=False, description="Also what the endpoint has taken already."
    )


class Replayed(BaseModel):
    count: int = Field(description="How many deliveries begin anew.")


def _out(row: Delivery) -> DeliveryOut:
    return DeliveryOut.model_validate(row, from_attributes=True)


@router.get("/deliveries")
async def list_deliveries(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    *,
    endpoint_id: Text = "",
    state: DeliveryState | None = None,
    event: Text = "",
    event_id: Text = "",
    conversation_id: Text = "",
) -> Page[DeliveryOut]:
    """Deliveries of the last 30 days, the newest first."""
    chosen = Filter(endpoint_id, state, event, event_id, conversation_id)
    rows, following = await deliveries.listed(session, actor.team_id, chosen, paging)
    return Page(items=[_out(row) for row in rows], next=following)


@router.get("/deliveries/{delivery_id}")
async def get_delivery(
    delivery_id: str, actor: CurrentActor, session: TeamSession
) -> DeliveryDetail:
    """One delivery: its bytes, and every attempt with what came back."""
    row = await deliveries.get(session, actor.team_id, delivery_id)
    tried = await deliveries.attempts(session, actor.team_id, row.id)
    return DeliveryDetail(
        body=await deliveries.body(session, row),
        tried=[AttemptOut.model_validate(each, from_attributes=True) for each in tried],
        **_out(row).model_dump(),
    )


@router.post("/deliveries/{delivery_id}/replay", response_model=DeliveryOut)
async def replay_delivery(
    delivery_id: str, actor: AdminActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Send this delivery again, now: the same id, the same bytes."""

    async def work() -> DeliveryOut:
        return _out(await replaying.delivery(session, actor.team_id, delivery_id))

    return await once(work, HTTPStatus.OK)


@router.post("/events/{event_id}/replay", response_model=Replayed)
async def replay_event(
    event_id: str, actor: AdminActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Send an event again to every endpoint that wants it."""

    async def work() -> Replayed:
        return Replayed(count=await replaying.event(session, actor.team_id, event_id))

    return await once(work, HTTPStatus.OK)


@router.post("/endpoints/{endpoint_id}/replay", response_model=Replayed)
async def replay_range(
    endpoint_id: str, body: RangeIn, actor: AdminActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Send the events of a time range, of the last 30 days, to this endpoint."""

    async def work() -> Replayed:
        count = await replaying.between(
            session,
            actor.team_id,
            endpoint_id,
            body.start,
            body.end,
            delivered_too=body.delivered_too,
        )
        return Replayed(count=count)

    return await once(work, HTTPStatus.OK)
