"""Minutes of calls: reserve before they are spoken, settle at the end (RFC 8506 in metering.md).

A call: `reserve_minute(index=0)` in the transaction that admits it, index k 20 s before minute k
begins, `heartbeat` every 5 s, `settle_call` in the transaction of the hang-up. What a dead
process left is settled by `settle_stale` (UC3). Every function may be repeated.
"""

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from offhook.db import Session, for_change, now, touch
from offhook.errors import NotFound
from offhook.failpoints import failpoint
from offhook.prices import Direction
from offhook.usage import kernel, notices, spend
from offhook.usage.calendar import period_at
from offhook.usage.grants import Denied, Granted, again, conclude, left_after, left_now, take
from offhook.usage.kernel import (
    Account,
    Duplicate,
    Ended,
    Joining,
    Resolved,
    Taken,
    Unjoined,
    Wanted,
)
from offhook.usage.meters import tariff
from offhook.usage.models import Entry, MeteredCall
from offhook.usage.rules import (
    LEASE_S,
    MINUTE,
    VALID_AFTER_END_S,
    Kind,
    Reason,
    Resolution,
    Service,
    minute_start,
    resolutions,
    started_minutes,
)

log = logging.getLogger(__name__)


class CallUnknown(NotFound):
    """No minute of this call was ever granted, or it belongs to another team."""

    code = "call_unknown"


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a call ended on the ledger: `minutes` billed, 0 if it was never answered (UI4)."""

    call_id: str
    number_id: str
    minutes: int
    billed_seconds: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A call whose process died; its room closes the conversation and asks the carrier."""

    team_id: str
    call_id: str
    number_id: str
    last_seen_at: datetime
    minutes: int


async def reserve_minute(
    session: Session,
    team_id: str,
    *,
    number_id: str,
    call_id: str,
    index: int,
    starts_at: datetime | None = None,
    direction: Direction = Direction.INBOUND,
) -> Granted | Denied:
    """Take minute `index` (from 0) of a call, before it is spoken (U4).

    `starts_at` is by default the database's time for minute 0, which is the call's answer time,
    and answer time + 60 s each for the others (UM7). Denied leaves no entry; asked again after a
    limit was raised it may be granted (UL9). The counter stays locked until the commit: reserve
    last in the transaction. Raises CallUnknown for index > 0 without minute index - 1,
    MeterMissing for an unknown number.
    """
    wanted = Wanted(
        team_id=team_id,
        number_id=number_id,
        service=Service.CALLS,
        subject_id=call_id,
        index=index,
        direction=direction.value,
        starts_at=starts_at,
        joining=Joining.NEXT if index else Joining.FIRST,
    )
    return await _grant(session, wanted, await take(session, wanted))


@dataclass(frozen=True, slots=True)
class Renewal:
    """Minute `index` (from 1) of a call that lives."""

    team_id: str
    number_id: str
    call_id: str
    index: int
    direction: Direction = Direction.INBOUND


async def renew_minutes(
    session: Session, renewals: Sequence[Renewal]
) -> list[Granted | Denied | NotFound]:
    """`reserve_minute` for several calls at once: the same answers in the same order.

    System scope where they are of several teams. A call or number that is not there is an answer,
    not an error, so that the others get theirs.
    """
    wanted = [
        Wanted(
            team_id=one.team_id,
            number_id=one.number_id,
            service=Service.CALLS,
            subject_id=one.call_id,
            index=one.index,
            direction=one.direction.value,
            joining=Joining.NEXT,
        )
        for one in renewals
    ]
    failpoint("usage.renewing")
    outcomes = await kernel.renew(session, wanted)
    answers: dict[int, Granted | Denied | NotFound] = {}
    # By team, as the months of spend caps are locked in the order of the teams.
    for place in sorted(range(len(wanted)), key=lambda place: wanted[place].team_id):
        one, outcome = wanted[place], outcomes[place]
        unjudged: list[Wanted] = []
        if isinstance(outcome, Taken) and outcome.is_capped:
            later = (at for at in range(len(wanted)) if at not in answers and at != place)
            unjudged = [wanted[at] for at in later if isinstance(outcomes[at], Taken)]
        try:
            concluded = await conclude(session, one, outcome, unjudged)
            answers[place] = await _grant(session, one, concluded)
        except NotFound as unknown:
            answers[place] = unknown
    failpoint("usage.renewed")
    return [answers[place] for place in range(len(wanted))]


async def _grant(
    session: Session, wanted: Wanted, outcome: Taken | Denied | Duplicate | Unjoined
) -> Granted | Denied:
    if isinstance(outcome, Unjoined):
        return await _ended(session, wanted)
    if isinstance(outcome, Denied):
        await _leave(session, wanted.team_id, wanted.subject_id, wanted.index)
        return outcome
    if isinstance(outcome, Duplicate):
        await again(session, wanted)
        left, resets_at = await left_now(session, wanted)
    else:
        left, resets_at = left_after(outcome), outcome.period_end
    ends_at = outcome.starts_at + MINUTE
    return Granted(
        starts_at=outcome.starts_at,
        ends_at=ends_at,
        valid_until=ends_at + timedelta(seconds=VALID_AFTER_END_S),
        resets_at=resets_at,
        left=left,
        is_capped=isinstance(outcome, Taken) and outcome.is_capped,
    )


async def heartbeat(session: Session, team_id: str, *call_ids: str) -> frozenset[str]:
    """Say that these calls live, every 5 s; the ones that do. Another was settled: hang it up."""
    present = await now(session)
    alive = await session.scalars(
        update(MeteredCall)
        .where(
            MeteredCall.team_id == team_id,
            MeteredCall.call_id.in_(call_ids),
            MeteredCall.ended_at.is_(None),
        )
        .values(alive_at=present, heartbeat_at=present)
        .returning(MeteredCall.call_id)
    )
    return frozenset(alive)


async def settle_call(
    session: Session,
    team_id: str,
    *,
    call_id: str,
    seconds: float | None = None,
    ended_at: datetime | None = None,
    answered_at: datetime | None = None,
) -> Settlement:
    """End an answered call: its started minutes are posted, the rest is voided (UM2, UI4).

    `seconds` from a monotonic clock, or `ended_at`. `answered_at` where the answer left later
    than minute 0 was reserved for: each minute goes to the month in which it then starts (UM6),
    if that month's limit has room; a limit is never passed. A second settlement changes nothing;
    with another length it is an incident. Raises CallUnknown.
    """
    call = await _locked(session, team_id, call_id)
    if seconds is None:
        if ended_at is None:
            raise ValueError("settle_call needs seconds or ended_at")
        seconds = (ended_at - (answered_at or call.answered_at)).total_seconds()
    if call.ended_at is not None:
        return _settled_before(call, max(0, math.ceil(seconds)))
    shift = answered_at - call.answered_at if answered_at else timedelta(0)
    if shift and (await spend.cap_of(session, team_id)).effective is not None:
        shift = timedelta(0)  # what the spend cap had room for is what is charged
    return await _end(
        session,
        call,
        billed=started_minutes(seconds),
        seconds=max(0, math.ceil(seconds)),
        rest=Kind.VOIDED,
        shift=shift,
    )


async def void_call(
    session: Session, team_id: str, *, call_id: str, reason: str = "not_answered"
) -> Settlement:
    """End a call that costs nothing: never answered (UM4), or its agent never spoke (UM5)."""
    call = await _locked(session, team_id, call_id)
    if call.ended_at is not None:
        return _settled_before(call, 0)
    return await _end(session, call, billed=0, seconds=0, rest=Kind.VOIDED, reason=reason)


_spared: list[Callable[[], Collection[str]]] = []


def spare(known_better: Callable[[], Collection[str]]) -> None:
    """Calls that somebody can settle by more than their last heart-beat: the lease waits."""
    _spared.append(known_better)


async def settle_stale(session: Session, *, lease_s: int = LEASE_S) -> list[Lost]:
    """Settle every call without a sign of life for the lease at its last heart-beat (UC3, UI10).

    System scope; for a job every few seconds. A call that nobody ever spoke for costs nothing
    (UM5). Calls that another process is settling are left to it, and so are those of `spare`.
    """
    spared = {call_id for known_better in _spared for call_id in known_better()}
    present = await now(session)
    stale = await session.scalars(
        select(MeteredCall)
        .where(
            MeteredCall.ended_at.is_(None),
            MeteredCall.alive_at < present - timedelta(seconds=lease_s),
            MeteredCall.call_id.not_in(spared),
        )
        .order_by(MeteredCall.call_id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    lost: list[Lost] = []
    # The counters of many numbers are locked in the order of kernel.renew.
    for call in sorted(stale.all(), key=lambda call: (call.number_id, call.answered_at)):
        seen = call.heartbeat_at
        seconds = math.ceil((seen - call.answered_at).total_seconds()) if seen else 0
        settled = await _end(
            session,
            call,
            billed=started_minutes(seconds) if seen else 0,
            seconds=max(0, seconds),
            rest=Kind.EXPIRED,
            reason="lease_expired",
        )
        log.error("incident: call %s lost its process; %s", call.call_id, settled)
        lost.append(
            Lost(call.team_id, call.call_id, call.number_id, call.alive_at, settled.minutes)
        )
        failpoint("usage.swept")
    return lost


async def _ended(session: Session, wanted: Wanted) -> Denied:
    """The call took no minute: it has ended, or it is not there (CallUnknown)."""
    ended = await session.scalar(
        select(MeteredCall.call_id).where(
            MeteredCall.call_id == wanted.subject_id,
            MeteredCall.team_id == wanted.team_id,
            MeteredCall.ended_at.isnot(None),
        )
    )
    if ended is None:
        raise CallUnknown(f"Call {wanted.subject_id} holds no minute before minute {wanted.index}.")
    month = await period_at(session, wanted.team_id, await now(session))
    return Denied(Reason.CALL_ENDED, month.ends_at)


async def _leave(session: Session, team_id: str, call_id: str, index: int) -> None:
    """Minute `index` was refused: the call does not hold it. Whoever asked was alive (UC3)."""
    here = (MeteredCall.call_id == call_id, MeteredCall.team_id == team_id)
    if index == 0:
        await session.execute(delete(MeteredCall).where(*here))
    else:
        await session.execute(update(MeteredCall).where(*here).values(reserved_minutes=index))


async def _locked(session: Session, team_id: str, call_id: str) -> MeteredCall:
    call = await session.scalar(
        for_change(
            select(MeteredCall).where(
                MeteredCall.call_id == call_id, MeteredCall.team_id == team_id
            )
        )
    )
    if call is None:
        raise CallUnknown(f"There is no call {call_id} on the ledger.", call_id=call_id)
    return call


def _settled_before(call: MeteredCall, seconds: int) -> Settlement:
    if call.billed_seconds != seconds:
        log.error(
            "incident: call %s ended again after %s s; its first end after %s s stands",
            call.call_id,
            seconds,
            call.billed_seconds,
        )
    return Settlement(
        call.call_id, call.number_id, call.billed_minutes or 0, call.billed_seconds or 0
    )


async def _end(
    session: Session,
    call: MeteredCall,
    *,
    billed: int,
    seconds: int,
    rest: Kind,
    shift: timedelta = timedelta(0),
    reason: str | None = None,
) -> Settlement:
    """Post the first `billed` minutes, end the others as `rest`, close the call."""
    failpoint("usage.settling")
    present = await now(session)
    missing = await _reserve_late(session, call, billed)
    holds = await _holds(session, call)
    plan = resolutions([(index, start) for index, start, _ in holds], billed, rest, shift)
    held_in = {index: period_start for index, _, period_start in holds}
    by_month: dict[datetime, list[Ended]] = defaultdict(list)
    prices = await tariff(session, call.team_id, call.number_id)
    direction = Direction(call.direction)
    for unit in plan:
        month, start = held_in[unit.index], unit.starts_at
        if shift and unit.kind is Kind.POSTED:
            month, start = await _real_month(session, call, unit, month, shift)
        posted = unit.kind is Kind.POSTED
        rate = prices.of(Service.CALLS, direction, start) if posted else None
        by_month[month].append(Ended(unit.index, unit.kind, start, rate))
    counters: dict[datetime, Resolved] = {}
    for month_start, ended in sorted(by_month.items()):
        counters[month_start] = await kernel.resolve(
            session,
            _account(call, month_start),
            call.call_id,
            ended,
            direction=call.direction,
            recorded_at=present,
            reason=reason,
        )
        failpoint("usage.resolved")
    call.ended_at = present
    call.billed_seconds = seconds
    call.billed_minutes = minutes = billed - missing
    call.ungranted_minutes = missing
    await session.flush()
    await _announce(session, call, counters)
    failpoint("usage.settled")
    return Settlement(call.call_id, call.number_id, minutes, seconds)


async def _reserve_late(session: Session, call: MeteredCall, billed: int) -> int:
    """Reserve minutes that were spoken without one; how many the limit refused.

    Our watchdog ends a call 2 s before its last reserved minute does, so this is a fault of ours.
    The customer is billed within the limit (UI1), never beyond it.
    """
    for index in range(call.reserved_minutes, billed):
        outcome = await take(
            session,
            Wanted(
                team_id=call.team_id,
                number_id=call.number_id,
                service=Service.CALLS,
                subject_id=call.call_id,
                index=index,
                direction=call.direction,
                starts_at=minute_start(call.answered_at, index),
            ),
        )
        if isinstance(outcome, Denied):
            log.error(
                "incident: call %s spoke %s min, reserved %s; the limit refused the rest",
                call.call_id,
                billed,
                index,
            )
            return billed - index
        call.reserved_minutes = index + 1
    return 0


async def _holds(session: Session, call: MeteredCall) -> list[tuple[int, datetime, datetime]]:
    rows = await session.execute(
        select(Entry.unit_index, Entry.starts_at, Entry.period_start)
        .where(
            Entry.team_id == call.team_id,
            Entry.service == Service.CALLS.value,
            Entry.subject_id == call.call_id,
            Entry.stage == "hold",
        )
        .order_by(Entry.unit_index)
    )
    return [(index, start, period) for index, start, period in rows]


async def _real_month(
    session: Session, call: MeteredCall, unit: Resolution, held: datetime, shift: timedelta
) -> tuple[datetime, datetime]:
    """The month and start of a minute that began later than reserved (UM6).

    It stays where it was held if the month of its real start has no unit left.
    """
    real = await period_at(session, call.team_id, unit.starts_at)
    if real.starts_at == held:
        return held, unit.starts_at
    await kernel.open_counters(session, call.team_id, call.number_id, real.starts_at, real.ends_at)
    if await kernel.move(session, _account(call, held), real.starts_at):
        return real.starts_at, unit.starts_at
    return held, unit.starts_at - shift


async def _announce(
    session: Session, call: MeteredCall, counters: dict[datetime, Resolved]
) -> None:
    for start, counter in counters.items():
        month = notices.Month(
            call.team_id, call.number_id, Service.CALLS, start, counter.period_end
        )
        await notices.limit(
            session,
            month,
            posted=counter.posted,
            pending=counter.pending,
            limit=counter.limit,
        )
        await notices.allowance(session, month)
    await touch(session, call.team_id, "usage")


def _account(call: MeteredCall, period_start: datetime) -> Account:
    return Account(call.team_id, call.number_id, Service.CALLS, period_start)
