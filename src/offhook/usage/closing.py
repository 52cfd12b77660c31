"""Closing a month: its lines, and which entry is on which line (U10, UF8, UP4, UI6, UI8).

A close takes every entry of its month, and of earlier closed months what came since (late units,
units taken back), in one statement, so that it sees one state of the ledger: whatever commits
later is late. Nothing that was closed before is looked at again but for the units of its
allowance that are left. Knows no invoice and no tax; money is rounded once per line.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, func, select, text, update

from offhook.db import Session
from offhook.prices import Direction, Money
from offhook.prices.money import DEFAULT_CURRENCY
from offhook.usage.models import Billed, ClosedLine, Entry, PeriodRow
from offhook.usage.periods import Period
from offhook.usage.rating import Line, Rate
from offhook.usage.rules import Service

GRACE = timedelta(hours=72)  # a month is closed so long after its end (UP4)
TOO_LATE = timedelta(days=35)  # recorded so long after it happened: at price 0 (UP4)


class LineKind(StrEnum):
    USAGE = "usage"  # units of the month that is closed
    LATE = "late"  # units of a month that was closed before
    EXPIRED = "expired"  # as late, but too late to be charged
    CREDIT = "credit"  # units taken back after their month was closed


class ClosedAs(StrEnum):
    INVOICED = "invoiced"
    EMPTY = "empty"  # nothing happened: no invoice
    UNBILLED = "unbilled"  # billing was off: its units are never charged


@dataclass(frozen=True, slots=True)
class RatedLine:
    """One line of a close. `period` is the month that its units belong to."""

    id: int
    kind: LineKind
    period: Period
    line: Line
    entries: int

    @property
    def amount(self) -> Money:
        """Rounded here, half to even, and nowhere else (UC8)."""
        if self.kind is LineKind.EXPIRED:
            return Money(0, self.line.rate.currency)
        return self.line.amount


@dataclass(frozen=True, slots=True)
class EntryOfLine:
    """One unit on a line: what it was, when, and why it was charged or not."""

    entry_id: int
    number_id: str
    service: Service
    direction: Direction
    subject_id: str
    unit_index: int
    units: int
    starts_at: datetime
    recorded_at: datetime
    price_id: str
    price: Money
    is_free: bool
    reason: str


# Entries that may have been committed after their month was closed; the index of the ledger says
# the same. An hour less than the grace: a transaction at the close may have begun before it.
SLOW = "entry.recorded_at - entry.starts_at > interval '71 hours'"
COLUMNS = """entry.id, entry.number_id, entry.service, entry.direction, entry.period_start,
    entry.subject_id, entry.unit_index, entry.starts_at, entry.units,
    coalesce(entry.price_id, '') AS price_id, coalesce(entry.price_micros, 0) AS price_micros,
    coalesce(entry.currency, :currency) AS currency"""
KEY = "kind, service, number_id, period_start, direction, price_id, price_micros, currency"
MONTH = """entry.team_id = :team_id AND entry.service IN ('calls', 'sms')
      AND entry.period_start = :period_start"""


def _first(service: Service, allowance: str) -> str:
    """The month's free units of one service: its first that were not taken back (UF2)."""
    return f"""
    (SELECT entry.id FROM usage_entries AS entry
    WHERE entry.team_id = :team_id AND entry.service = '{service.value}'
      AND entry.period_start = :period_start AND entry.units <> 0 AND entry.units > 0
      AND NOT EXISTS (SELECT FROM usage_entries AS back
        WHERE back.service = entry.service AND back.subject_id = entry.subject_id
          AND back.unit_index = entry.unit_index AND back.stage = 'correction')
    ORDER BY entry.starts_at, entry.subject_id, entry.unit_index LIMIT :{allowance})"""


# A million entries of the month are read twice and never put aside; what is put aside are the few
# that came late and the few that are free.
RATED = f"""
WITH late AS MATERIALIZED (
    SELECT {COLUMNS},
        CASE WHEN entry.recorded_at - entry.starts_at > :too_late THEN 'expired' ELSE 'late' END
            AS kind
    FROM usage_entries AS entry
    JOIN usage_periods AS month ON month.team_id = entry.team_id
      AND month.starts_at = entry.period_start AND month.closed_as IN ('invoiced', 'empty')
    WHERE entry.team_id = :team_id AND entry.units <> 0 AND {SLOW}
      AND entry.period_start < :period_start
      AND NOT EXISTS (SELECT FROM usage_billed AS billed WHERE billed.entry_id = entry.id)
), undone AS MATERIALIZED (
    -- Come and taken back within this close: both on one line, neither free nor charged.
    SELECT back.id AS back_id, unit.id AS unit_id, unit.kind
    FROM late AS back JOIN late AS unit USING (service, subject_id, unit_index)
    WHERE back.units < 0 AND unit.units > 0
), credited AS MATERIALIZED (
    -- Taken back after the unit was on a line: a credit of what that line had charged for it.
    SELECT back.id, billed.is_free,
        CASE line.kind WHEN 'expired' THEN 'expired' ELSE 'credit' END AS kind
    FROM late AS back
    JOIN usage_entries AS unit ON unit.service = back.service
      AND unit.subject_id = back.subject_id AND unit.unit_index = back.unit_index
      AND unit.stage = 'resolution' AND unit.team_id = :team_id
    JOIN usage_billed AS billed ON billed.entry_id = unit.id
    JOIN usage_lines AS line ON line.id = billed.line_id
    WHERE back.units < 0
), room AS (
    SELECT service, period_start, size - coalesce((
        SELECT sum(line.free) FROM usage_lines AS line
        WHERE line.team_id = :team_id AND line.service = month.service
          AND line.period_start = month.period_start), 0) AS units
    FROM (SELECT DISTINCT service, period_start FROM late) AS month
    JOIN (VALUES ('calls', :free_calls), ('sms', :free_sms)) AS allowance (service, size)
      USING (service)
), free AS MATERIALIZED (
    {_first(Service.CALLS, "free_calls")}
  UNION ALL
    {_first(Service.SMS, "free_sms")}
  UNION ALL
    SELECT id FROM (
        SELECT id, service, period_start, row_number() OVER (
            PARTITION BY service, period_start ORDER BY starts_at, subject_id, unit_index) AS place
        FROM late
        WHERE units > 0 AND kind <> 'expired' AND id NOT IN (SELECT unit_id FROM undone)
    ) AS placed
    JOIN room USING (service, period_start)
    WHERE place <= room.units
), rated AS NOT MATERIALIZED (
    SELECT {COLUMNS}, 'usage' AS kind, free.id IS NOT NULL AS is_free
    FROM usage_entries AS entry LEFT JOIN free ON free.id = entry.id
    WHERE {MONTH} AND entry.units <> 0
  UNION ALL
    SELECT late.id, late.number_id, late.service, late.direction, late.period_start,
        late.subject_id, late.unit_index, late.starts_at, late.units,
        late.price_id, late.price_micros, late.currency,
        coalesce(credited.kind, undone.kind, late.kind),
        coalesce(credited.is_free, free.id IS NOT NULL)
    FROM late
    LEFT JOIN credited ON credited.id = late.id
    LEFT JOIN undone ON undone.back_id = late.id
    LEFT JOIN free ON free.id = late.id
), total AS (
    SELECT {KEY}, sum(units)::int AS units,
        coalesce(sum(units) FILTER (WHERE is_free), 0)::int AS free, count(*)::int AS entries
    FROM rated GROUP BY {KEY}
)"""

PREVIEW = RATED + " SELECT 0 AS id, * FROM total"
CLOSE = f"""{RATED}, made AS (
    INSERT INTO usage_lines (team_id, closed_in, {KEY}, units, free, entries)
    SELECT :team_id, :period_start, {KEY}, units, free, entries FROM total
    RETURNING *
), kept AS (
    INSERT INTO usage_billed (entry_id, line_id, is_free, team_id)
    SELECT rated.id, made.id, rated.is_free, :team_id FROM rated JOIN made USING ({KEY})
)
SELECT id, {KEY}, units, free, entries FROM made
"""


async def preview(session: Session, team_id: str, period_start: datetime) -> list[RatedLine]:
    """The lines that closing the month at `period_start` now would make; writes nothing."""
    return await _rated(session, PREVIEW, team_id, period_start)


async def close(session: Session, team_id: str, period_start: datetime) -> list[RatedLine]:
    """Put every entry that is on no line yet on one. The caller holds the month's row
    (`earliest_due`) and says with `closed` what came of it, in the same transaction.
    """
    return await _rated(session, CLOSE, team_id, period_start)


async def teams_due(session: Session, at: datetime) -> Sequence[str]:
    """The teams that have a month to be closed (system scope)."""
    found = await session.scalars(
        select(PeriodRow.team_id)
        .where(PeriodRow.closed_at.is_(None), PeriodRow.ends_at <= at - GRACE)
        .group_by(PeriodRow.team_id)
        .order_by(func.min(PeriodRow.ends_at), PeriodRow.team_id)
    )
    return found.all()


async def earliest_due(session: Session, team_id: str, at: datetime) -> Period | None:
    """The team's first open month, locked, if its time has come (UP4); months close in order.

    Waits for another worker that closes it, and then finds nothing.
    """
    row = await session.scalar(
        select(PeriodRow)
        .where(PeriodRow.team_id == team_id, PeriodRow.closed_at.is_(None))
        .order_by(PeriodRow.starts_at)
        .limit(1)
        .with_for_update(key_share=True)
    )
    if row is None or row.ends_at > at - GRACE:
        return None
    return Period(row.starts_at, row.ends_at, row.zone)


async def open_months(session: Session, team_id: str, at: datetime) -> list[Period]:
    """The months that have begun and are not closed, the earliest first."""
    rows = await session.scalars(
        select(PeriodRow)
        .where(
            PeriodRow.team_id == team_id,
            PeriodRow.closed_at.is_(None),
            PeriodRow.starts_at <= at,
        )
        .order_by(PeriodRow.starts_at)
    )
    return [Period(row.starts_at, row.ends_at, row.zone) for row in rows.all()]


async def closed(
    session: Session, team_id: str, period_start: datetime, how: ClosedAs, at: datetime
) -> None:
    """The month is closed: what comes from now on is late."""
    await session.execute(
        update(PeriodRow)
        .where(PeriodRow.team_id == team_id, PeriodRow.starts_at == period_start)
        .values(closed_at=at, closed_as=how.value)
    )


async def lines_of_month(session: Session, team_id: str, period: Period) -> list[RatedLine]:
    """The lines that hold units of a closed month, those made by later closes too."""
    rows = await session.scalars(
        select(ClosedLine).where(
            ClosedLine.team_id == team_id, ClosedLine.period_start == period.starts_at
        )
    )
    found = [
        RatedLine(
            id=row.id,
            kind=LineKind(row.kind),
            period=period,
            line=Line(
                row.number_id,
                Service(row.service),
                Rate(row.price_id, Direction(row.direction), row.price_micros, row.currency),
                row.units,
                row.free,
            ),
            entries=row.entries,
        )
        for row in rows
    ]
    return sorted(found, key=_order)


async def entries_of_line(
    session: Session, team_id: str, line_id: int, *, after: int = 0, limit: int = 50
) -> list[EntryOfLine]:
    """The entries that a line holds, in the order of their recording, from entry `after` on."""
    rows = await session.execute(
        select(Entry, Billed.is_free)
        .join(Billed, Billed.entry_id == Entry.id)
        .where(
            Billed.line_id == line_id,
            Billed.team_id == team_id,
            Billed.entry_id > after,
            Entry.team_id == team_id,
        )
        .order_by(Billed.entry_id)
        .limit(limit)
    )
    return [_entry(entry, is_free=is_free) for entry, is_free in rows.all()]


async def _rated(
    session: Session, statement: str, team_id: str, period_start: datetime
) -> list[RatedLine]:
    rows = await session.execute(
        text(statement),
        {
            "team_id": team_id,
            "period_start": period_start,
            "too_late": TOO_LATE,
            "currency": DEFAULT_CURRENCY,
            "free_calls": Service.CALLS.free_units,
            "free_sms": Service.SMS.free_units,
        },
    )
    found = rows.mappings().all()
    months = await _months(session, team_id, {row["period_start"] for row in found})
    return sorted((_line(row, months[row["period_start"]]) for row in found), key=_order)


async def _months(
    session: Session, team_id: str, starts: Collection[datetime]
) -> dict[datetime, Period]:
    rows = await session.scalars(
        select(PeriodRow).where(PeriodRow.team_id == team_id, PeriodRow.starts_at.in_(starts))
    )
    return {row.starts_at: Period(row.starts_at, row.ends_at, row.zone) for row in rows}


def _line(row: RowMapping, period: Period) -> RatedLine:
    rate = Rate(row["price_id"], Direction(row["direction"]), row["price_micros"], row["currency"])
    return RatedLine(
        id=row["id"],
        kind=LineKind(row["kind"]),
        period=period,
        line=Line(row["number_id"], Service(row["service"]), rate, row["units"], row["free"]),
        entries=row["entries"],
    )


def _order(each: RatedLine) -> tuple[Any, ...]:
    """The month's own usage first, then what came late, by month; by number within."""
    line = each.line
    kinds = list(LineKind)
    return (
        kinds.index(each.kind),
        each.period.starts_at,
        line.number_id,
        line.service.value,
        line.rate,
    )


def _entry(entry: Entry, *, is_free: bool) -> EntryOfLine:
    return EntryOfLine(
        entry_id=entry.id,
        number_id=entry.number_id,
        service=Service(entry.service),
        direction=Direction(entry.direction),
        subject_id=entry.subject_id,
        unit_index=entry.unit_index,
        units=entry.units,
        starts_at=entry.starts_at,
        recorded_at=entry.recorded_at,
        price_id=entry.price_id or "",
        price=Money(entry.price_micros or 0, entry.currency or DEFAULT_CURRENCY),
        is_free=is_free,
        reason=entry.reason or "",
    )
