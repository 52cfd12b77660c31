"""News: an outbox row in the transaction of the change, and a NOTIFY that wakes live pages.

`publish` is for events that others may receive, `publish_all` for many in one statement, as are
those of a use case that are `told_together`; `touch` only tells open pages that something under a
topic has changed. NOTIFY carries ids, never contents: a page re-reads its state. Who passes events
on joins by `when_published`, in the same transaction.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, Identity, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db.engine import Session, fetch, notify_at_commit, one_at_a_time, told_time
from offhook.db.ids import random_id
from offhook.db.tables import ID_LENGTH, Base, TeamKeyed

log = logging.getLogger(__name__)
CHANNEL = "offhook_live"
RECONNECT_S = 0.5
TOGETHER = "told together"


_kinds: dict[str, type["Event"]] = {}


class Event(BaseModel):
    """Something that happened; a subclass documents its payload (webhooks.md, Events)."""

    model_config = ConfigDict(frozen=True)
    event: ClassVar[str]
    team_id: str
    conversation_id: str | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "event" in vars(cls):
            _kinds[cls.event] = cls

    def topics(self) -> tuple[str, ...]:
        """What open pages may watch: the conversation, and whatever a subclass adds."""
        return (f"conversation:{self.conversation_id}",) if self.conversation_id else ()


class EventRow(TeamKeyed, Base):
    """One published event; `sequence` is gapless per conversation (W3)."""

    __tablename__ = "events"
    __table_args__ = (
        Index(
            "uq_events_conversation_sequence",
            "conversation_id",
            "sequence",
            unique=True,
            postgresql_where="conversation_id IS NOT NULL",
        ),
        Index("ix_events_team_time", "team_id", "created_at"),
    )
    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    name: Mapped[str] = mapped_column(String(60), index=True)
    conversation_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    sequence: Mapped[int | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


Hook = Callable[[Session, Sequence[EventRow]], Awaitable[None]]
_hooks: list[Hook] = []


def when_published(hook: Hook) -> None:
    """`hook(session, rows)` runs in the transaction of the events (app.py registers)."""
    if hook not in _hooks:
        _hooks.append(hook)


def event_kinds() -> Mapping[str, type[Event]]:
    """Every kind of event of the rooms that are imported, by its name."""
    return MappingProxyType(_kinds)


APPEND = """
    INSERT INTO events (id, team_id, name, conversation_id, sequence, payload, created_at)
    SELECT id, team_id, name, conversation_id,
        CASE WHEN conversation_id IS NOT NULL THEN
            row_number() OVER (PARTITION BY conversation_id ORDER BY place) + coalesce((
                SELECT earlier.sequence FROM events AS earlier
                WHERE earlier.team_id = told.team_id
                    AND earlier.conversation_id = told.conversation_id
                ORDER BY earlier.sequence DESC LIMIT 1
            ), 0)
        END,
        payload, coalesce(%(present)s::timestamptz, clock_timestamp())
    FROM ROWS FROM (
        jsonb_to_recordset(%(events)s)
            AS (id text, team_id text, name text, conversation_id text, payload jsonb)
    ) WITH ORDINALITY AS told (id, team_id, name, conversation_id, payload, place)
    ORDER BY place
    RETURNING position, sequence, created_at
"""


async def publish(session: Session, event: Event) -> None:
    """Write `event` into the outbox with the change that it tells (W1), and wake its pages."""
    await publish_all(session, [event])


async def publish_all(session: Session, events: Sequence[Event]) -> None:
    """`publish` for many, in their order, in as few waits as for one."""
    together: list[Event] | None = session.info.get(TOGETHER)
    if together is not None:
        together.extend(events)
    elif events:
        await write_events(session, events)


@asynccontextmanager
async def told_together(session: Session) -> AsyncGenerator[None]:
    """What is published inside is written at its end, in its order, in as few waits as one event.

    For a use case that goes through rooms which each tell their own.
    """
    together: list[Event] = []
    session.info[TOGETHER] = together
    try:
        yield
    finally:
        del session.info[TOGETHER]
    await publish_all(session, together)


async def write_events(session: Session, events: Sequence[Event]) -> Sequence[EventRow]:
    """`publish_all` at once, for who needs the rows."""
    await session.flush()  # what is told stands before the telling
    for conversation in sorted({each.conversation_id for each in events if each.conversation_id}):
        # One writer at a time per conversation keeps the sequence gapless. The lock is a statement
        # of its own, for the next one reads what was committed up to its own beginning.
        await one_at_a_time(session, conversation)
    told = [
        {
            "id": random_id("msg"),
            "team_id": each.team_id,
            "name": each.event,
            "conversation_id": each.conversation_id,
            "payload": each.model_dump(mode="json"),
        }
        for each in events
    ]
    written = await fetch(session, APPEND, {"events": Jsonb(told), "present": told_time(session)})
    rows = [
        EventRow(**one, position=position, sequence=sequence, created_at=at.astimezone(UTC))
        for one, (position, sequence, at) in zip(told, written, strict=True)
    ]
    for hook in _hooks:
        await hook(session, rows)
    for event in events:
        await touch(session, event.team_id, event.event.split(".")[0], *event.topics())
    return rows


async def touch(session: Session, team_id: str, *topics: str) -> None:
    """Tell the team's open pages, once this transaction commits, that `topics` changed."""
    for topic in topics:
        notify_at_commit(session, CHANNEL, json.dumps([team_id, topic]))


class Listener:
    """Hears what `touch` tells, over a connection of its own that LISTENs.

    `heard(team_id, topic)` is called for each; `lost()` when the connection broke, since news may
    have been missed: pages then reload their state. Reconnects for as long as `run` runs.
    """

    def __init__(
        self, psycopg_url: str, heard: Callable[[str, str], None], lost: Callable[[], None]
    ) -> None:
        self._url = psycopg_url
        self._heard = heard
        self._lost = lost

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.OperationalError as error:
                log.warning("live updates lost the database: %s", error)
                self._lost()
                await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._lost()  # whatever was told before we listened is caught up by a reload
            async for notice in connection.notifies():
                team_id, topic = json.loads(notice.payload)
                self._heard(team_id, topic)
