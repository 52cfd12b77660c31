"""What a month costs: the free units by order of time, and one line per number and price.

Rating is a function of the set of records (UI6): any order of arrival, the same lines. The
allowance only prices, it never blocks (UF7). Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from offhook.prices import Direction, Money
from offhook.usage.periods import Period
from offhook.usage.rules import Service


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """One used minute or message. The order of the fields is the order of the allowance (UF2):
    minute start, then call or message id, then minute index.
    """

    starts_at: datetime
    subject_id: str
    index: int
    number_id: str
    rate: "Rate"


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """The price of a unit: the version in force when it started (UP5)."""

    price_id: str
    direction: Direction
    micros: int
    currency: str

    @property
    def money(self) -> Money:
        return Money(self.micros, self.currency)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a month: the units of one number and service at one price."""

    number_id: str
    service: Service
    rate: Rate
    units: int
    free: int

    @property
    def charged(self) -> int:
        return self.units - self.free

    @property
    def amount(self) -> Money:
        """Rounded here, half to even, and nowhere else (UC8)."""
        return (self.rate.money * self.charged).rounded()


def first_free(units: Iterable[Unit], allowance: int) -> list[Unit]:
    """The units that are free: the first `allowance` in order of time (UF2, UF3, UF4)."""
    return sorted(units)[:allowance]


def lines(
    service: Service, totals: Mapping[tuple[str, Rate], int], free: Iterable[Unit]
) -> list[Line]:
    """The month's lines from units per (number, rate) and the free ones among them."""
    freed = Counter((unit.number_id, unit.rate) for unit in free)
    return [
        Line(number_id, service, rate, units, freed[number_id, rate])
        for (number_id, rate), units in sorted(totals.items())
        if units
    ]


def limit_sentence(service: Service, limit: int | None, each: Money, period: Period) -> str:
    """What a limit means in words, for the page that sets it (pages.md, Limits)."""
    unit = service.unit + "s"
    if limit is None:
        return f"No limit: {service.free_units} {unit} free (shared), then {each.amount} each."
    free = min(limit, service.free_units)
    charged = limit - free
    named = unit if limit != 1 else service.unit
    stop = f"{'calls stop' if service is Service.CALLS else 'replies stop'} until {_until(period)}"
    if not charged:
        return f"{limit:,} {named}, all within the {service.free_units} free (shared); {stop}."
    most = (each * charged).rounded()
    return (
        f"{limit:,} {unit}: {free} free (shared), then {charged:,} charged at {each.amount} each, "
        f"at most {most.amount}; {stop}."
    )


def _until(period: Period) -> str:
    year, month = period.month.year, period.month.month
    name = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001 - a date's name only
    return f"{name.day} {name:%b}, {period.zone}"
