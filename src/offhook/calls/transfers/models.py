"""Tables of transfers: whom callers may be put through to, and what became of each transfer."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.calls.transfers.rules import Failure, TransferState
from offhook.db import Base, TeamKeyed, TeamOwned, one_of, primary_key


class TransferTarget(TeamKeyed, Base):
    """A person or desk of the owner's list (SEC13); nobody else is ever called.

    `announced`: whoever answers hears who is calling, and takes the call by pressing a key.
    `stands_in`: takes callers who need a person, and those whose agent cannot go on (C9); one of
    a team at most.
    """

    __tablename__ = "transfer_targets"
    __audit__ = Marks("transfer target", label="name")
    __table_args__ = (
        UniqueConstraint("team_id", "name"),
        Index(
            "uq_transfer_targets_stands_in", "team_id", unique=True, postgresql_where="stands_in"
        ),
    )
    id: Mapped[str] = primary_key("ttg")
    name: Mapped[str] = mapped_column(String(80))
    e164: Mapped[str] = mapped_column(String(20))
    ring_s: Mapped[int]
    announced: Mapped[bool]
    stands_in: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]


class Transfer(TeamOwned, Base):
    """One transfer, with its target as it was then.

    `granted` counts the minutes that the ledger has granted to the call, and `walled` those that
    the carrier knows of as its own limit. `final` is why no further one was granted (an `End`).
    `minutes` are those of the second leg, once it is over, with the price of each (UM9).
    `rescue`: nobody asked for it, the agent could not go on (C9).
    """

    __tablename__ = "transfers"
    __table_args__ = (
        Index("uq_transfers_open", "call_id", unique=True, postgresql_where="ended_at IS NULL"),
        Index("ix_transfers_call", "call_id", "requested_at"),
        Index(
            "ix_transfers_priced",
            "team_id",
            "ended_at",
            postgresql_where="price_micros IS NOT NULL",
        ),
    )
    id: Mapped[str] = primary_key("tfr")
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"))
    run_id: Mapped[str] = mapped_column(String(40))
    target_id: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    e164: Mapped[str] = mapped_column(String(20))
    ring_s: Mapped[int]
    announced: Mapped[bool]
    state: Mapped[TransferState] = mapped_column(one_of(TransferState))
    failure: Mapped[Failure | None] = mapped_column(one_of(Failure))
    leg_id: Mapped[str] = mapped_column(String(64), default="")
    rescue: Mapped[bool] = mapped_column(default=False, server_default=false())
    granted: Mapped[int]
    walled: Mapped[int] = mapped_column(default=0)
    final: Mapped[str | None] = mapped_column(String(40))
    told: Mapped[bool] = mapped_column(default=False)
    requested_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    minutes: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    price_micros: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
