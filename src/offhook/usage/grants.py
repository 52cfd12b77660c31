"""Granted or denied: the kernel with what surrounds it (month, counters, warnings)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from offhook.db import Session
from offhook.failpoints import failpoint
from offhook.usage import kernel, notices, spend
from offhook.usage.calendar import period_at
from offhook.usage.kernel import Duplicate, Refused, Taken, Uncounted, Unjoined, Wanted
from offhook.usage.meters import balance, meter_of
from offhook.usage.models import Counter, Entry
from offhook.usage.rules import Kind, Reason, Service

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Granted:
    """One unit is taken. `left`: what others may still take this month; None is unlimited, but for
    the spend cap of a team that `is_capped`.

    Calls: the minute lasts from `starts_at` to `ends_at`; nothing may be said past `ends_at`
    without the next minute (U4). Messages: all three times are the moment of the grant.
    """

    starts_at: datetime
    ends_at: datetime
    valid_until: datetime
    resets_at: datetime
    left: int | None
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """No unit was taken, and nothing was written. `resets_at`: when the limit starts anew."""

    reason: Reason
    resets_at: datetime


async def take(session: Session, wanted: Wanted) -> Taken | Denied | Duplicate | Unjoined:
    """Take one unit. Makes the month and its counters on the first unit. Raises MeterMissing.

    Unjoined: the call has ended, or it never held the minute before. Denied leaves no entry; the
    call's row is the caller's to put right.
    """
    failpoint("usage.reserving")
    outcome = await conclude(session, wanted, await kernel.reserve(session, wanted))
    failpoint("usage.reserved")
    return outcome


async def conclude(
    session: Session, wanted: Wanted, outcome: kernel.Outcome, unjudged: Sequence[Wanted] = ()
) -> Taken | Denied | Duplicate | Unjoined:
    """What follows from the kernel's outcome: the month is made, warnings are told.

    `unjudged`: units that were taken in the same round and are concluded after this one.
    """
    if isinstance(outcome, Uncounted):
        period = await period_at(session, wanted.team_id, outcome.starts_at)
        await kernel.open_counters(
            session, wanted.team_id, wanted.number_id, period.starts_at, period.ends_at
        )
        outcome = await kernel.reserve(session, wanted)
    if isinstance(outcome, Unjoined):
        await meter_of(session, wanted.team_id, wanted.number_id)  # raises MeterMissing
        return outcome
    if isinstance(outcome, Duplicate):
        return outcome
    if isinstance(outcome, Refused | Uncounted):
        return await _refuse(session, wanted, outcome.starts_at)
    if outcome.is_capped and not await spend.admits(session, wanted, outcome, unjudged):
        return Denied(Reason.SPEND_CAP, outcome.period_end)
    await notices.limit(
        session,
        _month(wanted, outcome.period_start, outcome.period_end),
        posted=outcome.posted,
        pending=outcome.pending,
        limit=outcome.limit,
    )
    return outcome


async def again(session: Session, wanted: Wanted) -> bool:
    """A key that is on the ledger came again (UI3): whether its unit is still good.

    The first entry stands; another content under its key is an incident.
    """
    entries = {
        entry.stage: entry
        for entry in await session.scalars(
            select(Entry).where(
                Entry.team_id == wanted.team_id,
                Entry.service == wanted.service.value,
                Entry.subject_id == wanted.subject_id,
                Entry.unit_index == wanted.index,
            )
        )
    }
    held = entries["hold"]
    other_start = wanted.starts_at is not None and held.starts_at != wanted.starts_at
    if held.number_id != wanted.number_id or other_start:
        log.error(
            "incident: %s %s/%s came again with other content; the first entry %s stands",
            wanted.service.unit,
            wanted.subject_id,
            wanted.index,
            held.id,
        )
    ended = entries.get("resolution")
    return ended is None or (ended.kind == Kind.POSTED and "correction" not in entries)


async def left_now(session: Session, wanted: Wanted) -> tuple[int | None, datetime]:
    """What is left of the running month, and when it ends."""
    state = await balance(
        session, wanted.team_id, number_id=wanted.number_id, service=wanted.service
    )
    return state.left, state.resets_at


def left_after(taken: Taken) -> int | None:
    if taken.limit is None:
        return None
    return max(0, taken.limit - taken.posted - taken.pending)


async def _refuse(session: Session, wanted: Wanted, at: datetime) -> Denied:
    period = await period_at(session, wanted.team_id, at)
    month = _month(wanted, period.starts_at, period.ends_at)
    counter = (
        await session.execute(
            select(Counter.posted, Counter.pending, Counter.limit_units).where(
                Counter.number_id == wanted.number_id,
                Counter.team_id == wanted.team_id,
                Counter.service == wanted.service.value,
                Counter.period_start == month.period_start,
            )
        )
    ).one()
    # A limit raised in this very moment leaves nothing to announce.
    if counter.limit_units is not None:
        await notices.refused(
            session,
            month,
            posted=counter.posted,
            pending=counter.pending,
            limit=counter.limit_units,
        )
    return Denied(Reason.LIMIT_REACHED, month.period_end)


def _month(wanted: Wanted, start: datetime, end: datetime) -> notices.Month:
    return notices.Month(wanted.team_id, wanted.number_id, Service(wanted.service), start, end)
