"""Takes and resolves units: each function is one statement of statements.py and its outcome.

Lock order, everywhere: call, meter, counters by ascending month, a capped team's month (spend.py).
Knows no prices, no zones; what is decided above (rules.py) is recorded here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from offhook.db import Session, fetch, fetch_each, told_time
from offhook.usage.rating import Rate
from offhook.usage.rules import Kind, Service, minute_start
from offhook.usage.statements import (
    CORRECT,
    FIRST_MINUTE,
    LOCK_BOTH,
    LOCK_CALLS,
    MOMENT,
    MOVE_IN,
    MOVE_OUT,
    NEXT_MINUTE,
    OPEN_COUNTERS,
    PLAIN_UNIT,
    PUT_BACK,
    RESERVE,
    RESOLVE,
    WITHDRAW,
)


class Joining(Enum):
    """What a unit needs of its call: a reservation of minutes goes through the call's row."""

    NOTHING = "a message, or a minute of a call whose row is locked already"
    FIRST = "minute 0, which makes the call"
    NEXT = "a later minute of a call that lives"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One unit that somebody wants to use."""

    team_id: str
    number_id: str
    service: Service
    subject_id: str
    index: int
    direction: str
    # Empty: the moment of the reservation, or the call's answer time and 60 s for each index.
    starts_at: datetime | None = None
    joining: Joining = Joining.NOTHING


@dataclass(frozen=True, slots=True)
class Taken:
    """The unit's start, and the counter just after it was taken from it."""

    starts_at: datetime
    posted: int
    pending: int
    limit: int | None
    period_start: datetime
    period_end: datetime
    is_capped: bool  # the team has a spend cap


@dataclass(frozen=True, slots=True)
class Refused:
    """The counter did not allow it: nothing was taken, no entry is left behind."""

    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The key is on the ledger already: nothing was taken."""

    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Uncounted:
    """The month or its counter is not there yet: make it and ask again."""

    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Unjoined:
    """No such number, or the call has ended, or it never held the minute before."""


Outcome = Taken | Refused | Duplicate | Uncounted | Unjoined


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


def reservation(joining: Joining) -> str:
    """The statement that takes one unit; bench/usage.py gives the same to pgbench."""
    units = {
        Joining.NOTHING: PLAIN_UNIT,
        Joining.FIRST: FIRST_MINUTE,
        Joining.NEXT: NEXT_MINUTE,
    }
    return f"WITH {MOMENT}, {units[joining]}, {RESERVE}"


async def reserve(session: Session, wanted: Wanted) -> Outcome:
    """Enter the hold and take its unit in one statement, or take nothing."""
    rows = await fetch(session, reservation(wanted.joining), _given(wanted, told_time(session)))
    return await _outcome(session, wanted, rows)


async def renew(session: Session, wanted: Sequence[Wanted]) -> list[Outcome]:
    """`reserve` for minutes of many calls (Joining.NEXT) in two waits instead of one for each.

    Calls are locked first and counters by number and month, so that two such rounds, or one and a
    settlement, never wait for each other in a circle.
    """
    call_ids = sorted({one.subject_id for one in wanted})
    answered_at: dict[str, datetime] = dict(
        await fetch(session, LOCK_CALLS, {"call_ids": call_ids})
    )
    present = told_time(session)
    order = sorted(
        (place for place, one in enumerate(wanted) if one.subject_id in answered_at),
        key=lambda place: _counter_order(wanted[place], answered_at),
    )
    every = await fetch_each(
        session, reservation(Joining.NEXT), [_given(wanted[place], present) for place in order]
    )
    outcomes: list[Outcome] = [Unjoined() for _ in wanted]
    for place, rows in zip(order, every, strict=True):
        outcomes[place] = await _outcome(session, wanted[place], rows)
    return outcomes


def _counter_order(wanted: Wanted, answered_at: Mapping[str, datetime]) -> tuple[str, datetime]:
    start = wanted.starts_at or minute_start(answered_at[wanted.subject_id], wanted.index)
    return wanted.number_id, start


def _given(wanted: Wanted, present: datetime | None) -> dict[str, Any]:
    return {
        "present": present,
        "team_id": wanted.team_id,
        "number_id": wanted.number_id,
        "service": wanted.service.value,
        "subject_id": wanted.subject_id,
        "index": wanted.index,
        "direction": wanted.direction,
        "starts_at": wanted.starts_at,
    }


async def _outcome(session: Session, wanted: Wanted, rows: Sequence[tuple[Any, ...]]) -> Outcome:
    [
        (starts_at, period_start, period_end, entry_id, posted, pending, limit, is_counted, capped)
    ] = rows
    if starts_at is None:
        return Unjoined()
    starts_at = starts_at.astimezone(UTC)
    if posted is not None:
        start, end = period_start.astimezone(UTC), period_end.astimezone(UTC)
        return Taken(starts_at, posted, pending, limit, start, end, capped)
    if entry_id is not None:
        await fetch(session, WITHDRAW, {"entry_id": entry_id, "team_id": wanted.team_id})
        # As this very statement saw it: a counter that somebody makes meanwhile is asked again.
        return Refused(starts_at) if is_counted else Uncounted(starts_at)
    return Uncounted(starts_at) if period_end is None else Duplicate(starts_at)


async def put_back(session: Session, wanted: Wanted) -> None:
    """Undo a reservation of this very transaction: no entry is left behind."""
    given = {
        "team_id": wanted.team_id,
        "service": wanted.service.value,
        "subject_id": wanted.subject_id,
        "index": wanted.index,
    }
    await fetch(session, PUT_BACK, given)


async def open_counters(
    session: Session, team_id: str, number_id: str, period_start: datetime, period_end: datetime
) -> None:
    """Make the counters of a number's month, if nobody has; never while one of them is locked."""
    await fetch(
        session,
        OPEN_COUNTERS,
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
    await fetch(session, LOCK_BOTH, {**keys, "to": to})
    if not await fetch(session, MOVE_IN, {**keys, "period_start": to}):
        return False
    await fetch(session, MOVE_OUT, keys)
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
    given = {
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
    }
    [(count, posted, pending, limit, period_end)] = await fetch(session, RESOLVE, given)
    return Resolved(count, posted, pending, limit, period_end.astimezone(UTC))


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
    given = {
        "team_id": team_id,
        "service": service.value,
        "subject_id": subject_id,
        "index": index,
        "recorded_at": recorded_at,
        "reason": reason,
        "actor": actor,
    }
    return bool(await fetch(session, CORRECT, given))
