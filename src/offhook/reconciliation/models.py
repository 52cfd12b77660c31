"""Tables of the comparison with the carrier's records: days, totals, differences.

days         how far each day of a carrier account was compared; the installation's own
totals       both sides of a number's day
differences  each disagreement and what was done; changed only forward, never deleted
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, TeamOwned, one_of, primary_key
from offhook.reconciliation.rules import Action, Kind
from offhook.usage import Service

ACCOUNT = String(64)  # the carrier's id of an account
REASON_LENGTH = 200
ID = String(80)  # call and message ids may be a carrier's own


class ReconciledDay(Base):
    """A UTC day of a carrier account. `final_at`: it was compared for the last time."""

    __tablename__ = "reconciliation_days"
    account_id: Mapped[str] = mapped_column(ACCOUNT, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    checked_at: Mapped[datetime]
    final_at: Mapped[datetime | None]
    calls: Mapped[int]
    messages: Mapped[int]
    differences: Mapped[int]


class NumberDay(TeamOwned, Base):
    """Both sides of one number's day (UC7). `unpriced`: records that have no price yet."""

    __tablename__ = "reconciliation_totals"
    number_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    our_calls: Mapped[int]
    our_minutes: Mapped[int]
    our_messages: Mapped[int]
    our_segments: Mapped[int]
    their_calls: Mapped[int]
    their_minutes: Mapped[int]
    their_messages: Mapped[int]
    their_segments: Mapped[int]
    cost_micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    unpriced: Mapped[int]


class Difference(TeamOwned, Base):
    """One disagreement. `ours` and `theirs`: minutes of a call, segments of a message.

    `units`: how many units what was done took back (below 0) or added. `subject_id`: our call or
    message, the carrier's id of a call that only it has, or empty.
    """

    __tablename__ = "reconciliation_differences"
    __table_args__ = (
        UniqueConstraint("account_id", "service", "carrier_id"),
        Index("ix_reconciliation_differences_list", "day", "id"),
    )
    id: Mapped[str] = primary_key("dif")
    account_id: Mapped[str] = mapped_column(ACCOUNT)
    day: Mapped[date] = mapped_column(Date)
    number_id: Mapped[str] = mapped_column(String(40), index=True)
    service: Mapped[Service] = mapped_column(one_of(Service))
    kind: Mapped[Kind] = mapped_column(one_of(Kind))
    carrier_id: Mapped[str] = mapped_column(ID)
    subject_id: Mapped[str] = mapped_column(ID)
    ours: Mapped[int]
    theirs: Mapped[int]
    our_seconds: Mapped[int]
    their_seconds: Mapped[int]
    action: Mapped[Action] = mapped_column(one_of(Action))
    units: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")
    actor: Mapped[str] = mapped_column(String(80), default="")
    found_at: Mapped[datetime]
    acted_at: Mapped[datetime | None]
