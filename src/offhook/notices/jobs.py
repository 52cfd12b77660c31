"""From an event to mail: a job in the event's transaction, the letter in the worker.

The transaction that publishes an event may be one that live calls wait for, so only a job is
written in it. Repeating a job mails nothing twice.
"""

from collections.abc import Sequence

from offhook.db import Database, EventRow, Jobs, Session, enqueue
from offhook.notices import writing
from offhook.notices.kinds import Kind
from offhook.notices.letters import EndpointOff
from offhook.notices.sending import send
from offhook.webhooks import Endpoint

TELL = "notices.tell"


async def published(session: Session, rows: Sequence[EventRow]) -> None:
    """Let a worker mail those of these events that are mailed (`db.when_published`)."""
    for row in rows:
        if row.name in writing.TOLD:
            await enqueue(session, TELL, team_id=row.team_id, event_id=row.id)


async def endpoint_off(session: Session, endpoint: Endpoint) -> None:
    """An endpoint was switched off (`webhooks.when_switched_off`): rare, and nobody waits."""
    team = await writing.team_of(session, endpoint.team_id)
    letter = EndpointOff(
        team=team.name,
        endpoint=endpoint.name or writing.host(endpoint.url),
        is_gone=endpoint.state.value == "gone",
    )
    key = f"endpoint:{endpoint.id}:{endpoint.state_since.isoformat()}"
    await send(session, endpoint.team_id, Kind.WEBHOOKS, letter, key)


def register(jobs: Jobs, database: Database) -> None:
    async def tell(team_id: str, event_id: str) -> None:
        await tell_event(database, team_id, event_id)

    jobs.add(TELL, tell)


async def tell_event(database: Database, team_id: str, event_id: str) -> None:
    """Write the letter of an event and put it into the outbox of mail."""
    async with database.team(team_id) as session:
        row = await session.get(EventRow, event_id)
        if row is None:
            return
        kind, write = writing.TOLD[row.name]
        team = await writing.team_of(session, team_id)
        letter = await write(session, team, row.payload)
        if letter is not None:
            await send(session, team_id, kind, letter, writing.key_of(row))
