"""Tables of messages and of opt-outs."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, TeamKeyed, one_of, primary_key
from offhook.messages.rules import Kind, Outcome, State, Why


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Message(TeamKeyed, Base):
    """One text, in or out. `ours` and `remote` are the two ends as they were at the time.

    An inbound one has an `outcome`, and `why` if it was kept; an outbound one a `kind`. `counted`:
    a unit of the ledger is held or used under this id. `attempted_at` is when it was first about
    to be handed over: what the carrier has of it is not older (faults a7). `contradiction` is a
    final state that was told after the one that stands (S6).
    """

    __tablename__ = "messages"
    __table_args__ = (
        # Stored once, however often the carrier tells it (S2).
        UniqueConstraint("carrier_account", "carrier_id"),
        # At most one reply of a thread is being thought of.
        Index(
            "uq_messages_draft",
            "conversation_id",
            unique=True,
            postgresql_where=f"state = '{State.DRAFT}'",
        ),
        Index("ix_messages_thread", "team_id", "conversation_id", "turn_sequence"),
        Index(
            "ix_messages_unfinished",
            "created_at",
            postgresql_where=f"outcome = '{Outcome.WAITING}' OR state IN ('queued', 'sending')",
        ),
        Index("ix_messages_list", "team_id", "created_at", "id"),
        Index("ix_messages_remote", "team_id", "remote", "created_at"),
    )
    id: Mapped[str] = primary_key("sms")
    number_id: Mapped[str] = mapped_column(ForeignKey("numbers.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"))
    turn_id: Mapped[str | None] = mapped_column(String(40))
    turn_sequence: Mapped[int | None]
    direction: Mapped[Direction] = mapped_column(one_of(Direction))
    kind: Mapped[Kind | None] = mapped_column(one_of(Kind))
    carrier_account: Mapped[str] = mapped_column(String(64))
    carrier_id: Mapped[str | None] = mapped_column(String(64))
    ours: Mapped[str] = mapped_column(String(16))
    remote: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text, default="")
    encoding: Mapped[str] = mapped_column(String(8), default="")
    segments: Mapped[int] = mapped_column(default=0)
    state: Mapped[State] = mapped_column(one_of(State))
    outcome: Mapped[Outcome | None] = mapped_column(one_of(Outcome))
    why: Mapped[Why | None] = mapped_column(one_of(Why, length=40))
    reply_id: Mapped[str | None] = mapped_column(String(40))
    error_code: Mapped[int | None]
    contradiction: Mapped[State | None] = mapped_column(one_of(State))
    counted: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    attempted_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class OptOut(TeamKeyed, Base):
    """Somebody who wants no texts and no calls from one of a team's numbers (S4).

    Kept by the two telephone numbers, so it outlives the records of both.
    """

    __tablename__ = "opt_outs"
    __table_args__ = (UniqueConstraint("team_id", "ours", "remote"),)
    id: Mapped[str] = primary_key("opt")
    ours: Mapped[str] = mapped_column(String(16))
    remote: Mapped[str] = mapped_column(String(20), index=True)
    source: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
