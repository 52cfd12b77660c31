"""The invariants of metering.md as queries: run in production, and in tests after each step.

Reads the ledger of all teams (system scope) and compares it with what follows from it. An empty
list is what it should always return; each violation names its rule and the ids to look at.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from offhook.db import Session, now
from offhook.prices.money import DEFAULT_CURRENCY
from offhook.usage import audit_closed
from offhook.usage.models import UNLIMITED
from offhook.usage.month import free_units
from offhook.usage.rules import FROM_CARRIER, LEASE_S, Service

SWEEP_GRACE_S = 60  # the sweeper comes every few seconds; a late one is not yet a violation


@dataclass(frozen=True, slots=True)
class Violation:
    rule: str
    sentence: str
    ids: dict[str, Any]


CHECKS = {
    "UI1": (
        "more units than any limit in force at a grant allowed",
        f"""
        SELECT number_id, service, period_start, posted, pending, granted_limit
        FROM usage_counters AS counter
        WHERE posted + pending > granted_limit AND granted_limit < {UNLIMITED}
          AND posted + pending > granted_limit + (
            -- What only the carrier's record told of has happened, limit or not (UC5).
            SELECT count(*) FROM usage_entries AS entry
            WHERE entry.team_id = counter.team_id AND entry.number_id = counter.number_id
              AND entry.service = counter.service AND entry.period_start = counter.period_start
              AND entry.units > 0 AND entry.reason = '{FROM_CARRIER}' AND NOT EXISTS (
                SELECT FROM usage_entries AS back
                WHERE back.service = entry.service AND back.subject_id = entry.subject_id
                  AND back.unit_index = entry.unit_index AND back.stage = 'correction'))
        """,
    ),
    "U7": (
        "a counter is not the sum of its entries",
        """
        WITH held AS (
            SELECT hold.number_id, hold.service, hold.period_start, count(*) AS pending
            FROM usage_entries AS hold
            WHERE hold.stage = 'hold' AND NOT EXISTS (
                SELECT FROM usage_entries AS ended
                WHERE ended.service = hold.service AND ended.subject_id = hold.subject_id
                  AND ended.unit_index = hold.unit_index AND ended.stage = 'resolution')
            GROUP BY 1, 2, 3
        ), used AS (
            SELECT number_id, service, period_start, sum(units) AS posted
            FROM usage_entries WHERE units <> 0 GROUP BY 1, 2, 3
        )
        SELECT number_id, service, period_start, counter.posted, counter.pending,
            used.posted AS entries_posted, held.pending AS entries_pending
        FROM usage_counters AS counter
        FULL JOIN held USING (number_id, service, period_start)
        FULL JOIN used USING (number_id, service, period_start)
        WHERE coalesce(counter.posted, 0) <> coalesce(used.posted, 0)
           OR coalesce(counter.pending, 0) <> coalesce(held.pending, 0)
        """,
    ),
    "U9": (
        "a day's sum is not that of its entries",
        f"""
        WITH used AS (
            SELECT team_id, period_start, service, number_id,
                width_bucket(starts_at, month.day_starts) - 1 AS day, direction,
                coalesce(price_id, '') AS price_id, coalesce(price_micros, 0) AS price_micros,
                coalesce(currency, '{DEFAULT_CURRENCY}') AS currency, sum(units) AS entries
            FROM usage_entries JOIN (
                SELECT team_id, starts_at AS period_start, day_starts FROM usage_periods) AS month
              USING (team_id, period_start)
            WHERE units <> 0 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        )
        SELECT team_id, number_id, service, period_start, day, price_id, units, entries
        FROM usage_days FULL JOIN used USING (team_id, period_start, service, number_id, day,
            direction, price_id, price_micros, currency)
        WHERE coalesce(units, 0) <> coalesce(entries, 0)
        """,
    ),
    "UI2": (
        "a unit was resolved or corrected that was not there to be",
        """
        SELECT later.service, later.subject_id, later.unit_index, later.stage
        FROM usage_entries AS later
        WHERE later.stage = 'resolution' AND NOT EXISTS (
            SELECT FROM usage_entries AS hold
            WHERE hold.service = later.service AND hold.subject_id = later.subject_id
              AND hold.unit_index = later.unit_index AND hold.stage = 'hold')
           OR later.stage = 'correction' AND NOT EXISTS (
            SELECT FROM usage_entries AS posted
            WHERE posted.service = later.service AND posted.subject_id = later.subject_id
              AND posted.unit_index = later.unit_index AND posted.kind = 'posted')
        """,
    ),
    "UI3": (
        "a key is on the ledger twice",
        """
        SELECT service, subject_id, unit_index, stage, count(*) AS entries
        FROM usage_entries GROUP BY 1, 2, 3, 4 HAVING count(*) > 1
        """,
    ),
    "UI4": (
        "a call's posted minutes are not its started minutes",
        """
        SELECT call_id, billed_seconds, billed_minutes, ungranted_minutes,
            (SELECT count(*) FROM usage_entries AS entry
             WHERE entry.service = 'calls' AND entry.subject_id = call_id
               AND entry.kind = 'posted') AS posted
        FROM usage_calls
        WHERE ended_at IS NOT NULL AND (
            billed_minutes <> (SELECT count(*) FROM usage_entries AS entry
                WHERE entry.service = 'calls' AND entry.subject_id = call_id
                  AND entry.kind = 'posted')
            OR billed_minutes + ungranted_minutes > 0 AND billed_minutes + ungranted_minutes
                <> greatest(1, (billed_seconds + 59) / 60))
        """,
    ),
    "UI7": (
        "a month does not begin where the one before ends, or is not 26 to 33 days long",
        """
        SELECT team_id, starts_at, ends_at FROM (
            SELECT *, lag(ends_at) OVER (PARTITION BY team_id ORDER BY starts_at) AS before
            FROM usage_periods) AS month
        WHERE before IS NOT NULL AND before <> starts_at
           OR ends_at - starts_at NOT BETWEEN interval '26 days' AND interval '33 days'
        """,
    ),
    "UI10": (
        "a minute is held for a call that has ended, or whose process is long dead",
        """
        SELECT call_id, ended_at, alive_at FROM usage_calls AS call
        WHERE ended_at IS NULL AND alive_at < :dead_since
           OR ended_at IS NOT NULL AND EXISTS (
            SELECT FROM usage_entries AS hold
            WHERE hold.service = 'calls' AND hold.subject_id = call.call_id
              AND hold.stage = 'hold' AND NOT EXISTS (
                SELECT FROM usage_entries AS ended
                WHERE ended.service = 'calls' AND ended.subject_id = hold.subject_id
                  AND ended.unit_index = hold.unit_index AND ended.stage = 'resolution'))
        """,
    ),
    **audit_closed.CHECKS,
}

Check = Callable[[Session], Awaitable[list[Violation]]]
_further: list[Check] = []


def also(check: Check) -> None:
    """Let a room above check what it derives from the ledger, in the same round."""
    if check not in _further:
        _further.append(check)


async def violations(session: Session, checks: Mapping[str, tuple[str, str]]) -> list[Violation]:
    """The rows that each query finds are violations of its rule, told in its sentence."""
    present = await now(session)
    known = {
        "dead_since": present - timedelta(seconds=LEASE_S + SWEEP_GRACE_S),
        "free_calls": Service.CALLS.free_units,
        "free_sms": Service.SMS.free_units,
    }
    found: list[Violation] = []
    for rule, (sentence, query) in checks.items():
        given = {name: value for name, value in known.items() if f":{name}" in query}
        rows = await session.execute(text(query), given)
        found += [Violation(rule.split()[0], sentence, dict(row)) for row in rows.mappings()]
    return found


async def audit(session: Session) -> list[Violation]:
    """Every violation of UI1 to UI8, UI10, U7 and U9 in the ledgers of all teams, and of what rooms
    above derive from them.
    """
    found = [*await violations(session, CHECKS), *await _allowances(session)]
    for check in _further:
        found += await check(session)
    return found


async def _allowances(session: Session) -> list[Violation]:
    """UI5: a month's free units are its first ones, and as many as there can be."""
    months = await session.execute(
        text(
            "SELECT team_id, service, period_start, sum(posted) AS posted "
            "FROM usage_counters GROUP BY 1, 2, 3"
        )
    )
    found: list[Violation] = []
    for month in months.mappings().all():
        service = Service(month["service"])
        free = await free_units(session, month["team_id"], service, month["period_start"])
        if len(free) != min(service.free_units, month["posted"]):
            ids = {**month, "free": len(free)}
            found.append(Violation("UI5", "the free units are not min(allowance, used)", ids))
    return found
