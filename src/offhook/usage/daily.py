"""A month by the local days of its zone: which days there are, and what was used on each.

Days are half-open spans of UTC instants, as months are (UP3): 23 or 25 hours long where clocks
change, missing where a place skipped one, cut short where the month changed its zone (UP2). Pure.
"""

from bisect import bisect_right
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from offhook.usage.periods import Period
from offhook.usage.rating import Rate, Unit
from offhook.usage.rules import Service

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day at the team's place; `starts_at` belongs to it, `ends_at` does not."""

    date: date
    starts_at: datetime
    ends_at: datetime

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at


@dataclass(frozen=True, slots=True)
class DayUse:
    """What one number used of one service on one day; `charged` is what is not free."""

    day: Day
    number_id: str
    service: Service
    units: int
    free: int

    @property
    def charged(self) -> int:
        return self.units - self.free


Sums = Tally[tuple[str, Rate, int]]
"""Units by number, price, and index of the day in the month."""


def days_of(period: Period) -> list[Day]:
    """The days of a month, contiguous, from its first instant to its last."""
    found: list[Day] = []
    named = period.starts_at.astimezone(ZoneInfo(period.zone)).date()
    start = period.starts_at
    while start < period.ends_at:
        following = named + ONE_DAY
        end = min(_midnight(following, period.zone), period.ends_at)
        if end > start:
            found.append(Day(named, start, end))
            start = end
        named = following
    return found


def day_at(days: Sequence[Day], instant: datetime) -> int:
    """The index of the day that holds `instant`; of one outside the month, the nearest."""
    return max(0, min(len(days), bisect_right(days, instant, key=lambda d: d.starts_at)) - 1)


def by_day(days: Sequence[Day], service: Service, sums: Sums, free: Iterable[Unit]) -> list[DayUse]:
    """The month's use per day and number, in that order; days without use are left out."""
    units: Tally[tuple[int, str]] = Tally()
    for (number_id, _, day), count in sums.items():
        units[day, number_id] += count
    freed = Tally((day_at(days, unit.starts_at), unit.number_id) for unit in free)
    return [
        DayUse(days[day], number_id, service, count, freed[day, number_id])
        for (day, number_id), count in sorted(units.items())
        if count
    ]


def _midnight(day: date, zone: str) -> datetime:
    # As for months (periods.py): a skipped midnight is the change itself, of two the first counts.
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
