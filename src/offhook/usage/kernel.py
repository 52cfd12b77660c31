"""The one place in SQL that takes and resolves units; what makes limits exact (U4, U7).

RESERVE enters the hold under its unique key and takes one unit from the counter, if the counter
allows it. READ COMMITTED suffices: who waits for the counter's row lock re-checks the limit on
the row as it is then (UL6), so of two that want the last unit exactly one gets it. The row stays
locked until the transaction commits: reserve late in it.

Lock order, everywhere: call, meter, counters by ascending month. Knows no prices, no zones; what
is decided above (rules.py) is recorded here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from offhook.db import Session
from offhook.usage.models import UNLIMITED
from offhook.usage.rating import Rate
from offhook.usage.rules import Kind, Service

# The parts that decide, by name, so that a test can break one and see that it is noticed.
WITHIN_LIMIT = "counter.limit_units IS NULL OR posted + pending + 1 <= counter.limit_units"
ONCE = "ON CONFLICT (service, subject_id, unit_index, stage) DO NOTHING"

RESERVE = f"""
WITH period AS (
    SELECT starts_at, ends_at FROM usage_periods
    WHERE team_id = :team_id AND starts_at <= :starts_at AND ends_at > :starts_at
), entered AS (
    INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,
        units, direction, period_start, starts_at, recorded_at)
    SELECT :team_id, :number_id, :service, :subject_id, :index, 'hold', 'reserved',
        0, :direction, period.starts_at, :starts_at, :recorded_at
    FROM period
    {ONCE}
    RETURNING id, period_start
), taken AS (
    UPDATE usage_counters AS counter
    SET pending = pending + 1,
        granted_limit = greatest(granted_limit, coalesce(limit_units, {UNLIMITED}))
    FROM entered
    WHERE counter.team_id = :team_id
      AND counter.number_id = :number_id
      AND counter.service = :service
      AND counter.period_start = entered.period_start
      AND ({WITHIN_LIMIT})
    RETURNING posted, pending, limit_units
)
SELECT
    (SELECT starts_at FROM period) AS period_start,
    (SELECT ends_at FROM period) AS period_end,
    (SELECT id FROM entered) AS entry_id,
    (SELECT posted FROM taken) AS posted,
    (SELECT pending FROM taken) AS pending,
    (SELECT limit_units FROM taken) AS limit_units,
    EXISTS (
        SELECT FROM usage_counters AS counter, period
        WHERE counter.team_id = :team_id AND counter.number_id = :number_id
          AND counter.service = :service AND counter.period_start = period.starts_at
    ) AS is_counted
"""  # noqa: S608 - the inserted parts are the constants above

# A refused unit leaves nothing: nobody has seen the hold of this transaction.
WITHDRAW = "DELETE FROM usage_entries WHERE id = :entry_id AND team_id = :team_id"

# Both services at once: a transaction that meets its first unit of a month never comes back for
# a second lock on the meter while it holds a counter.
OPEN_COUNTERS = """
WITH meter AS (
    SELECT * FROM usage_meters WHERE number_id = :number_id AND team_id = :team_id FOR SHARE
)
INSERT INTO usage_counters
    (team_id, number_id, service, period_start, period_end, limit_units)
SELECT team_id, number_id, 'calls', :period_start, :period_end, limit_calls FROM meter
UNION ALL
SELECT team_id, number_id, 'sms', :period_start, :period_end, limit_sms FROM meter
ON CONFLICT DO NOTHING
"""

# A hold moves to the month in which its minute really starts, under that month's limit (UM6).
LOCK_BOTH = """
SELECT 1 FROM usage_counters
WHERE team_id = :team_id AND number_id = :number_id AND service = :service
  AND period_start IN (:period_start, :to)
ORDER BY period_start FOR UPDATE
"""
MOVE_IN = f"""
UPDATE usage_counters AS counter
SET pending = pending + 1,
    granted_limit = greatest(granted_limit, coalesce(limit_units, {UNLIMITED}))
WHERE team_id = :team_id AND number_id = :number_id AND service = :service
  AND period_start = :period_start AND ({WITHIN_LIMIT})
RETURNING 1
"""  # noqa: S608 - the inserted parts are the constants above
MOVE_OUT = """
UPDATE usage_counters SET pending = pending - 1
WHERE team_id = :team_id AND number_id = :number_id AND service = :service
  AND period_start = :period_start
"""

RESOLVE = f"""
WITH resolved AS (
    INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,
        units, direction, period_start, starts_at, recorded_at, price_id, price_micros, currency,
        reason)
    SELECT :team_id, :number_id, :service, :subject_id, unit.index, 'resolution', unit.kind,
        CASE WHEN unit.kind = 'posted' THEN 1 ELSE 0 END, :direction, :period_start,
        unit.starts_at, :recorded_at, unit.price_id, unit.price_micros, unit.currency, :reason
    FROM unnest(CAST(:indexes AS int[]), CAST(:kinds AS text[]),
        CAST(:starts AS timestamptz[]), CAST(:price_ids AS text[]),
        CAST(:price_micros AS bigint[]), CAST(:currencies AS text[]))
        AS unit (index, kind, starts_at, price_id, price_micros, currency)
    {ONCE}
    RETURNING kind
), sums AS (
    SELECT count(*) AS ended, count(*) FILTER (WHERE kind = 'posted') AS posted FROM resolved
)
UPDATE usage_counters AS counter
SET pending = counter.pending - sums.ended, posted = counter.posted + sums.posted
FROM sums
WHERE counter.team_id = :team_id
  AND counter.number_id = :number_id
  AND counter.service = :service
  AND counter.period_start = :period_start
RETURNING sums.ended, counter.posted, counter.pending, counter.limit_units, counter.period_end
"""  # noqa: S608 - the inserted part is the constant above

CORRECT = f"""
WITH corrected AS (
    INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,
        units, direction, period_start, starts_at, recorded_at, price_id, price_micros, currency,
        reason, actor)
    SELECT team_id, number_id, service, subject_id, unit_index, 'correction', 'corrected',
        -1, direction, period_start, starts_at, :recorded_at, price_id, price_micros, currency,
        :reason, :actor
    FROM usage_entries
    WHERE team_id = :team_id AND service = :service AND subject_id = :subject_id
      AND unit_index = :index AND stage = 'resolution' AND kind = 'posted'
    {ONCE}
    RETURNING number_id, period_start
)
UPDATE usage_counters AS counter
SET posted = posted - 1
FROM corrected
WHERE counter.team_id = :team_id
  AND counter.number_id = corrected.number_id
  AND counter.service = :service
  AND counter.period_start = corrected.period_start
RETURNING 1
"""  # noqa: S608 - the inserted part is the constant above


@dataclass(frozen=True, slots=True)
class Wanted:
    """One unit that somebody wants to use."""

    team_id: str
    number_id: str
    service: Service
    subject_id: str
    index: int
    direction: str
    starts_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """The counter just after a unit was taken from it."""

    posted: int
    pending: int
    limit: int | None
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The counter did not allow it: nothing was taken, nothing is left behind."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The key is on the ledger already: nothing was taken."""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """The month or its counter is not there yet: make it and ask again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One held unit's end, with its price where it was used."""

    index: int
    kind: Kind
    starts_at: datetime
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """How many units were `ended` now, and the counter after it."""

    ended: int
    posted: int
    pending: int
    limit: int | None
    period_end: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """The counter that units are resolved on."""

    team_id: str
    number_id: str
    service: Service
    period_start: datetime

    def keys(self) -> dict[str, Any]:
        return {
            "team_id": self.team_id,
            "number_id": self.number_id,
            "service": self.service.value,
            "period_start": self.period_start,
        }


async def reserve(session: Session, wanted: Wanted) -> Taken | Refused | Duplicate | Uncounted:
    """Enter the hold and take its unit in one statement, or leave everything as it was."""
    row = (
        await session.execute(
            text(RESERVE),
            {
                "team_id": wanted.team_id,
                "number_id": wanted.number_id,
                "service": wanted.service.value,
                "subject_id": wanted.subject_id,
                "index": wanted.index,
                "direction": wanted.direction,
                "starts_at": wanted.starts_at,
                "recorded_at": wanted.recorded_at,
            },
        )
    ).one()
    if row.posted is not None:
        return Taken(row.posted, row.pending, row.limit_units, row.period_start, row.period_end)
    if row.entry_id is not None:
        await session.execute(text(WITHDRAW), {"entry_id": row.entry_id, "team_id": wanted.team_id})
        # As this very statement saw it: a counter that somebody makes meanwhile is asked again.
        return Refused() if row.is_counted else Uncounted()
    return Uncounted() if row.period_end is None else Duplicate()


async def open_counters(
    session: Session, team_id: str, number_id: str, period_start: datetime, period_end: datetime
) -> None:
    """Make the counters of a number's month, if nobody has; never while one of them is locked."""
    await session.execute(
        text(OPEN_COUNTERS),
        {
            "team_id": team_id,
            "number_id": number_id,
            "period_start": period_start,
            "period_end": period_end,
        },
    )


async def move(session: Session, account: Account, to: datetime) -> bool:
    """Move one pending unit to the month that starts at `to`, if that month's limit has room."""
    keys = account.keys()
    await session.execute(text(LOCK_BOTH), {**keys, "to": to})
    moved = await session.execute(text(MOVE_IN), {**keys, "period_start": to})
    if moved.first() is None:
        return False
    await session.execute(text(MOVE_OUT), keys)
    return True


async def resolve(
    session: Session,
    account: Account,
    subject_id: str,
    ended: Sequence[Ended],
    *,
    direction: str,
    recorded_at: datetime,
    reason: str | None = None,
) -> Resolved:
    """End held units of one call or message in one month; those that ended before stay."""
    row = (
        await session.execute(
            text(RESOLVE),
            {
                **account.keys(),
                "subject_id": subject_id,
                "direction": direction,
                "recorded_at": recorded_at,
                "reason": reason,
                "indexes": [unit.index for unit in ended],
                "kinds": [unit.kind.value for unit in ended],
                "starts": [unit.starts_at for unit in ended],
                "price_ids": [unit.rate and unit.rate.price_id for unit in ended],
                "price_micros": [unit.rate and unit.rate.micros for unit in ended],
                "currencies": [unit.rate and unit.rate.currency for unit in ended],
            },
        )
    ).one()
    return Resolved(row.ended, row.posted, row.pending, row.limit_units, row.period_end)


async def correct(
    session: Session,
    team_id: str,
    service: Service,
    subject_id: str,
    index: int,
    *,
    recorded_at: datetime,
    reason: str,
    actor: str,
) -> bool:
    """Take one posted unit back beside its entry (UT7, UC9); whether it was still to be taken."""
    made = await session.execute(
        text(CORRECT),
        {
            "team_id": team_id,
            "service": service.value,
            "subject_id": subject_id,
            "index": index,
            "recorded_at": recorded_at,
            "reason": reason,
            "actor": actor,
        },
    )
    return made.first() is not None
