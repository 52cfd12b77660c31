"""The product and the reference, driven side by side and compared after every step.

One thing after the other by the methods of Pair; several at once by `rush`, whose outcomes must be
those of some order of them.
"""

import asyncio
import copy
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from usage_desk import Clock, Desk, hire
from usage_pure import PureDesk
from usage_reference import Reference

from offhook.db import Database
from offhook.usage import Direction, Granted, Service

NUMBERS = ("a", "b")
MINUTE_PRICE, MESSAGE_PRICE = 20_000, 10_000  # micros; a local number of the United States


Outcome = bool | int | None


@dataclass(frozen=True)
class Act:
    """Something done to both; the outcomes are compared."""

    product: Callable[[], Awaitable[Outcome]]
    reference: Callable[[Reference], Outcome]
    call: str = ""
    message: str = ""
    ends: bool = False


@dataclass
class Pair:
    desk: Desk | PureDesk
    reference: Reference
    clock: Clock
    numbers: dict[str, str]
    live: dict[str, int] = field(default_factory=dict[str, int])
    messages: list[str] = field(default_factory=list[str])
    steps: int = 0

    @property
    def now(self) -> datetime:
        return self.clock.instant

    async def call(self, name: str) -> None:
        call = f"{self.desk.team}-call-{self._next():04}"
        got = await self.desk.reserve(self.numbers[name], call)
        granted = self.reference.reserve(self.numbers[name], call, 0, self.now)
        assert isinstance(got, Granted) == granted
        if granted:
            self.live[call] = 1

    async def renew(self, call: str, *, again: bool = False) -> None:
        """Reserve the next minute, or the last one a second time."""
        index = self.live[call] - again
        number = self.reference.calls[call][0]
        got = await self.desk.reserve(number, call, index)
        granted = self.reference.reserve(number, call, index, self.now)
        assert isinstance(got, Granted) == granted
        if granted and not again:
            self.live[call] += 1

    async def heartbeat(self, call: str) -> None:
        assert await self.desk.heartbeat(call) == {call}
        self.reference.alive[call] = self.reference.seen[call] = self.now

    async def end(self, call: str, seconds: float) -> None:
        expected = self.reference.settle(call, seconds)
        for _ in range(2):  # the second end changes nothing
            assert (await self.desk.settle(call, seconds)).minutes == expected
        del self.live[call]

    async def sweep(self) -> None:
        self.reference.lost(self.now)
        await self.desk.sweep()
        for call in self.live.keys() - self.reference.alive.keys():
            del self.live[call]

    async def limit(self, name: str, service: Service, value: int | None) -> None:
        await self.desk.limit(self.numbers[name], service, value)
        self.reference.limits[self.numbers[name], service.value] = value

    async def zone(self, zone: str) -> None:
        """A new zone counts from the end of the running month on (UP2)."""
        self.reference.month(self.now)
        await self.desk.zone(zone, self.now)
        self.reference.zone = zone

    async def inbound(self, name: str) -> None:
        message = f"{self.desk.team}-text-{self._next():04}"
        number = self.numbers[name]
        granted = self.reference.take(number, "sms", (message, 0), self.now)
        if granted:
            self.reference.end((message, 0), "used")
        for _ in range(2):  # the carrier tells it twice (UT12)
            assert isinstance(await self.desk.take(number, message), Granted) == granted

    async def outbound(self, name: str) -> None:
        message = f"{self.desk.team}-text-{self._next():04}"
        number = self.numbers[name]
        granted = self.reference.take(number, "sms", (message, 0), self.now)
        got = await self.desk.take(number, message, Direction.OUTBOUND)
        assert isinstance(got, Granted) == granted
        if granted:
            self.messages.append(message)

    async def sent(self, message: str) -> None:
        for _ in range(2):
            await self.desk.post(message)
        self.reference.end((message, 0), "used")

    async def failed(self, message: str) -> None:
        """Refused by the carrier, before or after it was posted (U8, UT7)."""
        for _ in range(2):
            await self.desk.give_back(message)
        self.reference.end((message, 0), "gone")
        self.messages.remove(message)

    def act_call(self, name: str) -> Act:
        call, number, now = f"{self.desk.team}-call-{self._next():04}", self.numbers[name], self.now

        async def product() -> bool:
            return isinstance(await self.desk.reserve(number, call), Granted)

        return Act(product, lambda model: model.reserve(number, call, 0, now), call=call)

    def act_renew(self, call: str) -> Act:
        index, number, now = self.live[call], self.reference.calls[call][0], self.now

        async def product() -> bool:
            return isinstance(await self.desk.reserve(number, call, index), Granted)

        return Act(product, lambda model: model.reserve(number, call, index, now), call=call)

    def act_end(self, call: str, seconds: float) -> Act:
        async def product() -> int:
            return (await self.desk.settle(call, seconds)).minutes

        return Act(product, lambda model: model.settle(call, seconds), call=call, ends=True)

    def act_text(self, name: str, direction: Direction) -> Act:
        message, number = f"{self.desk.team}-text-{self._next():04}", self.numbers[name]
        now, inbound = self.now, direction is Direction.INBOUND

        async def product() -> bool:
            return isinstance(await self.desk.take(number, message, direction), Granted)

        def reference(model: Reference) -> bool:
            granted = model.take(number, "sms", (message, 0), now)
            if granted and inbound:
                model.end((message, 0), "used")
            return granted

        return Act(product, reference, message="" if inbound else message)

    def act_limit(self, name: str, service: Service, value: int | None) -> Act:
        number = self.numbers[name]

        def reference(model: Reference) -> None:
            model.limits[number, service.value] = value

        return Act(lambda: self.desk.limit(number, service, value), reference)

    async def rush(self, acts: list[Act]) -> None:
        """All at once, on a connection each; some order of them explains every outcome."""
        outcomes = await asyncio.gather(*(act.product() for act in acts))
        told = list(zip(acts, outcomes, strict=True))
        # What was granted is tried first: it is most often right.
        told.sort(key=lambda one: one[1] is False)
        for order in itertools.permutations(told):
            model = copy.deepcopy(self.reference)
            if all(act.reference(model) == outcome for act, outcome in order):
                self.reference = model
                break
        else:
            raise AssertionError(f"no order of {len(acts)} acts comes to {outcomes}")
        for act in acts:
            if act.ends:
                del self.live[act.call]
        for act, outcome in told:
            if act.message and outcome:
                self.messages.append(act.message)
            elif act.call and not act.ends and outcome and act.call in self.reference.alive:
                self.live[act.call] = self.live.get(act.call, 0) + 1

    async def disable(self, name: str) -> None:
        """Live calls end now, replies on their way are void; nothing begins until it is enabled."""
        number = self.numbers[name]
        for call in [call for call in self.live if self.reference.calls[call][0] == number]:
            seconds = (self.now - self.reference.calls[call][1]).total_seconds()
            await self.end(call, seconds)
        for message in list(self.messages):
            if self.reference.units[message, 0][0] == number:
                await self.failed(message)

    async def check(self) -> None:
        """Both say the same of the running month."""
        self.reference.month(self.now)
        month = self.reference.month(self.now)
        for number in self.numbers.values():
            for service in Service:
                state = await self.desk.balance(number, service)
                assert state.period.starts_at == month
                assert [state.posted, state.pending] == [
                    self.reference.count(number, service.value, month, of)
                    for of in ("used", "pending")
                ]
        shown = await self.desk.shown()
        charged = 0
        for service in Service:
            free = self.reference.free(service.value, self.now)
            assert shown.free[service] == free
            price = MINUTE_PRICE if service is Service.CALLS else MESSAGE_PRICE
            charged += price * (shown.used[service] - sum(free.values()))
        assert shown.charged == charged

    async def audit(self) -> None:
        assert await self.desk.audit() == []

    def forward(self, **amount: float) -> None:
        self.clock.instant += timedelta(**amount)

    def to_months_end(self, seconds_before: float) -> None:
        self.reference.month(self.now)
        end = self.reference.months[-1][1] - timedelta(seconds=seconds_before)
        self.clock.instant = max(self.now, end)

    def _next(self) -> int:
        self.steps += 1
        return self.steps


async def pair(database: Database, clock: Clock, zone: str) -> Pair:
    """A new team with two numbers without limits."""
    return await pair_of(await hire(database, zone), clock, zone)


async def pair_of(desk: Desk | PureDesk, clock: Clock, zone: str) -> Pair:
    reference = Reference(zone, clock.instant)
    made = Pair(desk, reference, clock, {name: f"{desk.team}-{name}" for name in NUMBERS})
    for number in made.numbers.values():
        await desk.number(number)
        for service in Service:
            reference.limits[number, service.value] = None
    return made
