"""Tables of the ledger. Entries are immutable; everything else follows from them.

meters    a number's kind (for its price) and its two standing limits
periods   a team's months, made when first needed, never changed but for their close
calls     calls that reserve minutes: answer time, heart-beat, end
entries   the ledger: what happened to each unit (hold, resolution, correction)
counters  per number, service and month: posted and pending, always the entries' sums (U7)
days      per number, service, day and price: the entries' sums again, for pages (U9)
notices   which thresholds were announced, so that each is announced once (U9)
spend     of teams with a spend cap: the month as it would be charged, held units included
lines     what a close came to, never changed; billed says which entries a line holds (UI8)
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, TeamKeyed, TeamOwned, UtcTime

ID = String(80)  # call and message ids may be a carrier's own
TEAM_ID = String(40)
UNLIMITED = 2_147_483_647  # how `granted_limit` says that a unit was granted without a limit


class Meter(TeamOwned, Base):
    """What the ledger must know of a number. A number bought again is a new one (UN6)."""

    __tablename__ = "usage_meters"
    __table_args__ = (
        CheckConstraint("limit_calls BETWEEN 1 AND 1000000", "limit_calls"),
        CheckConstraint("limit_sms BETWEEN 1 AND 1000000", "limit_sms"),
    )
    number_id: Mapped[str] = mapped_column(ID, primary_key=True)
    carrier: Mapped[str] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(2))
    number_type: Mapped[str] = mapped_column(String(12))
    limit_calls: Mapped[int | None]
    limit_sms: Mapped[int | None]
    is_capped: Mapped[bool] = mapped_column(default=False, server_default=false())
    opened_at: Mapped[datetime]


class PeriodRow(Base):
    """One month of a team, [starts_at, ends_at), by the zone that it was made for (UP2).

    `day_starts`: the first instant of each of its days, so that SQL finds the day of a unit.
    """

    __tablename__ = "usage_periods"
    team_id: Mapped[str] = mapped_column(TEAM_ID, ForeignKey("teams.id"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))
    day_starts: Mapped[list[datetime]] = mapped_column(ARRAY(UtcTime()), deferred=True)
    closed_at: Mapped[datetime | None]
    closed_as: Mapped[str | None] = mapped_column(String(8))  # closing.ClosedAs


class MeteredCall(TeamOwned, Base):
    """A call that holds or held minutes. `ended_at` is empty while it lives."""

    __tablename__ = "usage_calls"
    __table_args__ = (
        Index("ix_usage_calls_live", "number_id", postgresql_where="ended_at IS NULL"),
    )
    call_id: Mapped[str] = mapped_column(ID, primary_key=True)
    number_id: Mapped[str] = mapped_column(ForeignKey("usage_meters.number_id"))
    direction: Mapped[str] = mapped_column(String(8))
    answered_at: Mapped[datetime]
    reserved_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    alive_at: Mapped[datetime]  # the lease's base: reservation, renewal or heart-beat
    heartbeat_at: Mapped[datetime | None]  # empty: nobody ever spoke for it
    ended_at: Mapped[datetime | None]
    billed_seconds: Mapped[int | None]
    billed_minutes: Mapped[int | None]  # 0: never answered, or nobody ever spoke
    # Minutes beyond the last reservation that the limit did not grant: not billed, reported.
    ungranted_minutes: Mapped[int] = mapped_column(server_default=text("0"))


class Entry(Base):
    """One immutable fact about one unit. A unit is (service, subject, index).

    `stage` is hold (kind reserved), resolution (posted, voided, expired) or correction
    (corrected); a unit has at most one of each: a second write of the same is no write (UI2, UI3).
    """

    __tablename__ = "usage_entries"
    __table_args__ = (
        Index("uq_usage_entries_unit", "service", "subject_id", "unit_index", "stage", unique=True),
        # The month in order of time: the allowance reads its beginning (UF2).
        Index(
            "ix_usage_entries_month",
            "team_id",
            "service",
            "period_start",
            "starts_at",
            "subject_id",
            "unit_index",
            postgresql_where="units <> 0",
        ),
        # What may have come after its month was closed (closing.SLOW): next to nothing.
        Index(
            "ix_usage_entries_slow",
            "team_id",
            "period_start",
            postgresql_where="units <> 0 AND recorded_at - starts_at > interval '71 hours'",
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[str] = mapped_column(TEAM_ID, ForeignKey("teams.id"))
    number_id: Mapped[str] = mapped_column(ForeignKey("usage_meters.number_id"))
    service: Mapped[str] = mapped_column(String(5))
    subject_id: Mapped[str] = mapped_column(ID)
    unit_index: Mapped[int]
    stage: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(9))
    units: Mapped[int] = mapped_column(SmallInteger)  # +1 posted, -1 corrected, else 0
    direction: Mapped[str] = mapped_column(String(8))
    period_start: Mapped[datetime]
    starts_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    price_id: Mapped[str | None] = mapped_column(String(60))
    price_micros: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    reason: Mapped[str | None] = mapped_column(String(200))
    actor: Mapped[str | None] = mapped_column(String(80))


class Counter(TeamKeyed, Base):
    """Posted and pending units of one number, service and month: the row that the kernel locks.

    `limit_units` repeats the meter's limit for as long as the month runs; `granted_limit` is the
    highest limit in force at any grant of the month (UI1).
    """

    __tablename__ = "usage_counters"
    __table_args__ = (
        CheckConstraint("posted >= 0 AND pending >= 0", "not_negative"),
        Index("ix_usage_counters_team", "team_id", "period_start"),
        # The two numbers change with every unit; room on the page keeps the updates cheap.
        {"postgresql_with": {"fillfactor": 50}},
    )
    number_id: Mapped[str] = mapped_column(ForeignKey("usage_meters.number_id"), primary_key=True)
    service: Mapped[str] = mapped_column(String(5), primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    period_end: Mapped[datetime]
    limit_units: Mapped[int | None]
    posted: Mapped[int] = mapped_column(server_default=text("0"))
    pending: Mapped[int] = mapped_column(server_default=text("0"))
    granted_limit: Mapped[int] = mapped_column(server_default=text("0"))
    # The team has a spend cap: a grant asks spend.py too. As the limit, it repeats the meter's.
    is_capped: Mapped[bool] = mapped_column(server_default=false())


class DaySum(Base):
    """Units of one number, service, direction and price on one day of a month; day 0 is its first.

    Written with the entries, in their statement. What is taken back is taken from the day on which
    it was used.
    """

    __tablename__ = "usage_days"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)  # as for counters
    team_id: Mapped[str] = mapped_column(TEAM_ID, ForeignKey("teams.id"), primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(5), primary_key=True)
    number_id: Mapped[str] = mapped_column(ForeignKey("usage_meters.number_id"), primary_key=True)
    day: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    direction: Mapped[str] = mapped_column(String(8), primary_key=True)
    price_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    price_micros: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    units: Mapped[int]


class SpendCap(Base):
    """A team's monthly cap in money: its own, and the operator's upper one; empty is none."""

    __tablename__ = "usage_spend_caps"
    __audit__ = Marks("spend cap", without=("changed_at", "changed_by"), key="team_id")
    __table_args__ = (CheckConstraint("own_micros >= 0 AND upper_micros >= 0", "not_negative"),)
    team_id: Mapped[str] = mapped_column(TEAM_ID, ForeignKey("teams.id"), primary_key=True)
    own_micros: Mapped[int | None] = mapped_column(BigInteger)
    upper_micros: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(40))


class SpendMonth(Base):
    """The row that the grants of a team with a cap lock, one for each month.

    `state`: spending.to_json, empty when the ledger must be read; `told`: from the cap in micros
    to the highest percentage that was announced for it.
    """

    __tablename__ = "usage_spend"
    team_id: Mapped[str] = mapped_column(TEAM_ID, ForeignKey("teams.id"), primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    told: Mapped[dict[str, int]] = mapped_column(JSONB)


class Notice(TeamOwned, Base):
    """A threshold that was announced. `scope` is a number, or the team for its allowance."""

    __tablename__ = "usage_notices"
    scope: Mapped[str] = mapped_column(ID, primary_key=True)
    service: Mapped[str] = mapped_column(String(5), primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    limit_units: Mapped[int] = mapped_column(primary_key=True)
    percent: Mapped[int] = mapped_column(primary_key=True)
    announced_at: Mapped[datetime]


class ClosedLine(TeamKeyed, Base):
    """Units of one number, service, month and price, as one close found them; never changed.

    `closed_in` is the start of the month that was closed; `period_start` the month of the units.
    """

    __tablename__ = "usage_lines"
    __table_args__ = (
        Index("ix_usage_lines_month", "team_id", "period_start", "service"),
        Index("ix_usage_lines_closed_in", "team_id", "closed_in"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    closed_in: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(8))  # closing.LineKind
    number_id: Mapped[str] = mapped_column(ForeignKey("usage_meters.number_id"))
    service: Mapped[str] = mapped_column(String(5))
    direction: Mapped[str] = mapped_column(String(8))
    period_start: Mapped[datetime]
    price_id: Mapped[str] = mapped_column(String(60))
    price_micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    units: Mapped[int]
    free: Mapped[int]
    entries: Mapped[int]


class Billed(Base):
    """Which line an entry is on: one row per entry, however many a month has.

    Without foreign keys, whose check for each of a million rows would take longer than the close;
    the audit finds a row without its entry or line (UI8).
    """

    __tablename__ = "usage_billed"
    __table_args__ = (Index("ix_usage_billed_line", "line_id", "entry_id"),)
    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line_id: Mapped[int] = mapped_column(BigInteger)
    is_free: Mapped[bool]
    team_id: Mapped[str] = mapped_column(TEAM_ID)
