"""Which times of a calendar can be booked: opening hours, what is taken, and the time now. Pure.

A slot begins at a wall time that is a whole number of steps after its span opens, lasts its
length in real time, and ends by closing. Where the clock is put forward the times that do not
exist are left out; where it is put back a time that comes twice means its first. All instants are
aware and in UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from offhook.bookings.hours import Hours, Span

ONE_DAY = timedelta(days=1)
SEARCHED_DAYS = 14
"""How many days around a wanted one are searched for another slot."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What slots are made of. `places` can be taken at the same time."""

    zone: ZoneInfo
    hours: Hours
    length: timedelta
    step: timedelta
    buffer: timedelta
    lead: timedelta
    horizon_days: int
    places: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Some places are taken from `start` until `end`, its buffer included."""

    start: datetime
    end: datetime
    places: int = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that can be booked, and how many places are free in it."""

    start: datetime
    end: datetime
    free: int


class Refusal(StrEnum):
    """Why a time cannot be booked."""

    TOO_MANY = "too_many"
    PAST = "past"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    CLOSED = "closed"
    OFF_GRID = "off_grid"
    FULL = "full"


def at(zone: ZoneInfo, wall: datetime) -> datetime | None:
    """The instant of a wall time, the first where it comes twice; None where it does not exist."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == wall else None


def day_of(zone: ZoneInfo, instant: datetime) -> date:
    return instant.astimezone(zone).date()


def bounds(zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    """The instants at which `day` begins and ends, where the calendar is."""
    return _edge(zone, day), _edge(zone, day + ONE_DAY)


def _edge(zone: ZoneInfo, day: date) -> datetime:
    # A midnight that does not exist reads as the instant at which the clock jumps.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def openings(plan: Plan, day: date) -> list[tuple[datetime, datetime]]:
    """From when to when it is open, of the spans that begin on `day`."""
    return [_instants(plan.zone, day, span) for span in plan.hours.on(day)]


def _instants(zone: ZoneInfo, day: date, span: Span) -> tuple[datetime, datetime]:
    """A wall time that does not exist counts in favour of being open: nothing is lost by it."""
    last = day + ONE_DAY if span.over_midnight else day
    wall = datetime.combine(day, span.opens)
    opens = at(zone, wall) or wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    closes = datetime.combine(last, span.closes, tzinfo=zone).astimezone(UTC)
    return opens, closes


def is_open(hours: Hours, zone: ZoneInfo, instant: datetime) -> bool:
    """Whether `instant` lies within a span, of its day or of the evening before."""
    day = day_of(zone, instant)
    spans = [
        _instants(zone, each, span) for each in (day - ONE_DAY, day) for span in hours.on(each)
    ]
    return any(opens <= instant < closes for opens, closes in spans)


def starts(plan: Plan, day: date) -> list[datetime]:
    """Every instant at which a slot of `day` begins, taken or not."""
    found: set[datetime] = set()
    for span in plan.hours.on(day):
        _, closes = _instants(plan.zone, day, span)
        wall = datetime.combine(day, span.opens)
        latest = wall + 2 * ONE_DAY
        while wall < latest:
            instant = at(plan.zone, wall)
            if instant is not None:
                if instant + plan.length > closes:
                    break
                found.add(instant)
            wall += plan.step
    return sorted(found)


def peak(taken: Iterable[Taken], start: datetime, end: datetime) -> int:
    """The most places that are taken at one instant from `start` until `end`."""
    changes: list[tuple[datetime, int]] = []
    for each in taken:
        if each.start < end and each.end > start:
            changes.append((max(each.start, start), each.places))
            changes.append((each.end, -each.places))
    most = now = 0
    for _, places in sorted(changes):  # what ends at an instant is gone before what begins then
        now += places
        most = max(most, now)
    return most


def free_at(plan: Plan, taken: Iterable[Taken], start: datetime) -> int:
    """How many places are free for the whole of a slot and its buffer."""
    return max(plan.places - peak(taken, start, start + plan.length + plan.buffer), 0)


def refusal(
    plan: Plan,
    taken: Iterable[Taken],
    start: datetime,
    *,
    places: int,
    now: datetime,
    by_hand: bool = False,
) -> Refusal | None:
    """Why a slot at `start` cannot be booked; None when it can.

    A person who books by hand is not held to opening hours, steps, lead time and horizon; nobody
    takes more places than there are.
    """
    if places > plan.places:
        return Refusal.TOO_MANY
    if not by_hand and (found := _outside(plan, start, now)) is not None:
        return found
    return Refusal.FULL if free_at(plan, taken, start) < places else None


def _outside(plan: Plan, start: datetime, now: datetime) -> Refusal | None:
    day = day_of(plan.zone, start)
    if start < now:
        return Refusal.PAST
    if start < now + plan.lead:
        return Refusal.TOO_SOON
    if day > day_of(plan.zone, now) + timedelta(days=plan.horizon_days):
        return Refusal.TOO_FAR
    days = (day, day - ONE_DAY)  # a span may have begun the evening before
    if any(start in starts(plan, each) for each in days):
        return None
    spans = [span for each in days for span in openings(plan, each)]
    fits = any(opens <= start and start + plan.length <= closes for opens, closes in spans)
    return Refusal.OFF_GRID if fits else Refusal.CLOSED


def free(
    plan: Plan, taken: Sequence[Taken], first: date, last: date, *, places: int, now: datetime
) -> list[Slot]:
    """The slots from `first` to `last` that have `places` free, in order of time."""
    earliest, farthest = now + plan.lead, day_of(plan.zone, now) + timedelta(plan.horizon_days)
    first = max(first, day_of(plan.zone, now))
    found: dict[datetime, Slot] = {}
    day = first - ONE_DAY
    while day <= min(last, farthest):
        begins = [each for each in starts(plan, day) if each >= earliest]
        near = _near(taken, begins, plan.length + plan.buffer)
        for start in begins:
            if first <= day_of(plan.zone, start) <= min(last, farthest):
                count = free_at(plan, near, start)
                if count >= places:
                    found[start] = Slot(start, start + plan.length, count)
        day += ONE_DAY
    return [found[start] for start in sorted(found)]


def _near(taken: Sequence[Taken], begins: Sequence[datetime], span: timedelta) -> list[Taken]:
    if not begins:
        return []
    start, end = begins[0], begins[-1] + span
    return [each for each in taken if each.start < end and each.end > start]


def alternatives(
    slots: Sequence[Slot], wanted: datetime, zone: ZoneInfo, *, count: int = 3
) -> list[Slot]:
    """The free slots nearest to a wanted one: of its day, else of the nearest days, in order."""
    day = day_of(zone, wanted)
    wall = wanted.astimezone(zone).replace(tzinfo=None)

    def distance(slot: Slot) -> tuple[int, float, datetime]:
        local = slot.start.astimezone(zone).replace(tzinfo=None)
        apart = abs((local.date() - day).days)
        off = abs((datetime.combine(day, local.time()) - wall).total_seconds())
        return apart, off, slot.start

    same_day = [slot for slot in slots if day_of(zone, slot.start) == day]
    nearest = sorted(same_day or slots, key=distance)[:count]
    return sorted(nearest, key=lambda slot: slot.start)
