"""Warnings: 80 % and 100 % of a limit, the allowance used up; each told once (U9).

What counts is usage: posted units, and of live calls the minutes that have begun. A refusal at
the limit also says that it is reached, for then the service has stopped for somebody.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Session, fetch, now, publish
from offhook.usage.events import AllowanceUsed, LimitReached, LimitWarning
from offhook.usage.models import MeteredCall, Notice
from offhook.usage.rules import (
    REACHED_PERCENT,
    Service,
    begun_minutes,
    minute_start,
    thresholds_reached,
)

ALLOWANCE_USED = """
    SELECT coalesce(sum(posted), 0) >= %(free)s AND NOT EXISTS (
        SELECT FROM usage_notices
        WHERE team_id = %(team_id)s AND scope = %(team_id)s AND service = %(service)s
            AND period_start = %(period_start)s
    )
    FROM usage_counters
    WHERE team_id = %(team_id)s AND service = %(service)s AND period_start = %(period_start)s
"""


@dataclass(frozen=True, slots=True)
class Month:
    """One number and service in one month."""

    team_id: str
    number_id: str
    service: Service
    period_start: datetime
    period_end: datetime


async def limit(
    session: Session, month: Month, *, posted: int, pending: int, limit: int | None
) -> None:
    """Announce the thresholds that usage has reached and that were not announced before.

    Skipped while even with what is pending no threshold is reached that this process does not
    know to be announced: the usual case, also for a number that stays near its limit.
    """
    if all(
        _key(month, month.number_id, limit or 0, percent) in _known
        for percent in thresholds_reached(posted + pending, limit)
    ):
        return
    use = await _use(session, month, posted, pending)
    for percent in thresholds_reached(use.used, limit):
        await _announce_limit(session, month, use, limit or 0, percent)


async def refused(session: Session, month: Month, *, posted: int, pending: int, limit: int) -> None:
    """Somebody was refused at the limit: it is reached."""
    if _key(month, month.number_id, limit, REACHED_PERCENT) in _known:
        return
    use = await _use(session, month, posted, pending)
    for percent in {*thresholds_reached(use.used, limit), REACHED_PERCENT}:
        await _announce_limit(session, month, use, limit, percent)


async def allowance(session: Session, month: Month) -> None:
    """Announce that the team's free units of the month are used up, once they are."""
    free = month.service.free_units
    given = {
        "team_id": month.team_id,
        "service": month.service.value,
        "period_start": month.period_start,
        "free": free,
    }
    # One statement, for it runs with every posting.
    ((is_news,),) = await fetch(session, ALLOWANCE_USED, given)
    if is_news and await _first_time(
        session, month, scope=month.team_id, limit=free, percent=REACHED_PERCENT
    ):
        await publish(
            session,
            AllowanceUsed(
                team_id=month.team_id,
                service=month.service,
                free_units=free,
                resets_at=month.period_end,
            ),
        )


async def begun(session: Session, month: Month) -> int:
    """Minutes of live calls that have begun in this month: used, though not posted yet."""
    if month.service is not Service.CALLS:
        return 0
    present = await now(session)
    calls = await session.execute(
        select(MeteredCall.answered_at, MeteredCall.reserved_minutes).where(
            MeteredCall.number_id == month.number_id,
            MeteredCall.team_id == month.team_id,
            MeteredCall.ended_at.is_(None),
        )
    )
    return sum(
        month.period_start <= minute_start(answered_at, index) < month.period_end
        for answered_at, reserved in calls.all()
        for index in range(begun_minutes(answered_at, reserved, present))
    )


@dataclass(frozen=True, slots=True)
class _Use:
    used: int
    held: int


async def _use(session: Session, month: Month, posted: int, pending: int) -> _Use:
    live = await begun(session, month)
    return _Use(posted + live, max(0, pending - live))


async def _announce_limit(
    session: Session, month: Month, use: _Use, limit: int, percent: int
) -> None:
    if not await _first_time(session, month, scope=month.number_id, limit=limit, percent=percent):
        return
    kind = LimitReached if percent == REACHED_PERCENT else LimitWarning
    await publish(
        session,
        kind(
            team_id=month.team_id,
            number_id=month.number_id,
            service=month.service,
            used=use.used,
            held=use.held,
            limit=limit,
            resets_at=month.period_end,
        ),
    )


async def _first_time(
    session: Session, month: Month, *, scope: str, limit: int, percent: int
) -> bool:
    key = _key(month, scope, limit, percent)
    written = await session.execute(
        insert(Notice)
        .values(
            team_id=month.team_id,
            scope=scope,
            service=month.service.value,
            period_start=month.period_start,
            limit_units=limit,
            percent=percent,
            announced_at=await now(session),
        )
        .on_conflict_do_nothing()
        .returning(Notice.percent)
    )
    first = written.first() is not None
    ours: set[_Key] = session.info.setdefault("notices", set())
    if first:
        ours.add(key)
    elif key not in ours:  # ours may yet be rolled back
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known.add(key)
    return first


def _key(month: Month, scope: str, limit: int, percent: int) -> "_Key":
    return month.team_id, scope, month.service.value, month.period_start, limit, percent


_Key = tuple[str, str, str, datetime, int, int]
MOST_KNOWN = 10_000
# Notices that were found committed. They are never taken back, so nothing here goes stale.
_known: set[_Key] = set()
