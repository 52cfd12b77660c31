"""Reading deliveries: lists, one with its attempts and its bytes (W11)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from offhook.db import EventRow, Session
from offhook.web import Paging, paginate
from offhook.webhooks import bodies, looks, problems
from offhook.webhooks.models import Attempt, Delivery, Endpoint
from offhook.webhooks.rules import DeliveryState

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """Which deliveries; empty members do not narrow."""

    endpoint_id: str = ""
    state: DeliveryState | None = None
    event: str = ""
    event_id: str = ""
    conversation_id: str = ""


async def get(session: Session, team_id: str, delivery_id: str) -> Delivery:
    """Raises DeliveryNotFound, also for another team's (SEC7)."""
    found = await session.scalar(
        select(Delivery).where(Delivery.team_id == team_id, Delivery.id == delivery_id)
    )
    if found is None:
        raise problems.DeliveryNotFound(
            f"There is no delivery {delivery_id[:40]}.",
            remedy="Deliveries are kept for 30 days.",
        )
    return found


async def listed(
    session: Session, team_id: str, chosen: Filter, paging: Paging
) -> tuple[list[Delivery], str | None]:
    """One page, the newest first, and the cursor of the next."""
    query = select(Delivery).where(Delivery.team_id == team_id)
    if chosen.endpoint_id:
        query = query.where(Delivery.endpoint_id == chosen.endpoint_id)
    if chosen.state is not None:
        query = query.where(Delivery.state == chosen.state)
    if chosen.event:
        query = query.where(Delivery.event == chosen.event)
    if chosen.event_id:
        query = query.where(Delivery.event_id == chosen.event_id)
    if chosen.conversation_id:
        told = select(EventRow.id).where(
            EventRow.team_id == team_id, EventRow.conversation_id == chosen.conversation_id
        )
        query = query.where(Delivery.event_id.in_(told))
    return await paginate(session, query, paging, Delivery.created_at, Delivery.id)


async def attempts(session: Session, team_id: str, delivery_id: str) -> Sequence[Attempt]:
    """Every attempt of a delivery, the newest first."""
    rows = await session.scalars(
        select(Attempt)
        .where(Attempt.team_id == team_id, Attempt.delivery_id == delivery_id)
        .order_by(Attempt.number.desc())
    )
    return rows.all()


async def body(session: Session, delivery: Delivery) -> str:
    """The bytes of a delivery as text; those that will be made, where none were sent yet."""
    kept = await bodies.kept_body(
        session, delivery.team_id, delivery.event_id, with_text=delivery.with_text
    )
    if kept is None:
        row = await event(session, delivery.team_id, delivery.event_id)
        kept = await bodies.make(session, row, with_text=delivery.with_text)
    return kept.decode()


async def event(session: Session, team_id: str, event_id: str) -> EventRow:
    """The event that a delivery tells."""
    row = await session.scalar(
        select(EventRow).where(EventRow.team_id == team_id, EventRow.id == event_id)
    )
    assert row is not None  # noqa: S101 - an event with a delivery is never deleted
    return row


async def recent(
    session: Session, team_id: str, endpoint_id: str, count: int
) -> Sequence[Delivery]:
    """The newest deliveries of an endpoint."""
    rows = await session.scalars(
        select(Delivery)
        .where(Delivery.team_id == team_id, Delivery.endpoint_id == endpoint_id)
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(count)
    )
    return rows.all()


async def last_of(
    session: Session, team_id: str, endpoint_ids: Sequence[str]
) -> dict[str, Delivery]:
    """The newest delivery of each endpoint that has any."""
    found = {each: await recent(session, team_id, each, 1) for each in endpoint_ids}
    return {endpoint_id: rows[0] for endpoint_id, rows in found.items() if rows}


async def of_event(session: Session, team_id: str, endpoint_id: str, event_id: str) -> Delivery:
    """An event's delivery to an endpoint. Raises DeliveryNotFound."""
    row = await session.scalar(
        select(Delivery).where(
            Delivery.team_id == team_id,
            Delivery.endpoint_id == endpoint_id,
            Delivery.event_id == event_id,
        )
    )
    if row is None:
        raise problems.DeliveryNotFound(f"The event {event_id[:40]} was not sent there.")
    return row


async def of_conversation(
    session: Session, team_id: str, conversation_id: str
) -> Sequence[Delivery]:
    """What was told of a conversation, the newest first; at most MOST_SHOWN."""
    chosen = Filter(conversation_id=conversation_id)
    rows, _ = await listed(session, team_id, chosen, Paging(limit=MOST_SHOWN))
    return rows


async def titles(session: Session, team_id: str, rows: Sequence[Delivery]) -> dict[str, str]:
    """What the endpoints of these deliveries are called, removed ones too."""
    found = await session.scalars(
        select(Endpoint).where(
            Endpoint.team_id == team_id, Endpoint.id.in_({row.endpoint_id for row in rows})
        )
    )
    return {each.id: looks.endpoint_title(each) for each in found}
