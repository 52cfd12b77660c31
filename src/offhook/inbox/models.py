"""Tables of conversations and their turns: one message format for calls and texts (I1)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, TeamKeyed, one_of, primary_key


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


class Conversation(TeamKeyed, Base):
    """One call, or the SMS thread of one number and one sender (S8).

    `sender` is what the carrier said: an E.164, a short code, a word, or "" for who hides (P5).
    `reason` says why it ended or was not answered, as a code that pages put into words.
    `last_sequence` is the number of its turns; it is raised with each under the row's lock, which
    keeps the turns gapless. `call_id` is the call's own record, where there is one.

    `last_heard_at` is when the other side last said something: whoever has not looked since has it
    unread. `labels` is what `Labelled` says, beside the row for who reads it. A thread with
    `taken_over_by` (a member's or a key's id) is answered by hand (S7).
    """

    __audit__ = Marks("conversation", recorded=False, page="/inbox/{}")
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
        Index("ix_conversations_number", "team_id", "number_id", "last_activity_at", "id"),
        Index("ix_conversations_state", "team_id", "state", "last_activity_at", "id"),
        Index(
            "ix_conversations_assignee",
            "team_id",
            "assignee_id",
            "last_activity_at",
            "id",
            postgresql_where="assignee_id IS NOT NULL",
        ),
        Index(
            "ix_conversations_snoozed",
            "snoozed_until",
            postgresql_where="snoozed_until IS NOT NULL",
        ),
        Index("ix_conversations_opened", "team_id", "opened_at", "id"),
        Index("ix_conversations_timeline", "team_id", "number_id", "sender", "opened_at"),
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
    last_heard_at: Mapped[datetime | None]
    person_needed: Mapped[str] = mapped_column(String(200), default="")
    """Why somebody of the team should look at it, as a sentence; "" when nobody need (I6)."""
    preview: Mapped[str] = mapped_column(String(200), default="")
    last_sequence: Mapped[int] = mapped_column(default=0)
    labels: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    assignee_id: Mapped[str | None] = mapped_column(String(40))
    snoozed_until: Mapped[datetime | None]
    snoozed_by: Mapped[str] = mapped_column(String(40), default="", server_default="")
    taken_over_by: Mapped[str] = mapped_column(String(40), default="", server_default="")
    taken_over_at: Mapped[datetime | None]
    title: Mapped[str] = mapped_column(String(120), default="", server_default="")
    summary: Mapped[str] = mapped_column(Text, default="", server_default="")
    summary_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Which model wrote title and summary; "" when they are the conversation's own words."""


class Turn(TeamKeyed, Base):
    """One bubble. `ended_at` is None while it is still being spoken.

    `author` is who of the team said it by hand, as others see them; "" for everybody else.
    `status` is the channel's own word (`received`, `delivered`, `interrupted`), `note` a sentence
    beside it ("limit reached, not answered"). `citations`: [{passage_id, title}] (K2); `media`:
    [{id, content_type, state, size_bytes}], the files that came with a text.
    """

    __tablename__ = "turns"
    __table_args__ = (UniqueConstraint("conversation_id", "sequence"),)
    id: Mapped[str] = primary_key("trn")
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    sequence: Mapped[int]
    speaker: Mapped[Speaker] = mapped_column(one_of(Speaker, length=16))
    author: Mapped[str] = mapped_column(String(200), default="", server_default="")
    text: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    reaction: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """What the other side's telephone put on this message, mostly an emoji (S9)."""
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    media: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)


class TurnWords(Base):
    """The words of a turn, for the search (I3); `words.py` says how they are read.

    Without a team of its own, because row-level security keeps `@@` from every index. Nothing but
    ids is read from it, and only together with conversations, which are behind that wall.
    """

    __tablename__ = "turn_words"
    __table_args__ = (Index("ix_turn_words", "words", postgresql_using="gin"),)
    turn_id: Mapped[str] = mapped_column(
        ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[str] = mapped_column(String(40), index=True)
    words: Mapped[str] = mapped_column(TSVECTOR)


class Label(Base):
    """A label that the team uses, or has used."""

    __tablename__ = "inbox_labels"
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(30), primary_key=True)


class Labelled(Base):
    """A conversation with a label, found by the label, in the inbox's order."""

    __tablename__ = "inbox_labelled"
    __table_args__ = (
        Index(
            "ix_inbox_labelled_activity", "team_id", "label", "last_activity_at", "conversation_id"
        ),
    )
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    label: Mapped[str] = mapped_column(String(30), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id"), primary_key=True, index=True
    )
    last_activity_at: Mapped[datetime]
    """The conversation's."""


class Reader(Base):
    """Up to when somebody has read everything: a member, or a key."""

    __tablename__ = "inbox_readers"
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    reader: Mapped[str] = mapped_column(String(40), primary_key=True)
    all_read_at: Mapped[datetime]


class Read(Base):
    """When a reader last looked at a conversation; it goes before `Reader`."""

    __tablename__ = "inbox_reads"
    __table_args__ = (Index("ix_inbox_reads_time", "team_id", "reader", "read_at"),)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    reader: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    read_at: Mapped[datetime]
