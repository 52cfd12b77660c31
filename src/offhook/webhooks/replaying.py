"""Sending again (W11): one delivery, one event, or a range of up to 30 days.

A replay starts the schedule anew with the same id and bytes. It also reaches events that the
endpoint never had: published while it was off, or before it was made.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from offhook.db import EventRow, Session, fetch, now
from offhook.webhooks import endpoints, problems, rules, said
from offhook.webhooks.deliveries import get
from offhook.webhooks.events import WebhookTest
from offhook.webhooks.fanout import wake
from offhook.webhooks.models import Delivery, Endpoint
from offhook.webhooks.rules import DeliveryState

MOST_EVENTS = 100_000

# A delivery for each of these events; one that there is begins anew, unless it is being sent now.
AGAIN = f"""
    INSERT INTO webhook_deliveries AS known (id, team_id, endpoint_id, event_id, event, with_text,
        state, tries, attempts, next_at, last_error, created_at)
    SELECT 'whd_' || replace(gen_random_uuid()::text, '-', ''), event.team_id, %(endpoint_id)s,
        event.id, event.name, %(with_text)s AND event.name = ANY(%(speaking)s),
        '{DeliveryState.PENDING}', 0, 0, %(at)s, '', %(at)s
    FROM events AS event
    WHERE event.team_id = %(team_id)s AND event.id = ANY(%(event_ids)s)
    ON CONFLICT (endpoint_id, event_id) DO UPDATE
        SET state = '{DeliveryState.PENDING}', tries = 0, next_at = %(at)s, lease = NULL,
            ended_at = NULL
        WHERE known.lease IS NULL OR known.next_at <= %(at)s
    RETURNING 1
"""  # noqa: S608 - constants of our own


async def delivery(session: Session, team_id: str, delivery_id: str) -> Delivery:
    """Send this delivery again, now. Raises DeliveryNotFound, EndpointOff."""
    found = await get(session, team_id, delivery_id)
    endpoint = await endpoints.get(session, team_id, found.endpoint_id, lock=True)
    endpoints.refuse_off(endpoint)
    await _again(session, endpoint, [found.event_id])
    await session.refresh(found)
    return found


async def event(session: Session, team_id: str, event_id: str) -> int:
    """Send an event again to every endpoint that is on and wants it; gives their count.

    Raises EventNotFound.
    """
    row = await session.scalar(
        select(EventRow).where(EventRow.team_id == team_id, EventRow.id == event_id)
    )
    if row is None or row.name == WebhookTest.event:
        raise problems.EventNotFound(
            f"There is no event {event_id[:40]} that can be replayed.",
            remedy="Use the `webhook-id` of a delivery.",
        )
    takers = [
        each
        for each in await endpoints.listed(session, team_id)
        if each.state is rules.EndpointState.ON and rules.wants(each.events, row.name)
    ]
    for each in takers:
        locked = await endpoints.get(session, team_id, each.id, lock=True)
        await _again(session, locked, [row.id])
    return len(takers)


async def between(
    session: Session,
    team_id: str,
    endpoint_id: str,
    start: datetime,
    end: datetime,
    *,
    delivered_too: bool = False,
) -> int:
    """Send the endpoint's events of `start` <= time < `end` again; gives their count.

    Without `delivered_too` only those that it has not taken yet. Raises EndpointNotFound,
    EndpointOff, ReplayInvalid.
    """
    _check(start, end, await now(session))
    endpoint = await endpoints.get(session, team_id, endpoint_id, lock=True)
    endpoints.refuse_off(endpoint)
    query = select(EventRow.id).where(
        EventRow.team_id == team_id,
        EventRow.created_at >= start,
        EventRow.created_at < end,
        EventRow.name != WebhookTest.event,
    )
    if rules.EVERY not in endpoint.events:
        query = query.where(EventRow.name.in_(endpoint.events))
    if not delivered_too:
        taken = select(Delivery.id).where(
            Delivery.endpoint_id == endpoint.id,
            Delivery.event_id == EventRow.id,
            Delivery.state == DeliveryState.DELIVERED,
        )
        query = query.where(~taken.exists())
    count = await session.scalar(select(func.count()).select_from(query.subquery()))
    if (count or 0) > MOST_EVENTS:
        raise problems.ReplayInvalid(
            f"The range has {count:,} events.",
            remedy=f"Choose a shorter one, of at most {MOST_EVENTS:,}.",
        )
    found = (await session.scalars(query.order_by(EventRow.position))).all()
    return await _again(session, endpoint, found)


async def _again(session: Session, endpoint: Endpoint, event_ids: Sequence[str]) -> int:
    if not event_ids:
        return 0
    rows = await fetch(
        session,
        AGAIN,
        {
            "team_id": endpoint.team_id,
            "endpoint_id": endpoint.id,
            "with_text": endpoint.with_text,
            "speaking": said.SPEAKING,
            "event_ids": list(event_ids),
            "at": await now(session),
        },
    )
    await wake(session, endpoint.team_id)
    return len(rows)


def _check(start: datetime, end: datetime, present: datetime) -> None:
    if start.tzinfo is None or end.tzinfo is None:
        _refuse("A time has no zone.", "Write it as 2026-05-14T12:00:00Z.")
    if start >= end:
        _refuse("The range is empty.", "Let it end after it begins.")
    if start < present - rules.KEPT - timedelta(minutes=1):
        _refuse(
            f"The range begins more than {rules.KEPT.days} days ago.",
            "Read older conversations by the API.",
        )


def _refuse(sentence: str, remedy: str) -> None:
    errors = [{"field": "start", "sentence": sentence}]
    raise problems.ReplayInvalid(sentence, remedy=remedy, errors=errors)
