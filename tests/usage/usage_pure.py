"""A desk without a database: the ledger's pure rules put together in sets and loops.

What rules.py, periods.py and rating.py decide is decided by them; only what SQL makes atomic is
done here one thing after the other. The state machine drives it as it drives the real desk.
"""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from usage_desk import Clock, Shown

from offhook.prices import Direction
from offhook.usage import Balance, Denied, Granted, Period, Reason, Service, Settlement
from offhook.usage.periods import following, month_holding
from offhook.usage.rating import Rate, Unit, first_free, lines
from offhook.usage.rules import (
    LEASE_S,
    MINUTE,
    Kind,
    begun_minutes,
    minute_start,
    resolutions,
    started_minutes,
)

MINUTE_PRICE, MESSAGE_PRICE = 20_000, 10_000  # micros
Key = tuple[str, int]


@dataclass
class Entry:
    number: str
    service: Service
    starts_at: datetime
    kind: Kind = Kind.RESERVED


@dataclass
class Call:
    number: str
    answered_at: datetime
    alive_at: datetime
    seen_at: datetime | None = None
    reserved: int = 1
    ended: Settlement | None = None


@dataclass
class PureDesk:
    clock: Clock
    current: str
    team: str
    limits: dict[tuple[str, Service], int | None] = field(
        default_factory=dict[tuple[str, Service], int | None]
    )
    months: list[Period] = field(default_factory=list[Period])
    units: dict[Key, Entry] = field(default_factory=dict[Key, Entry])
    calls: dict[str, Call] = field(default_factory=dict[str, Call])

    async def number(self, name: str) -> str:
        self.limits |= dict.fromkeys(((name, service) for service in Service), None)
        return name

    async def limit(self, number: str, service: Service, value: int | None) -> None:
        self.limits[number, service] = value

    async def zone(self, zone: str, at: datetime) -> None:
        self._month(at)
        self.current = zone

    async def reserve(self, number: str, call: str, index: int = 0) -> Granted | Denied:
        at = self.clock()
        known = self.calls.get(call)
        if known is not None and known.ended is not None:
            return Denied(Reason.CALL_ENDED, at)
        start = minute_start(known.answered_at if known else at, index)
        if known is not None and index:
            known.alive_at = known.seen_at = at
        if not self._take(number, Service.CALLS, (call, index), start):
            return Denied(Reason.LIMIT_REACHED, self._month(start).ends_at)
        live = self.calls.setdefault(call, Call(number, at, at))
        live.alive_at, live.reserved = at, max(live.reserved, index + 1)
        return Granted(start, start + MINUTE, start + MINUTE, self._month(start).ends_at, None)

    async def heartbeat(self, *calls: str) -> frozenset[str]:
        for call in calls:
            self.calls[call].alive_at = self.calls[call].seen_at = self.clock()
        return frozenset(calls)

    async def settle(self, call: str, seconds: float) -> Settlement:
        return self._end(call, started_minutes(seconds), Kind.VOIDED)

    async def sweep(self) -> None:
        for name, call in self.calls.items():
            if call.ended is None and call.alive_at < self.clock() - timedelta(seconds=LEASE_S):
                seen = call.seen_at
                spoken = started_minutes((seen - call.answered_at).total_seconds()) if seen else 0
                self._end(name, spoken, Kind.EXPIRED)

    async def take(
        self, number: str, message: str, direction: Direction = Direction.INBOUND
    ) -> Granted | Denied:
        at, key = self.clock(), (message, 0)
        if not self._take(number, Service.SMS, key, at):
            return Denied(Reason.LIMIT_REACHED, self._month(at).ends_at)
        if direction is Direction.INBOUND:
            self.units[key].kind = Kind.POSTED
        return Granted(at, at, at, self._month(at).ends_at, None)

    async def post(self, message: str) -> None:
        if self.units[message, 0].kind is Kind.RESERVED:
            self.units[message, 0].kind = Kind.POSTED

    async def give_back(self, message: str) -> None:
        unit = self.units[message, 0]
        unit.kind = Kind.CORRECTED if unit.kind is Kind.POSTED else Kind.VOIDED

    async def balance(self, number: str, service: Service = Service.CALLS) -> Balance:
        month = self._month(self.clock())
        posted, pending = (self._count(number, service, month, kind) for kind in COUNTED)
        return Balance(posted, pending, self.limits[number, service], month)

    async def shown(self) -> Shown:
        """By the rating of what is used, in which a live call's begun minutes are."""
        free: dict[Service, dict[str, int]] = {}
        used, charged = dict.fromkeys(Service, 0), 0
        for service, price in ((Service.CALLS, MINUTE_PRICE), (Service.SMS, MESSAGE_PRICE)):
            rate = Rate("price", Direction.INBOUND, price, "USD")
            units = [
                Unit(unit.starts_at, *key, unit.number, rate)
                for key, unit in self.units.items()
                if unit.service is service and self._month(self.clock()).holds(unit.starts_at)
                if unit.kind is Kind.POSTED or self._has_begun(key, unit)
            ]
            first = first_free(units, service.free_units)
            totals = {
                (number, rate): sum(unit.number_id == number for unit in units)
                for number in {unit.number_id for unit in units}
            }
            made = lines(service, totals, first)
            free[service] = {line.number_id: line.free for line in made if line.free}
            used[service] = len(units)
            charged += sum(line.amount.micros for line in made)
        return Shown(free, used, charged)

    async def audit(self) -> list[object]:
        """UI7 of the months made; the other invariants are the reference's."""
        return [
            (before, after)
            for before, after in itertools.pairwise(self.months)
            if before.ends_at != after.starts_at
            or not timedelta(days=26) <= after.ends_at - after.starts_at <= timedelta(days=33)
        ]

    def _has_begun(self, key: Key, unit: Entry) -> bool:
        if unit.kind is not Kind.RESERVED or unit.service is not Service.CALLS:
            return False
        call = self.calls[key[0]]
        return key[1] < begun_minutes(call.answered_at, call.reserved, self.clock())

    def _month(self, at: datetime) -> Period:
        if not self.months:
            self.months.append(month_holding(at, self.current))
        while self.months[-1].ends_at <= at:
            self.months.append(following(self.months[-1], self.current))
        return next(month for month in self.months if month.holds(at))

    def _count(self, number: str, service: Service, month: Period, kind: Kind) -> int:
        return sum(
            (unit.number, unit.service, unit.kind) == (number, service, kind)
            and month.holds(unit.starts_at)
            for unit in self.units.values()
        )

    def _take(self, number: str, service: Service, key: Key, start: datetime) -> bool:
        if key in self.units:
            return self.units[key].kind in COUNTED
        limit = self.limits[number, service]
        month = self._month(start)
        taken = sum(self._count(number, service, month, kind) for kind in COUNTED)
        if limit is not None and taken + 1 > limit:
            return False
        self.units[key] = Entry(number, service, start)
        return True

    def _end(self, name: str, billed: int, rest: Kind) -> Settlement:
        call = self.calls[name]
        if call.ended is not None:
            return call.ended
        for index in range(call.reserved, billed):
            start = minute_start(call.answered_at, index)
            if not self._take(call.number, Service.CALLS, (name, index), start):
                billed = index
                break
            call.reserved = index + 1
        held = [(index, self.units[name, index].starts_at) for index in range(call.reserved)]
        for unit in resolutions(held, billed, rest, timedelta(0)):
            self.units[name, unit.index].kind = unit.kind
        call.ended = Settlement(name, call.number, billed, 0)
        return call.ended


COUNTED = (Kind.POSTED, Kind.RESERVED)
