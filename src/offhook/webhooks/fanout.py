"""From an event to its deliveries, in the transaction that published it (W1).

One statement, whether or not the team has an endpoint: a delivery for each endpoint that wants the
event, its bytes where there is one, and the dispatchers' wake-up. Bytes with what was said are made
before the first attempt, outside of this transaction.
"""

from offhook.db import EventRow, Session, fetch, touch
from offhook.webhooks import payload, said
from offhook.webhooks.events import WebhookTest
from offhook.webhooks.rules import EVERY, DeliveryState, EndpointState

DUE = "webhooks.due"
"""The topic that wakes dispatchers."""

FAN_OUT = f"""
    WITH made AS (
        INSERT INTO webhook_deliveries (id, team_id, endpoint_id, event_id, event, with_text,
            state, tries, attempts, next_at, last_error, created_at)
        SELECT 'whd_' || replace(gen_random_uuid()::text, '-', ''), team_id, id, %(event_id)s,
            %(event)s, with_text AND %(speaks)s, '{DeliveryState.PENDING}', 0, 0, %(at)s, '', %(at)s
        FROM webhook_endpoints
        WHERE team_id = %(team_id)s AND state = '{EndpointState.ON}'
            AND CASE WHEN %(only)s::text IS NULL
                THEN events && ARRAY['{EVERY}', %(event)s]::varchar[] ELSE id = %(only)s END
        RETURNING 1
    ), kept AS (
        INSERT INTO webhook_bodies (event_id, with_text, team_id, body, created_at)
        SELECT %(event_id)s, false, %(team_id)s, %(body)s, %(at)s WHERE EXISTS (SELECT FROM made)
    )
    SELECT count(*) FROM made
"""  # noqa: S608 - constants of our own


async def fan_out(session: Session, row: EventRow) -> None:
    """Give every endpoint that wants the event a delivery of it. Joined to `db.when_published`."""
    data = said.thin(row.name, row.payload)
    thin = payload.body(row.name, row.created_at, row.sequence, data)
    ((made,),) = await fetch(
        session,
        FAN_OUT,
        {
            "team_id": row.team_id,
            "event_id": row.id,
            "event": row.name,
            "speaks": row.name in said.SPEAKING,
            "at": row.created_at,
            "body": thin,
            "only": row.payload["endpoint_id"] if row.name == WebhookTest.event else None,
        },
    )
    if made:
        await wake(session, row.team_id)


async def wake(session: Session, team_id: str) -> None:
    """Have the dispatchers look for what is due, once this transaction has committed."""
    await touch(session, team_id, DUE)
