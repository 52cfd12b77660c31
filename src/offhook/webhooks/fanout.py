"""From events to their deliveries, in the transaction that published them (W1).

One statement, whether or not the team has an endpoint: a delivery for each endpoint that wants an
event, its bytes where there is one, and the dispatchers' wake-up. Bytes with what was said are made
before the first attempt, outside of this transaction.
"""

import json
from collections.abc import Sequence
from typing import Any

from offhook.db import EventRow, Session, fetch, touch
from offhook.webhooks import payload, said
from offhook.webhooks.events import WebhookTest
from offhook.webhooks.rules import EVERY, DeliveryState, EndpointState

DUE = "webhooks.due"
"""The topic that wakes dispatchers."""

FAN_OUT = f"""
    WITH told AS (
        SELECT * FROM jsonb_to_recordset(%(events)s::jsonb) AS told (id text, team_id text,
            name text, speaks boolean, at timestamptz, body text, only_to text)
    ), made AS (
        INSERT INTO webhook_deliveries (id, team_id, endpoint_id, event_id, event, with_text,
            state, tries, attempts, next_at, last_error, created_at)
        SELECT 'whd_' || replace(gen_random_uuid()::text, '-', ''), told.team_id, endpoint.id,
            told.id, told.name, endpoint.with_text AND speaks, '{DeliveryState.PENDING}', 0, 0, at,
            '', at
        FROM told JOIN webhook_endpoints AS endpoint ON endpoint.team_id = told.team_id
        WHERE endpoint.state = '{EndpointState.ON}' AND CASE WHEN only_to IS NULL
            THEN endpoint.events && ARRAY['{EVERY}', told.name]::varchar[]
            ELSE endpoint.id = only_to END
        RETURNING event_id
    ), kept AS (
        INSERT INTO webhook_bodies (event_id, with_text, team_id, body, created_at)
        SELECT id, false, team_id, convert_to(body, 'UTF8'), at FROM told
        WHERE id IN (SELECT event_id FROM made)
    )
    SELECT DISTINCT team_id FROM told WHERE id IN (SELECT event_id FROM made)
"""  # noqa: S608 - constants of our own


async def fan_out(session: Session, rows: Sequence[EventRow]) -> None:
    """Give every endpoint that wants an event a delivery of it. Joined to `db.when_published`."""
    events = json.dumps([_told(row) for row in rows])
    for (team_id,) in await fetch(session, FAN_OUT, {"events": events}):
        await wake(session, team_id)


def _told(row: EventRow) -> dict[str, Any]:
    thin = payload.body(row.name, row.created_at, row.sequence, said.thin(row.name, row.payload))
    return {
        "id": row.id,
        "team_id": row.team_id,
        "name": row.name,
        "speaks": row.name in said.SPEAKING,
        "at": row.created_at.isoformat(),
        "body": thin.decode(),
        "only_to": row.payload["endpoint_id"] if row.name == WebhookTest.event else None,
    }


async def wake(session: Session, team_id: str) -> None:
    """Have the dispatchers look for what is due, once this transaction has committed."""
    await touch(session, team_id, DUE)
