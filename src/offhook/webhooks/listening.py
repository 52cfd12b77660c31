"""Listeners: endpoints without an address, whose program asks for its deliveries.

`offhook listen` runs on a laptop that nobody can reach: it claims what is due, as a dispatcher
does, and reports what its own receiver answered. Schedule, signatures, bytes and records are those
of every other endpoint. A listener that has not asked for a quarter of an hour is removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from offhook.db import Database, Session, now
from offhook.vault import Vault
from offhook.webhooks import bodies, endpoints, problems, rules, signing
from offhook.webhooks.claiming import Claimed, Hold, take
from offhook.webhooks.endpoints import Wish
from offhook.webhooks.models import Delivery, Endpoint
from offhook.webhooks.recording import Tried, record
from offhook.webhooks.rules import DeliveryState, EndpointKind


@dataclass(frozen=True, slots=True)
class Handed:
    """A delivery as its listener gets it."""

    claimed: Claimed
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What the listener's receiver answered; `status` None: it did not."""

    delivery_id: str
    lease: str
    latency_ms: int
    headers: dict[str, str]
    status: int | None
    error: str = ""
    answer: str = ""


async def add(
    session: Session, vault: Vault, team_id: str, by: str, wish: Wish
) -> tuple[Endpoint, str]:
    """A listener and its secret."""
    endpoint, secret = await endpoints.add(
        session, vault, team_id, by, EndpointKind.LISTENER, "", wish
    )
    endpoint.seen_at = await now(session)
    return endpoint, secret


async def is_due(session: Session, team_id: str, endpoint_id: str) -> bool:
    """Whether anything waits; keeps the listener alive. Raises EndpointNotFound."""
    endpoint = await _listener(session, team_id, endpoint_id)
    present = await now(session)
    endpoint.seen_at = present
    waiting = select(Delivery.id).where(
        Delivery.team_id == team_id,
        Delivery.endpoint_id == endpoint_id,
        Delivery.state == DeliveryState.PENDING,
        Delivery.next_at <= present,
    )
    return bool(await session.scalar(select(waiting.exists())))


async def hand_out(
    database: Database, vault: Vault, team_id: str, endpoint_id: str
) -> list[Handed]:
    """What is due for the listener, claimed and signed. Raises EndpointNotFound."""
    async with database.team(team_id) as session:
        await _listener(session, team_id, endpoint_id)
        claimed = await take(
            session,
            vault,
            [endpoint_id],
            await now(session),
            slots=rules.AT_ONCE,
            room=rules.AT_ONCE,
        )
    return [await _handed(database, each) for each in claimed]


async def report(
    session: Session, team_id: str, endpoint_id: str, results: Sequence[Result]
) -> None:
    """Record what came of deliveries that were handed out; unknown ones are passed over."""
    endpoint = await _listener(session, team_id, endpoint_id)
    known = await session.scalars(
        select(Delivery.id).where(
            Delivery.team_id == team_id,
            Delivery.endpoint_id == endpoint_id,
            Delivery.id.in_([each.delivery_id for each in results]),
        )
    )
    ours = set(known)
    tried = [_tried(endpoint, each) for each in results if each.delivery_id in ours]
    await record(session, tried)


async def _listener(session: Session, team_id: str, endpoint_id: str) -> Endpoint:
    endpoint = await endpoints.get(session, team_id, endpoint_id, lock=True)
    if endpoint.kind is not EndpointKind.LISTENER:
        raise problems.EndpointNotFound(
            f"{endpoint_id[:40]} is no listener.", remedy="Start `offhook listen` again."
        )
    return endpoint


async def _handed(database: Database, claimed: Claimed) -> Handed:
    body = claimed.body or await bodies.keep(
        database, claimed.hold.team_id, claimed.event_id, with_text=claimed.with_text
    )
    headers = signing.headers(claimed.event_id, datetime.now(UTC), body, claimed.secrets)
    return Handed(claimed, headers, body)


def _tried(endpoint: Endpoint, result: Result) -> Tried:
    return Tried(
        Hold(result.delivery_id, endpoint.team_id, endpoint.id, "offhook listen", result.lease),
        datetime.now(UTC),
        result.latency_ms,
        result.headers,
        status=result.status,
        error=result.error,
        answer=result.answer[: rules.ANSWER_KEPT].replace("\0", "\ufffd"),
    )
