"""What came of attempts: the record of each, the delivery's next step, the endpoint's health.

Many at once in one transaction. The endpoint's row is locked first, as by whoever claims or
switches off, so that no two wait for each other. A dispatcher that slept past its lease still
reports: a success is one, a failure is kept as a record and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from random import SystemRandom

from sqlalchemy import select, update

from offhook.db import Session, now, touch
from offhook.webhooks import rules
from offhook.webhooks.claiming import Hold
from offhook.webhooks.endpoints import switch_off
from offhook.webhooks.models import Attempt, Delivery, Endpoint
from offhook.webhooks.rules import DeliveryState, EndpointState

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
    in_order = sorted(done, key=_endpoint_of)
    for endpoint_id, tried in groupby(in_order, key=_endpoint_of):
        endpoint = await session.scalar(
            select(Endpoint)
            .where(Endpoint.id == endpoint_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        assert endpoint is not None  # noqa: S101 - its row outlives its deliveries
        for each in tried:
            await _keep(session, each, present)
            await _judge(session, endpoint, each, present)
        await touch(session, endpoint.team_id, "webhooks", f"webhooks:{endpoint.id}")


def _endpoint_of(tried: Tried) -> str:
    return tried.hold.endpoint_id


async def _keep(session: Session, tried: Tried, present: datetime) -> None:
    """The record, and the delivery's next step."""
    hold = tried.hold
    delivery = await session.scalar(
        select(Delivery)
        .where(Delivery.team_id == hold.team_id, Delivery.id == hold.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if delivery is None:  # its time was over
        return
    delivery.attempts += 1
    session.add(
        Attempt(
            team_id=hold.team_id,
            delivery_id=hold.id,
            number=delivery.attempts,
            at=tried.at,
            latency_ms=tried.latency_ms,
            url=hold.url,
            headers=tried.headers,
            status=tried.status,
            error=tried.error,
            answer=tried.answer,
        )
    )
    ours = delivery.lease == hold.lease and delivery.state is DeliveryState.PENDING
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
