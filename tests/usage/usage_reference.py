"""What the ledger should say, in sets and loops: no SQL, none of the product's code.

Written from metering.md. A call's minutes and a message are units; a unit is pending, used, gone.
"""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

FREE = {"calls": 60, "sms": 100}
SECOND = timedelta(seconds=1)


class Reference:
    def __init__(self, zone: str, now: datetime) -> None:
        start = now.replace(minute=0, second=0, microsecond=0)
        while start.astimezone(ZoneInfo(zone)).day != 1:
            start -= timedelta(hours=1)
        while (start - timedelta(minutes=15)).astimezone(ZoneInfo(zone)).day == 1:
            start -= timedelta(minutes=15)
        self.zone = zone
        self.months: list[tuple[datetime, datetime]] = [(start, self.end_after(start))]
        self.limits: dict[tuple[str, str], int | None] = {}
        self.units: dict[tuple[str, int], tuple[str, str, datetime, str]] = {}
        self.calls: dict[str, tuple[str, datetime]] = {}
        self.alive: dict[str, datetime] = {}
        self.seen: dict[str, datetime] = {}

    def end_after(self, start: datetime) -> datetime:
        end = start + timedelta(days=26)
        while end.astimezone(ZoneInfo(self.zone)).day != 1:
            end += timedelta(minutes=15)
        return end

    def month(self, at: datetime) -> datetime:
        while self.months[-1][1] <= at:
            self.months.append((self.months[-1][1], self.end_after(self.months[-1][1])))
        return next(start for start, end in self.months if start <= at < end)

    def count(self, number: str, service: str, month: datetime, state: str) -> int:
        return sum(
            (n, s, self.month(at), st) == (number, service, month, state)
            for n, s, at, st in self.units.values()
        )

    def take(self, number: str, service: str, key: tuple[str, int], at: datetime) -> bool:
        if key in self.units:
            return self.units[key][3] != "gone"
        taken = sum(self.count(number, service, self.month(at), s) for s in ("pending", "used"))
        limit = self.limits[number, service]
        if limit is not None and taken + 1 > limit:
            return False
        self.units[key] = (number, service, at, "pending")
        return True

    def end(self, key: tuple[str, int], state: str) -> None:
        if self.units[key][3] != "gone":
            self.units[key] = (*self.units[key][:3], state)

    def reserve(self, number: str, call: str, index: int, now: datetime) -> bool:
        if call in self.calls and call not in self.alive:
            return False
        answered = self.calls[call][1] if call in self.calls else now
        if index:  # who asks for the next minute lives, granted or not (UC3)
            self.alive[call] = self.seen[call] = now
        if not self.take(number, "calls", (call, index), answered + index * 60 * SECOND):
            return False
        self.calls[call] = (number, answered)
        self.alive[call] = now
        return True

    def settle(self, call: str, seconds: float, *, spoke: bool = True) -> int:
        minutes = max(1, math.ceil(math.ceil(seconds) / 60)) if spoke else 0
        number, answered = self.calls[call]
        index = 0
        while index < minutes or (call, index) in self.units:
            if not self.take(number, "calls", (call, index), answered + index * 60 * SECOND):
                minutes = index
                break
            self.end((call, index), "used" if index < minutes else "gone")
            index += 1
        del self.alive[call]
        return minutes

    def lost(self, now: datetime) -> None:
        for call in [c for c, at in self.alive.items() if at < now - 120 * SECOND]:
            seen = self.seen.get(call)
            seconds = (seen - self.calls[call][1]).total_seconds() if seen else 0
            self.settle(call, seconds, spoke=seen is not None)

    def free(self, service: str, now: datetime) -> dict[str, int]:
        units = sorted(
            (at, key, number)
            for key, (number, s, at, state) in self.units.items()
            if s == service and self.month(at) == self.month(now)
            if state == "used" or (state == "pending" and s == "calls" and at <= now)
        )
        by_number: dict[str, int] = {}
        for _, _, number in units[: FREE[service]]:
            by_number[number] = by_number.get(number, 0) + 1
        return by_number
