"""Background work of webhooks: the dispatcher, and what is forgotten in time."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import aliased

from offhook.db import Database, EventRow, Jobs, Session, now
from offhook.outgoing import Outgoing
from offhook.vault import Vault
from offhook.webhooks import endpoints, rules
from offhook.webhooks.dispatcher import Dispatcher
from offhook.webhooks.models import Body, Delivery, Endpoint
from offhook.webhooks.rules import DeliveryState, EndpointKind, EndpointState

RESTART_S = 1.0
FORGET_EVERY_S = 600.0
BATCH = 2_000


def register(jobs: Jobs, database: Database, vault: Vault, outgoing: Outgoing) -> None:
    """Let a worker deliver; any number of workers may."""

    async def forget() -> None:
        await forget_old(database)

    jobs.every(RESTART_S, "webhooks.dispatch", Dispatcher(database, vault, outgoing).run)
    jobs.every(FORGET_EVERY_S, "webhooks.forget", forget)


async def forget_old(database: Database) -> None:
    """Delete deliveries after 30 days, events after 90, and what nothing needs any more, a batch
    at a time.
    """
    async with database.system() as session:
        present = await now(session)
        await endpoints.forget_expired(session)
        await _remove_idle_listeners(session, present)
        await _stop_stragglers(session, present)
    before = present - rules.KEPT
    while await _deleted(database, before):
        pass
    while await _events_deleted(database, present - rules.EVENTS_KEPT):
        pass
    async with database.system() as session:
        await session.execute(
            delete(Endpoint).where(
                Endpoint.state == EndpointState.REMOVED, Endpoint.state_since < before
            )
        )


async def _deleted(database: Database, before: datetime) -> bool:
    """Whether there was anything left to delete."""
    async with database.system() as session:
        deliveries = await session.scalars(
            delete(Delivery)
            .where(
                Delivery.id.in_(
                    select(Delivery.id)
                    .where(Delivery.created_at < before, Delivery.state != DeliveryState.PENDING)
                    .limit(BATCH)
                )
            )
            .returning(Delivery.id)
        )
        unused = (
            select(Body.event_id)
            .where(
                Body.created_at < before,
                ~select(Delivery.id).where(Delivery.event_id == Body.event_id).exists(),
            )
            .limit(BATCH)
        )
        kept = await session.scalars(
            delete(Body).where(Body.event_id.in_(unused)).returning(Body.event_id)
        )
        return bool(deliveries.all()) or bool(kept.all())


async def _events_deleted(database: Database, before: datetime) -> bool:
    """Whether there was any event left that nothing refers to any more."""
    later = aliased(EventRow)
    counted_on = select(later.id).where(
        later.team_id == EventRow.team_id,
        later.conversation_id == EventRow.conversation_id,
        later.sequence > EventRow.sequence,
    )
    unused = (
        select(EventRow.id)
        .where(
            EventRow.created_at < before,
            EventRow.conversation_id.is_(None) | counted_on.exists(),
            ~select(Delivery.id).where(Delivery.event_id == EventRow.id).exists(),
            ~select(Body.event_id).where(Body.event_id == EventRow.id).exists(),
        )
        .limit(BATCH)
    )
    async with database.system() as session:
        deleted = delete(EventRow).where(EventRow.id.in_(unused)).returning(EventRow.id)
        return bool((await session.scalars(deleted)).all())


async def _remove_idle_listeners(session: Session, present: datetime) -> None:
    """Listeners whose program went away without saying so."""
    rows = await session.execute(
        select(Endpoint.team_id, Endpoint.id).where(
            Endpoint.kind == EndpointKind.LISTENER,
            Endpoint.state != EndpointState.REMOVED,
            Endpoint.seen_at < present - rules.LISTENER_IDLE,
        )
    )
    for team_id, endpoint_id in rows.all():
        await endpoints.remove(session, team_id, endpoint_id)


async def _stop_stragglers(session: Session, present: datetime) -> None:
    """Deliveries that were published in the moment in which their endpoint was switched off."""
    off = select(Endpoint.id).where(Endpoint.state != EndpointState.ON)
    await session.execute(
        update(Delivery)
        .where(Delivery.state == DeliveryState.PENDING, Delivery.endpoint_id.in_(off))
        .values(state=DeliveryState.STOPPED, ended_at=present, lease=None, next_at=None)
    )
