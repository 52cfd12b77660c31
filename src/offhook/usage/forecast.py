"""When a limit, or the free pool, will be reached at the pace of the month so far.

The pace is the mean of the month's whole days, each weekday by its own share once there are two
weeks of them. It is robust in two ways: nothing is said before three whole days, or while usage
was on one day only; and the largest day counts for no more than three times the mean of the
others, so that one exceptional day makes no pace. Held units are no usage and do not count.
Pure: days, units and the present are arguments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from offhook.usage.daily import Day, day_at

KNOWN_DAYS = 3
ACTIVE_DAYS = 2
WEEKDAYS_FROM = 14
ROUNDING = 1e-9
EXCEPTIONAL = 3  # times the mean of the other days
WHOLE_DAY = timedelta(hours=22)  # a day cut short by a change of zone says nothing about a pace


class Outlook(StrEnum):
    """What can be said about one limit."""

    REACHED = "reached"
    ON = "on"  # it will be reached on `Forecast.day`
    NOT = "not"  # not in this month at this pace
    UNKNOWN = "unknown"  # too little is known, or there is no limit


@dataclass(frozen=True, slots=True)
class Forecast:
    """`day` is when the limit is reached at this pace; `expected` the month's total at its end.

    `path` is the running total at the end of each day from today on, limit or not.
    """

    outlook: Outlook
    day: date | None = None
    expected: int | None = None
    path: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """Units to expect on a day, by its weekday (Monday is 0)."""

    by_weekday: tuple[float, ...]

    def on(self, day: Day) -> float:
        return self.by_weekday[day.date.weekday()]


def pace(days: Sequence[Day], units: Sequence[int]) -> Pace | None:
    """The pace of whole days that are over; None when too little is known."""
    whole = [
        (day, count) for day, count in zip(days, units, strict=True) if day.length >= WHOLE_DAY
    ]
    counts = [count for _, count in whole]
    if len(counts) < KNOWN_DAYS or sum(count > 0 for count in counts) < ACTIVE_DAYS:
        return None
    others = (sum(counts) - max(counts)) / (len(counts) - 1)
    tamed = [min(count, EXCEPTIONAL * others) for count in counts]
    mean = sum(tamed) / len(tamed)
    if len(tamed) < WEEKDAYS_FROM:
        return Pace((mean,) * 7)
    return Pace(tuple(_of_weekday(weekday, whole, tamed, mean) for weekday in range(7)))


def forecast(
    days: Sequence[Day],
    units: Sequence[int],
    *,
    limit: int | None,
    present: datetime,
    since: datetime | None = None,
) -> Forecast:
    """When `limit` is reached by usage of `units` per day of the month, today's included.

    `since`: when the number came; what was before says nothing about its pace.
    """
    used = sum(units)
    today = day_at(days, present)
    first = 0 if since is None or since <= days[0].starts_at else day_at(days, since) + 1
    known = pace(days[first:today], units[first:today]) if first < today else None
    if known is None:
        reached = limit is not None and used >= limit
        return Forecast(Outlook.REACHED if reached else Outlook.UNKNOWN)
    path: list[float] = []
    total = float(used)
    for day in days[today:]:
        left = (day.ends_at - max(day.starts_at, present)) / day.length
        total += known.on(day) * max(0.0, left)
        path.append(total)
    expected = round(total)
    if limit is None:
        return Forecast(Outlook.UNKNOWN, None, expected, tuple(path))
    if used >= limit:
        return Forecast(Outlook.REACHED, None, expected, tuple(path))
    for day, running in zip(days[today:], path, strict=True):
        if running + ROUNDING >= limit:
            return Forecast(Outlook.ON, day.date, expected, tuple(path))
    return Forecast(Outlook.NOT, None, expected, tuple(path))


def _of_weekday(
    weekday: int, whole: Sequence[tuple[Day, int]], tamed: Sequence[float], mean: float
) -> float:
    # Two Sundays are few: one average day more steadies each weekday's mean.
    own = [
        count for (day, _), count in zip(whole, tamed, strict=True) if day.date.weekday() == weekday
    ]
    return (sum(own) + mean) / (len(own) + 1)
