"""An event's bytes, kept before they are sent for the first time (W4).

Most are made with the event itself. Here are made those with what was said, and those of events
older than the endpoint that they are replayed to. Whoever is first decides; all others read.
"""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Database, EventRow, Session, now
from offhook.webhooks import payload, said
from offhook.webhooks.models import Body


async def keep(database: Database, team_id: str, event_id: str, *, with_text: bool) -> bytes:
    """The bytes to send, made and committed if there are none yet."""
    async with database.team(team_id) as session:
        row = await session.scalar(
            select(EventRow).where(EventRow.team_id == team_id, EventRow.id == event_id)
        )
        assert row is not None  # noqa: S101 - an event with a delivery is never deleted
        made = await make(session, row, with_text=with_text)
        await session.execute(
            insert(Body)
            .values(
                event_id=event_id,
                with_text=with_text,
                team_id=team_id,
                body=made,
                created_at=await now(session),
            )
            .on_conflict_do_nothing()
        )
    async with database.team(team_id) as session:
        kept = await kept_body(session, team_id, event_id, with_text=with_text)
    assert kept is not None  # noqa: S101 - it was committed just now
    return kept


async def make(session: Session, row: EventRow, *, with_text: bool) -> bytes:
    """The bytes as they would be made now."""
    turns = await said.turns(session, row) if with_text and row.name in said.WITH_TURNS else None
    data = row.payload if with_text else said.thin(row.name, row.payload)
    return payload.body(row.name, row.created_at, row.sequence, data, turns)


async def kept_body(
    session: Session, team_id: str, event_id: str, *, with_text: bool
) -> bytes | None:
    """The bytes as they were first made, or None."""
    return await session.scalar(
        select(Body.body).where(
            Body.team_id == team_id, Body.event_id == event_id, Body.with_text == with_text
        )
    )


async def forget_words(session: Session, team_id: str, conversation_ids: list[str]) -> int:
    """Erase what was said in these conversations from the bytes kept; gives their count.

    A replay sends bytes made anew, from what is then left.
    """
    gone = await session.scalars(
        delete(Body)
        .where(
            Body.team_id == team_id,
            Body.with_text,
            Body.event_id.in_(
                select(EventRow.id).where(
                    EventRow.team_id == team_id, EventRow.conversation_id.in_(conversation_ids)
                )
            ),
        )
        .returning(Body.event_id)
    )
    return len(gone.all())
