"""Tables of calls: the call itself, and the media processes that can take one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.calls.latency.models import ReplyTimes
from offhook.calls.manners.models import CallManners
from offhook.calls.manners.rules import Answers
from offhook.calls.outbound.models import OutboundCall, OutboundRules
from offhook.calls.rules import CallState
from offhook.calls.transfers.models import Transfer, TransferTarget
from offhook.db import Base, TeamOwned, one_of, primary_key
from offhook.prices import Direction

__all__ = [
    "Call",
    "CallManners",
    "MediaNode",
    "OutboundCall",
    "OutboundRules",
    "ReplyTimes",
    "Transfer",
    "TransferTarget",
]


class Call(TeamOwned, Base):
    """One call. `caller` is the E.164 of the other side: whoever rang, "" where it is hidden (P5),
    or whom we called; `attestation` what the carrier says of it: A, B, C, `failed-…` or "" (SEC10).
    Until the carrier has named a call that we started, `carrier_call_id` is our own id; until it
    was answered, `answered_at` is when it was asked for.

    `epoch` counts the connections, and only the current one may speak (C7). `spoke_at` is when
    the agent was first heard: without it nothing is billed (UM5). `recorded_until` is when the
    recording ended, where that was before the call did. `taken_by` talks in the agent's place (I5):
    a member's or key's id, `taken_name` as others see them. `answers`: the agent, or what
    a caller meets outside the hours.
    """

    __audit__ = Marks("call", recorded=False, page="/calls/{}")
    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_live", "number_id", "caller", postgresql_where="ended_at IS NULL"),
        Index("ix_calls_of_caller", "number_id", "caller", "answered_at"),
    )
    id: Mapped[str] = primary_key("call")
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), unique=True)
    number_id: Mapped[str] = mapped_column(String(40), index=True)
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"))
    carrier_call_id: Mapped[str] = mapped_column(String(64), unique=True)
    caller: Mapped[str] = mapped_column(String(64))
    attestation: Mapped[str] = mapped_column(String(12), default="")
    direction: Mapped[Direction] = mapped_column(
        one_of(Direction), default=Direction.INBOUND, server_default=Direction.INBOUND
    )
    state: Mapped[CallState] = mapped_column(one_of(CallState))
    reason: Mapped[str | None] = mapped_column(String(40))
    agent: Mapped[dict[str, Any]] = mapped_column(JSONB)
    answers: Mapped[Answers] = mapped_column(one_of(Answers), default=Answers.AGENT)
    limited: Mapped[bool] = mapped_column(default=False)
    node_id: Mapped[str | None] = mapped_column(String(40), index=True)
    epoch: Mapped[int] = mapped_column(default=1)
    answered_at: Mapped[datetime]
    spoke_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_requested: Mapped[str | None] = mapped_column(String(40))
    recording: Mapped[str | None] = mapped_column(String(16))
    recording_path: Mapped[str | None] = mapped_column(Text)
    recording_ms: Mapped[int | None]
    recorded_until: Mapped[datetime | None]
    taken_by: Mapped[str | None] = mapped_column(String(40))
    taken_name: Mapped[str] = mapped_column(String(200), default="", server_default="")


class MediaNode(Base):
    """A media process that is there: it says so every few seconds, with its room for calls."""

    __tablename__ = "media_nodes"
    id: Mapped[str] = primary_key("node")
    url: Mapped[str] = mapped_column(Text)
    capacity: Mapped[int]
    live: Mapped[int] = mapped_column(default=0)
    heartbeat_at: Mapped[datetime]
