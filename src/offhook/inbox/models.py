"""Tables of conversations and their turns: one message format for calls and texts (I1)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Computed, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, TeamOwned, one_of, primary_key


class Channel(StrEnum):
    CALL = "call"
    SMS = "sms"


class State(StrEnum):
    """LIVE is a running call, OPEN a thread that goes on, NOT_ANSWERED a refused call (C1)."""

    LIVE = "live"
    OPEN = "open"
    CLOSED = "closed"
    NOT_ANSWERED = "not_answered"


class Speaker(StrEnum):
    """Who a turn is from. NOTICE is ours: a line of the product between the bubbles."""

    CALLER = "caller"
    AGENT = "agent"
    PERSON = "person"
    NOTICE = "notice"


class Conversation(TeamOwned, Base):
    """One call, or the SMS thread of one number and one sender (S8).

    `sender` is what the carrier said: an E.164, a short code, a word, or "" for who hides (P5).
    `reason` says why it ended or was not answered, as a code that pages put into words.
    `last_sequence` is the number of its turns; it is raised with each under the row's lock, which
    keeps the turns gapless. `call_id` is the call's own record, where there is one.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        Index(
            "uq_conversations_thread",
            "team_id",
            "number_id",
            "sender",
            unique=True,
            postgresql_where="channel = 'sms' AND sender <> ''",
        ),
        Index(
            "ix_conversations_person_needed",
            "team_id",
            "last_activity_at",
            postgresql_where="person_needed <> ''",
        ),
        Index("ix_conversations_activity", "team_id", "last_activity_at", "id"),
        Index("ix_conversations_timeline", "team_id", "number_id", "sender"),
    )
    id: Mapped[str] = primary_key("cnv")
    channel: Mapped[Channel] = mapped_column(one_of(Channel, length=16))
    number_id: Mapped[str] = mapped_column(String(40))
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    sender: Mapped[str] = mapped_column(String(64))
    state: Mapped[State] = mapped_column(one_of(State, length=16))
    reason: Mapped[str] = mapped_column(String(60), default="")
    agent_id: Mapped[str | None] = mapped_column(String(40))
    agent_version: Mapped[int | None]
    call_id: Mapped[str | None] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    last_activity_at: Mapped[datetime]
    unread: Mapped[bool] = mapped_column(default=False)
    person_needed: Mapped[str] = mapped_column(String(200), default="")
    """Why somebody of the team should look at it, as a sentence; "" when nobody need (I6)."""
    preview: Mapped[str] = mapped_column(String(200), default="")
    last_sequence: Mapped[int] = mapped_column(default=0)
    labels: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")


class Turn(TeamOwned, Base):
    """One bubble. `ended_at` is None while it is still being spoken.

    `status` is the channel's own word (`received`, `delivered`, `interrupted`), `note` a sentence
    beside it ("limit reached, not answered"). `citations`: [{passage_id, title}] (K2); `media`:
    [{url, content_type}].
    """

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("conversation_id", "sequence"),
        Index("ix_turns_words", "words", postgresql_using="gin"),
    )
    id: Mapped[str] = primary_key("trn")
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    sequence: Mapped[int]
    speaker: Mapped[Speaker] = mapped_column(one_of(Speaker, length=16))
    text: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    media: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    # "simple": words as they are; a team's callers speak more languages than one dictionary.
    words: Mapped[str] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple'::regconfig, text)", persisted=True)
    )
