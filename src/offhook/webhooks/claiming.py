"""Which deliveries a dispatcher works on next: a queue for each endpoint (W9), leased (WT5).

The endpoint's row is the lock of its queue: whoever has it counts what is under way and takes no
more than the endpoint may have, however many dispatchers there are. A lease that ran out is due
again; nothing else is needed after a crash, and the place in the schedule is kept.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from offhook.db import Session, fetch, new_id, now, unseal
from offhook.vault import SecretUnreadable, Vault
from offhook.webhooks import rules
from offhook.webhooks.models import Secret
from offhook.webhooks.rules import DeliveryState, EndpointKind, EndpointState

log = logging.getLogger(__name__)

# Endpoints whose queue has something due, each locked until this transaction ends. Another
# dispatcher's are passed over: it is at work on them.
LOCK_QUEUES = f"""
    SELECT endpoint.id FROM webhook_endpoints AS endpoint
    WHERE endpoint.kind = '{EndpointKind.URL}' AND endpoint.state = '{EndpointState.ON}'
        AND (endpoint.failing_since IS NOT NULL) = %(failing)s
        AND endpoint.id <> ALL(%(busy)s)
        AND EXISTS (
            SELECT FROM webhook_deliveries AS delivery
            WHERE delivery.endpoint_id = endpoint.id
                AND delivery.state = '{DeliveryState.PENDING}' AND delivery.next_at <= %(present)s)
    ORDER BY random() LIMIT %(room)s
    FOR NO KEY UPDATE SKIP LOCKED
"""

# From each of these queues what is due first, as far as the endpoint has slots left. What is taken
# is made out first and then looked up by id, whatever the planner knew of the table when it was
# small: it must never walk through all deliveries and ask for each whether it is taken.
TAKE = f"""
    WITH taken AS MATERIALIZED (
        SELECT due.id FROM unnest(%(endpoints)s::varchar[]) AS queue(id) CROSS JOIN LATERAL (
            SELECT id FROM webhook_deliveries
            WHERE endpoint_id = queue.id AND state = '{DeliveryState.PENDING}'
                AND next_at <= %(present)s
            ORDER BY next_at LIMIT greatest(0, %(slots)s - (
                SELECT count(*) FROM webhook_deliveries
                WHERE endpoint_id = queue.id AND lease IS NOT NULL AND next_at > %(present)s))
        ) AS due LIMIT %(room)s
    )
    UPDATE webhook_deliveries AS delivery SET lease = %(lease)s, next_at = %(until)s
    WHERE delivery.id = ANY(ARRAY(SELECT id FROM taken))
    RETURNING delivery.id, delivery.team_id, delivery.endpoint_id,
        (SELECT url FROM webhook_endpoints AS endpoint WHERE endpoint.id = delivery.endpoint_id),
        delivery.event_id, delivery.event, delivery.with_text,
        (SELECT body FROM webhook_bodies AS kept
         WHERE kept.event_id = delivery.event_id AND kept.with_text = delivery.with_text)
"""


@dataclass(frozen=True, slots=True)
class Hold:
    """A delivery that is ours until the lease ends."""

    id: str
    team_id: str
    endpoint_id: str
    url: str
    lease: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is to be sent under a hold. `body` None: its bytes are yet to be made."""

    hold: Hold
    event_id: str
    event: str
    with_text: bool
    body: bytes | None = field(repr=False)
    secrets: Sequence[str] = field(repr=False)


async def claim(
    session: Session, vault: Vault, *, failing: bool, busy: Collection[str], room: int
) -> list[Claimed]:
    """Take up to `room` due deliveries, of failing endpoints or of the others (system scope).

    `busy` are endpoints not to ask for. Commit before anything is sent.
    """
    if room <= 0:
        return []
    present = await now(session)
    given = {"failing": failing, "busy": list(busy), "present": present, "room": room}
    queues = [row[0] for row in await fetch(session, LOCK_QUEUES, given)]
    if not queues:
        return []
    slots = rules.slots(failing=failing)
    return await take(session, vault, queues, present, slots=slots, room=room)


async def take(
    session: Session,
    vault: Vault,
    endpoints: Sequence[str],
    present: datetime,
    *,
    slots: int,
    room: int,
) -> list[Claimed]:
    """Take what is due at `present` from these queues, whose endpoints the caller has locked."""
    lease = new_id("lse")
    rows = await fetch(
        session,
        TAKE,
        {
            "endpoints": list(endpoints),
            "present": present,
            "until": present + rules.LEASE,
            "lease": lease,
            "slots": slots,
            "room": room,
        },
    )
    signers = await _secrets(session, vault, {row[2] for row in rows}, present)
    return [_claimed(row, lease, signers) for row in rows]


def _claimed(row: Sequence[Any], lease: str, signers: Mapping[str, Sequence[str]]) -> Claimed:
    delivery, team, endpoint, url, event_id, event, with_text, kept = row
    return Claimed(
        Hold(delivery, team, endpoint, url, lease),
        event_id=event_id,
        event=event,
        with_text=with_text,
        body=None if kept is None else bytes(kept),
        secrets=signers.get(endpoint, ()),
    )


async def _secrets(
    session: Session, vault: Vault, endpoint_ids: Collection[str], present: datetime
) -> dict[str, list[str]]:
    """The live secrets of each endpoint, the current one first (W6). One that cannot be read is
    left out: its endpoint's attempts fail and say so, the others are not delayed (W9).
    """
    if not endpoint_ids:
        return {}
    rows = await session.scalars(
        select(Secret)
        .where(
            Secret.endpoint_id.in_(endpoint_ids),
            Secret.expires_at.is_(None) | (Secret.expires_at > present),
        )
        .order_by(Secret.created_at.desc(), Secret.id.desc())
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        try:
            secret = unseal(vault, row, "secret").decode()
        except SecretUnreadable as problem:
            log.warning("endpoint %s cannot be signed for: %s", row.endpoint_id, problem.sentence)
            continue
        found.setdefault(row.endpoint_id, []).append(secret)
    return found
