"""What came of attempts: the record of each, the delivery's next step, the endpoint's health.

Many at once in one transaction. The endpoints' rows are locked first, as by whoever claims or
switches off, and all in one order, so that no two wait for each other. A dispatcher that slept
past its lease still reports: a success is one, a failure is kept as a record and changes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import SystemRandom
from typing import TypeVar

from sqlalchemy import select, update

from offhook.db import Session, for_change, now, touch
from offhook.webhooks import rules
from offhook.webhooks.claiming import Hold
from offhook.webhooks.endpoints import switch_off
from offhook.webhooks.models import Attempt, Delivery, Endpoint
from offhook.webhooks.rules import DeliveryState, EndpointState

Row = TypeVar("Row", Endpoint, Delivery)
_dice = SystemRandom()


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt and its outcome; `status` None: nobody answered, and `error` says why."""

    hold: Hold
    at: datetime
    latency_ms: int
    headers: dict[str, str] = field(repr=False)
    status: int | None = None
    error: str = ""
    answer: str = ""
    asked: timedelta | None = None
    """What the receiver's Retry-After asks for."""

    @property
    def succeeded(self) -> bool:
        return rules.is_success(self.status)


async def record(session: Session, done: Sequence[Tried]) -> None:
    """Keep these attempts and what follows from them (system scope)."""
    present = await now(session)
    endpoints = await _locked(session, Endpoint, {each.hold.endpoint_id for each in done})
    deliveries = await _locked(session, Delivery, {each.hold.id for each in done})
    for tried in done:
        delivery = deliveries.get(tried.hold.id)
        if delivery is not None:  # its time was not over
            session.add(_attempt(delivery, tried))
            _go_on(delivery, tried, present)
    await session.flush()
    for tried in done:
        await _judge(session, endpoints[tried.hold.endpoint_id], tried, present)
    for endpoint in endpoints.values():
        await touch(session, endpoint.team_id, "webhooks", f"webhooks:{endpoint.id}")


async def _locked(session: Session, kind: type[Row], ids: Collection[str]) -> dict[str, Row]:
    """These rows, each lock taken in the order of the ids."""
    rows = await session.scalars(for_change(select(kind).where(kind.id.in_(ids)).order_by(kind.id)))
    return {row.id: row for row in rows}


def _attempt(delivery: Delivery, tried: Tried) -> Attempt:
    """The record of an attempt, numbered."""
    delivery.attempts += 1
    return Attempt(
        team_id=delivery.team_id,
        delivery_id=delivery.id,
        number=delivery.attempts,
        at=tried.at,
        latency_ms=tried.latency_ms,
        url=tried.hold.url,
        headers=tried.headers,
        status=tried.status,
        error=tried.error,
        answer=tried.answer,
    )


def _go_on(delivery: Delivery, tried: Tried, present: datetime) -> None:
    """The delivery's next step."""
    ours = delivery.lease == tried.hold.lease and delivery.state is DeliveryState.PENDING
    if tried.succeeded or ours:
        delivery.last_status, delivery.last_error = tried.status, tried.error
    if tried.succeeded:
        _end(delivery, DeliveryState.DELIVERED, present)
    elif ours:
        delivery.tries += 1
        wait = rules.next_wait(delivery.tries, _dice.random(), tried.asked)
        if wait is None:
            _end(delivery, DeliveryState.FAILED, present)
        else:
            delivery.lease, delivery.next_at = None, present + wait


def _end(delivery: Delivery, state: DeliveryState, at: datetime) -> None:
    delivery.state, delivery.ended_at = state, at
    delivery.lease, delivery.next_at = None, None


async def _judge(session: Session, endpoint: Endpoint, tried: Tried, present: datetime) -> None:
    """The endpoint's health after an attempt (W10)."""
    if tried.succeeded:
        endpoint.failing_since = None
        return
    since = endpoint.failing_since or present
    endpoint.failing_since = since
    state = rules.switches_off(tried.status, since, present)
    if state is not None and endpoint.state is EndpointState.ON:
        await switch_off(session, endpoint, state)


async def let_go(session: Session, holds: Sequence[Hold]) -> None:
    """Give back what was claimed and not tried, as when the process stops (system scope)."""
    present = await now(session)
    await session.execute(
        update(Delivery)
        .where(
            Delivery.id.in_([each.id for each in holds]),
            Delivery.lease.in_({each.lease for each in holds}),
            Delivery.state == DeliveryState.PENDING,
        )
        .values(lease=None, next_at=present)
    )
