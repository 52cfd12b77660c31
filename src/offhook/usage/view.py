"""What pages and REST say about a month beyond its sums: forecasts and the daily chart. Pure.

The chart is a stack of series over the month's days, by number or by free and charged, daily or as
a running total; the same figures stand in the table behind it.
"""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any

from offhook.usage.daily import Day, day_at
from offhook.usage.forecast import Forecast, Outlook, forecast
from offhook.usage.month import MonthToDate
from offhook.usage.rules import Service

SHOWN_NUMBERS = 5
OTHERS = 6
UNITS = {Service.CALLS: "min", Service.SMS: "SMS"}


class Split(StrEnum):
    """What the parts of a day's bar are."""

    NUMBER = "number"
    CHARGE = "charge"


class Scale(StrEnum):
    """A day by itself, or the month up to it."""

    DAILY = "daily"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader chose to see. An empty `number_id` is all numbers."""

    service: Service = Service.CALLS
    split: Split = Split.NUMBER
    scale: Scale = Scale.DAILY
    number_id: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One part of the stack: `color` 1 to 5, or OTHERS; a value for each day of the month."""

    label: str
    color: int
    values: list[int]


@dataclass(frozen=True, slots=True)
class Chart:
    """A month's chart. `limit`: the units that the limit line marks, of what `limit_label` says."""

    days: list[Day]
    series: list[Series]
    today: int | None
    unit: str
    scale: Scale
    limit: float | None
    limit_label: str
    path: tuple[float, ...]

    @property
    def totals(self) -> list[int]:
        return [sum(values) for values in zip(*(s.values for s in self.series), strict=True)]

    @property
    def until(self) -> int:
        """How many days have begun."""
        return len(self.days) if self.today is None else self.today + 1

    def data(self) -> dict[str, Any]:
        """As `ui.chart` draws it."""
        running = self.scale is Scale.TOTAL
        lines: list[dict[str, Any]] = []
        if self.limit is not None:
            lines.append(
                {
                    "label": self.limit_label,
                    "kind": "limit",
                    "values": [round(self.limit, 2)] * len(self.days),
                }
            )
        if running and self.path and self.today is not None:
            # From what yesterday ended with to what today and the days after will end with.
            before: list[float | None] = [None] * self.today
            if self.today:
                before[-1] = sum(self.totals[: self.today])
            ahead = [round(value, 1) for value in self.path]
            lines.append({"label": "At this pace", "kind": "pace", "values": [*before, *ahead]})
        return {
            "days": [str(day.date.day) for day in self.days],
            "titles": [f"{day.date:%A}, {day.date.day} {day.date:%B}" for day in self.days],
            "series": [
                {
                    "label": each.label,
                    "color": each.color,
                    "values": [
                        value if at < self.until else None
                        for at, value in enumerate(_running(each.values, running=running))
                    ],
                }
                for each in self.series
            ],
            "lines": lines,
            "today": self.today,
            "unit": self.unit,
            "area": running,
        }


@dataclass(frozen=True, slots=True)
class Outlooks:
    """The running month's forecasts: of each number's limits, and of the free units."""

    numbers: Mapping[tuple[str, Service], Forecast]
    free: Mapping[Service, Forecast]


NOTHING = Forecast(Outlook.UNKNOWN)


def outlooks(month: MonthToDate) -> Outlooks:
    """When each limit and the free units will be reached; nothing for a month that is over."""
    if not month.is_running:
        return Outlooks({}, {})
    numbers = {
        (use.number_id, use.service): forecast(
            month.days,
            month.units_by_day(use.service, use.number_id),
            limit=use.limit,
            present=month.present,
            since=use.opened_at,
        )
        for use in month.numbers
    }
    first = min((use.opened_at for use in month.numbers), default=None)
    free = {
        service: forecast(
            month.days,
            month.units_by_day(service),
            limit=service.free_units,
            present=month.present,
            since=first,
        )
        for service in Service
    }
    return Outlooks(numbers, free)


def chart(
    month: MonthToDate, choice: Choice, names: Mapping[str, str], expected: Outlooks
) -> Chart:
    """The month's chart as chosen; `names` of numbers by id."""
    whole = NOTHING
    limit: float | None = None
    label = ""
    if choice.number_id:
        own = next(
            (
                use
                for use in month.numbers
                if (use.number_id, use.service) == (choice.number_id, choice.service)
            ),
            None,
        )
        whole = expected.numbers.get((choice.number_id, choice.service), NOTHING)
        if own is not None and own.limit is not None:
            daily = choice.scale is Scale.DAILY
            limit = own.limit / len(month.days) if daily else own.limit
            label = f"Limit of {own.limit:,}" + (", spread evenly" if daily else "")
    else:
        whole = expected.free.get(choice.service, NOTHING)
        if choice.scale is Scale.TOTAL:
            limit = choice.service.free_units
            label = f"{limit:,} free"
    by_number = choice.split is Split.NUMBER
    return Chart(
        days=month.days,
        series=_by_number(month, choice, names) if by_number else _by_charge(month, choice),
        today=day_at(month.days, month.present) if month.is_running else None,
        unit=UNITS[choice.service],
        scale=choice.scale,
        limit=limit,
        limit_label=label,
        path=whole.path,
    )


def _by_charge(month: MonthToDate, choice: Choice) -> list[Series]:
    units = month.units_by_day(choice.service, choice.number_id)
    free = month.units_by_day(choice.service, choice.number_id, free_only=True)
    charged = [all_of_day - own for all_of_day, own in zip(units, free, strict=True)]
    return [Series("Free", 2, free), Series("Charged", 1, charged)]


def _by_number(month: MonthToDate, choice: Choice, names: Mapping[str, str]) -> list[Series]:
    if choice.number_id:
        shown = [choice.number_id]
    else:
        totals = Tally[str]()
        for use in month.daily:
            if use.service is choice.service:
                totals[use.number_id] += use.units
        # Colours stay with their numbers while the month goes on: by name, not by rank.
        shown = sorted(
            (number for number, _ in totals.most_common(SHOWN_NUMBERS)),
            key=lambda number: (names.get(number, number).casefold(), number),
        )
    series = [
        Series(names.get(number, number), color, month.units_by_day(choice.service, number))
        for color, number in enumerate(shown, start=1)
    ]
    others = _rest(month.units_by_day(choice.service, choice.number_id), series)
    return [*series, Series("Others", OTHERS, others)] if any(others) else series


def _rest(all_units: Sequence[int], series: Sequence[Series]) -> list[int]:
    named = [sum(values) for values in zip(*(s.values for s in series), strict=True)]
    return [units - own for units, own in zip(all_units, named or all_units, strict=True)]


def _running(values: Sequence[int], *, running: bool) -> Sequence[int]:
    return list(accumulate(values)) if running else values
