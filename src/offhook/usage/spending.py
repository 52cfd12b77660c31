"""What a month's units cost, held ones included, kept so that one more is rated in no time. Pure.

`Spending` is the month's lines as they would be if all that is held were used, with the place where
the free units end. It is exact while nothing is given back; what is given back only makes the true
charges smaller, so that it is never too small: taking a unit away never makes a month dearer, nor
does it any line (each unit is charged at its own price, and one free place moves to the next).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from offhook.prices import Direction, Money
from offhook.usage import rating
from offhook.usage.rating import Line, Rate, Unit
from offhook.usage.rules import Service

Place = tuple[datetime, str, int]
"""Where a unit stands in the order of the allowance (UF2)."""
Counted = tuple[int, int]
"""Units, and how many of them are free."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One service's lines. `edge`: the last free unit's place, once the allowance is used up."""

    units: int = 0
    lines: Mapping[tuple[str, Rate], Counted] = field(
        default_factory=dict[tuple[str, Rate], Counted]
    )
    edge: Place | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """Both services of one month of a team."""

    calls: Tally = Tally()
    sms: Tally = Tally()

    def of(self, service: Service) -> Tally:
        return self.calls if service is Service.CALLS else self.sms

    def having(self, service: Service, tally: Tally) -> "Spending":
        return replace(self, **{service.value: tally})

    @property
    def charges(self) -> Money:
        """What an invoice would say if all that is held were used: lines rounded once (UC8)."""
        lines = [
            Line(number_id, service, rate, units, free)
            for service in Service
            for (number_id, rate), (units, free) in self.of(service).lines.items()
        ]
        total = Money(0, lines[0].rate.currency) if lines else Money(0)
        for line in lines:
            total += line.amount
        return total


def with_unit(spending: Spending, service: Service, unit: Unit) -> Spending | None:
    """One unit more; None where the order of time must be looked up in the ledger.

    That is so for a unit that comes before the last free one, and for the one after which the
    allowance is used up for the first time.
    """
    tally = spending.of(service)
    is_free = tally.units < service.free_units
    if not is_free and (tally.edge is None or place(unit) < tally.edge):
        return None
    units, free = tally.lines.get((unit.number_id, unit.rate), (0, 0))
    lines = {**tally.lines, (unit.number_id, unit.rate): (units + 1, free + is_free)}
    return spending.having(service, Tally(tally.units + 1, lines, tally.edge))


def tallied(
    service: Service,
    totals: Mapping[tuple[str, Rate], int],
    first: Iterable[Unit],
    held: Sequence[Unit],
) -> Tally:
    """The exact lines: `totals` of what is posted, its `first` units in order, and what is held."""
    every = Counter(totals)
    every.update((unit.number_id, unit.rate) for unit in held)
    free = rating.first_free([*first, *held], service.free_units)
    lines = {
        (line.number_id, line.rate): (line.units, line.free)
        for line in rating.lines(service, every, free)
    }
    full = len(free) == service.free_units
    units = sum(units for units, _ in lines.values())
    return Tally(units, lines, place(free[-1]) if full else None)


def place(unit: Unit) -> Place:
    return unit.starts_at, unit.subject_id, unit.index


# --- As kept in the database ---


def to_json(spending: Spending) -> dict[str, Any]:
    return {service.value: _tally_json(spending.of(service)) for service in Service}


def from_json(kept: Mapping[str, Any]) -> Spending:
    return Spending(**{service.value: _tally(kept[service.value]) for service in Service})


def _tally_json(tally: Tally) -> dict[str, Any]:
    edge = tally.edge
    return {
        "units": tally.units,
        "lines": [
            [number_id, rate.price_id, rate.direction.value, rate.micros, rate.currency, *counted]
            for (number_id, rate), counted in tally.lines.items()
        ],
        "edge": [edge[0].isoformat(), *edge[1:]] if edge else None,
    }


def _tally(kept: Mapping[str, Any]) -> Tally:
    lines = {
        (number_id, Rate(price_id, Direction(direction), micros, currency)): (units, free)
        for number_id, price_id, direction, micros, currency, units, free in kept["lines"]
    }
    edge = kept["edge"]
    last = (datetime.fromisoformat(edge[0]), edge[1], edge[2]) if edge else None
    return Tally(kept["units"], lines, last)
