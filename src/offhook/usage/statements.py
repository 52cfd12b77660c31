"""The SQL that takes and resolves units: what makes limits exact (U4, U7). Used by kernel.py only.

RESERVE enters the hold under its unique key and takes one unit from the counter, if the counter
allows it. READ COMMITTED suffices: who waits for the counter's row lock re-checks the limit on
the row as it is then (UL6), so of two that want the last unit exactly one gets it. The row stays
locked until the transaction commits: reserve late in it.

A reservation is one statement, `WITH MOMENT, <one of the three units>, RESERVE`, so that one wait
for the server is all that it costs. Whatever enters used units adds them to the sums of their days
in the same statement, under the lock of their counter. Parameters are the driver's.
"""

from offhook.prices.money import DEFAULT_CURRENCY
from offhook.usage.models import UNLIMITED

# The parts that decide, by name, so that a test can break one and see that it is noticed.
WITHIN_LIMIT = "counter.limit_units IS NULL OR posted + pending + 1 <= counter.limit_units"
ONCE = "ON CONFLICT (service, subject_id, unit_index, stage) DO NOTHING"

# The time of the unit: the test's clock, else the database's, asked where it is used (UM7).
MOMENT = """
moment AS MATERIALIZED (
    SELECT coalesce(%(present)s::timestamptz, clock_timestamp()) AS at
)"""
# A number that is not this team's has no unit.
METER = "usage_meters WHERE number_id = %(number_id)s AND team_id = %(team_id)s"

# A call is made with its minute 0; a repeat finds it. One that has ended joins nothing.
FIRST_MINUTE = f"""
call AS (
    INSERT INTO usage_calls (call_id, team_id, number_id, direction, answered_at, alive_at,
        reserved_minutes)
    SELECT %(subject_id)s, team_id, number_id, %(direction)s,
        coalesce(%(starts_at)s::timestamptz, moment.at), moment.at, 1
    FROM moment, (SELECT team_id, number_id FROM {METER}) AS meter
    ON CONFLICT (call_id) DO UPDATE SET alive_at = excluded.alive_at
    WHERE usage_calls.team_id = excluded.team_id AND usage_calls.ended_at IS NULL
    RETURNING answered_at
), unit AS (
    SELECT coalesce(%(starts_at)s::timestamptz, answered_at) AS starts_at FROM call
)"""
# The call's lock keeps a renewal and a settlement apart.
NEXT_MINUTE = """
call AS (
    UPDATE usage_calls AS live
    SET alive_at = moment.at, heartbeat_at = moment.at,
        reserved_minutes = greatest(reserved_minutes, %(index)s + 1)
    FROM moment
    WHERE call_id = %(subject_id)s AND team_id = %(team_id)s AND ended_at IS NULL
      AND reserved_minutes >= %(index)s
    RETURNING answered_at
), unit AS (
    SELECT coalesce(%(starts_at)s::timestamptz,
        answered_at + %(index)s * interval '1 minute') AS starts_at
    FROM call
)"""
# Whoever renews several calls at once locks them all before the first counter, in one order.
LOCK_CALLS = """
SELECT call_id, answered_at FROM usage_calls
WHERE call_id = ANY(%(call_ids)s)
ORDER BY call_id FOR NO KEY UPDATE
"""
# A message, or a minute of a call whose row the caller has locked.
PLAIN_UNIT = f"""
unit AS (
    SELECT coalesce(%(starts_at)s::timestamptz, moment.at) AS starts_at
    FROM moment, (SELECT 1 FROM {METER}) AS meter
)"""

RESERVE = f"""
period AS (
    SELECT period.starts_at, period.ends_at, unit.starts_at AS unit_starts_at
    FROM unit, usage_periods AS period
    WHERE team_id = %(team_id)s
      AND period.starts_at <= unit.starts_at AND period.ends_at > unit.starts_at
), entered AS (
    INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,
        units, direction, period_start, starts_at, recorded_at)
    SELECT %(team_id)s, %(number_id)s, %(service)s, %(subject_id)s, %(index)s, 'hold', 'reserved',
        0, %(direction)s, period.starts_at, period.unit_starts_at, moment.at
    FROM period, moment
    {ONCE}
    RETURNING id, period_start
), taken AS (
    UPDATE usage_counters AS counter
    SET pending = pending + 1,
        granted_limit = greatest(granted_limit, coalesce(limit_units, {UNLIMITED}))
    FROM entered
    WHERE counter.team_id = %(team_id)s
      AND counter.number_id = %(number_id)s
      AND counter.service = %(service)s
      AND counter.period_start = entered.period_start
      AND ({WITHIN_LIMIT})
    RETURNING posted, pending, limit_units, is_capped
)
SELECT unit.starts_at, period.starts_at, period.ends_at, entered.id,
    taken.posted, taken.pending, taken.limit_units,
    taken.posted IS NOT NULL OR EXISTS (
        SELECT FROM usage_counters AS counter
        WHERE counter.team_id = %(team_id)s AND counter.number_id = %(number_id)s
          AND counter.service = %(service)s AND counter.period_start = period.starts_at
    ) AS is_counted, taken.is_capped
FROM moment
LEFT JOIN unit ON true LEFT JOIN period ON true
LEFT JOIN entered ON true LEFT JOIN taken ON true
"""

# A refused unit leaves nothing: nobody has seen the hold of this transaction.
WITHDRAW = "DELETE FROM usage_entries WHERE id = %(entry_id)s AND team_id = %(team_id)s RETURNING 1"

# A unit that was taken in this transaction, whose team's spend cap has no room for it.
PUT_BACK = """
WITH gone AS (
    DELETE FROM usage_entries
    WHERE team_id = %(team_id)s AND service = %(service)s AND subject_id = %(subject_id)s
      AND unit_index = %(index)s AND stage = 'hold'
    RETURNING number_id, period_start
)
UPDATE usage_counters AS counter SET pending = pending - 1
FROM gone
WHERE counter.team_id = %(team_id)s AND counter.number_id = gone.number_id
  AND counter.service = %(service)s AND counter.period_start = gone.period_start
RETURNING 1
"""

# Both services at once: a transaction that meets its first unit of a month never comes back for
# a second lock on the meter while it holds a counter.
OPEN_COUNTERS = """
WITH meter AS (
    SELECT * FROM usage_meters WHERE number_id = %(number_id)s AND team_id = %(team_id)s FOR SHARE
)
INSERT INTO usage_counters
    (team_id, number_id, service, period_start, period_end, limit_units, is_capped)
SELECT team_id, number_id, 'calls', %(period_start)s, %(period_end)s, limit_calls, is_capped
FROM meter
UNION ALL
SELECT team_id, number_id, 'sms', %(period_start)s, %(period_end)s, limit_sms, is_capped
FROM meter
ON CONFLICT DO NOTHING
RETURNING 1
"""

# A hold moves to the month in which its minute really starts, under that month's limit (UM6).
LOCK_BOTH = """
SELECT 1 FROM usage_counters
WHERE team_id = %(team_id)s AND number_id = %(number_id)s AND service = %(service)s
  AND period_start IN (%(period_start)s, %(to)s)
ORDER BY period_start FOR NO KEY UPDATE
"""
MOVE_IN = f"""
UPDATE usage_counters AS counter
SET pending = pending + 1,
    granted_limit = greatest(granted_limit, coalesce(limit_units, {UNLIMITED}))
WHERE team_id = %(team_id)s AND number_id = %(number_id)s AND service = %(service)s
  AND period_start = %(period_start)s AND ({WITHIN_LIMIT})
RETURNING 1
"""
MOVE_OUT = """
UPDATE usage_counters SET pending = pending - 1
WHERE team_id = %(team_id)s AND number_id = %(number_id)s AND service = %(service)s
  AND period_start = %(period_start)s
RETURNING 1
"""


def add_to_days(units: str) -> str:
    """Add `units`, rows of usage_entries, to the sums of their days (U9).

    Where others may write too, `units` is joined with the counter's update: who has that lock has
    the lock of its days.
    """
    return f"""
    INSERT INTO usage_days AS known (team_id, period_start, service, number_id, day, direction,
        price_id, price_micros, currency, units)
    SELECT unit.team_id, unit.period_start, unit.service, unit.number_id,
        width_bucket(unit.starts_at, month.day_starts) - 1, unit.direction,
        coalesce(unit.price_id, ''), coalesce(unit.price_micros, 0),
        coalesce(unit.currency, '{DEFAULT_CURRENCY}'), sum(unit.units)
    FROM {units} AS unit
    JOIN usage_periods AS month
      ON month.team_id = unit.team_id AND month.starts_at = unit.period_start
    WHERE unit.units <> 0
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    ON CONFLICT (team_id, period_start, service, number_id, day, direction, price_id, price_micros,
        currency)
    DO UPDATE SET units = known.units + excluded.units
    """


RESOLVE = f"""
WITH resolved AS (
    INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,
        units, direction, period_start, starts_at, recorded_at, price_id, price_micros, currency,
        reason)
    SELECT %(team_id)s, %(number_id)s, %(service)s, %(subject_id)s, unit.index, 'resolution',
        unit.kind, CASE WHEN unit.kind = 'posted' THEN 1 ELSE 0 END, %(direction)s,
        %(period_start)s, unit.starts_at, %(recorded_at)s, unit.price_id, unit.price_micros,
        unit.currency, %(reason)s
    FROM unnest(%(indexes)s::int[], %(kinds)s::text[],
        %(starts)s::timestamptz[], %(price_ids)s::text[],
        %(price_micros)s::bigint[], %(currencies)s::text[])
        AS unit (index, kind, starts_at, price_id, price_micros, currency)
    {ONCE}
    RETURNING *
), sums AS (
    SELECT count(*) AS ended, count(*) FILTER (WHERE kind = 'posted') AS posted FROM resolved
), counted AS (
    UPDATE usage_counters AS counter
    SET pending = counter.pending - sums.ended, posted = counter.posted + sums.posted
    FROM sums
    WHERE counter.team_id = %(team_id)s
      AND counter.number_id = %(number_id)s
      AND counter.service = %(service)s
      AND counter.period_start = %(period_start)s
    RETURNING sums.ended, counter.posted, counter.pending, counter.limit_units, counter.period_end
), days AS ({add_to_days("(SELECT resolved.* FROM resolved, counted)")})
SELECT * FROM counted
"""

CORRECT = f"""
WITH corrected AS (
    INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,
        units, direction, period_start, starts_at, recorded_at, price_id, price_micros, currency,
        reason, actor)
    SELECT team_id, number_id, service, subject_id, unit_index, 'correction', 'corrected',
        -1, direction, period_start, starts_at, %(recorded_at)s, price_id, price_micros, currency,
        %(reason)s, %(actor)s
    FROM usage_entries
    WHERE team_id = %(team_id)s AND service = %(service)s AND subject_id = %(subject_id)s
      AND unit_index = %(index)s AND stage = 'resolution' AND kind = 'posted'
    {ONCE}
    RETURNING *
), counted AS (
    UPDATE usage_counters AS counter
    SET posted = posted - 1
    FROM corrected
    WHERE counter.team_id = %(team_id)s
      AND counter.number_id = corrected.number_id
      AND counter.service = %(service)s
      AND counter.period_start = corrected.period_start
    RETURNING 1
), days AS ({add_to_days("(SELECT corrected.* FROM corrected, counted)")})
SELECT * FROM counted
"""
