"""News: an outbox row in the transaction of the change, and a NOTIFY that wakes live pages.

`publish` is for events that others may receive; `touch` only tells open pages that something
under a topic has changed. NOTIFY carries ids, never contents: a page re-reads its state. Who
passes events on joins by `when_published`, in the same transaction.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar

import psycopg
from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, Identity, Index, String, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db.engine import Session, now
from offhook.db.ids import random_id
from offhook.db.tables import ID_LENGTH, Base, TeamOwned

log = logging.getLogger(__name__)
CHANNEL = "offhook_live"
RECONNECT_S = 0.5


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


class EventRow(TeamOwned, Base):
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


Hook = Callable[[Session, EventRow], Awaitable[None]]
_hooks: list[Hook] = []


def when_published(hook: Hook) -> None:
    """`hook(session, row)` runs in the transaction of each event (app.py registers)."""
    if hook not in _hooks:
        _hooks.append(hook)


def event_kinds() -> Mapping[str, type[Event]]:
    """Every kind of event of the rooms that are imported, by its name."""
    return MappingProxyType(_kinds)


async def publish(session: Session, event: Event) -> EventRow:
    """Write `event` into the outbox with the change that it tells (W1), and wake its pages."""
    sequence = None
    if event.conversation_id is not None:
        # One writer at a time per conversation keeps the sequence gapless.
        await session.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(event.conversation_id, 0)))
        )
        last = await session.scalar(
            select(func.max(EventRow.sequence)).where(
                EventRow.team_id == event.team_id,
                EventRow.conversation_id == event.conversation_id,
            )
        )
        sequence = (last or 0) + 1
    row = EventRow(
        id=random_id("msg"),
        team_id=event.team_id,
        name=event.event,
        conversation_id=event.conversation_id,
        sequence=sequence,
        payload=event.model_dump(mode="json"),
        created_at=await now(session),
    )
    session.add(row)
    await session.flush()
    for hook in _hooks:
        await hook(session, row)
    await touch(session, event.team_id, event.event.split(".")[0], *event.topics())
    return row


async def touch(session: Session, team_id: str, *topics: str) -> None:
    """Tell the team's open pages, once this transaction commits, that `topics` changed."""
    if topics:
        told = [json.dumps([team_id, topic]) for topic in topics]
        await session.execute(select(*(func.pg_notify(CHANNEL, each) for each in told)))


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
