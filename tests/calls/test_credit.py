"""A live call's credit on the real ledger: told, hung up, renewed; the clock moves by hand."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from office import Clock, Office, beat_nodes, open_office

from offhook import usage
from offhook.calls import service
from offhook.calls.admission import Refused
from offhook.calls.credit import RENEW_TIMEOUT_S, Credit
from offhook.calls.meter import Meter
from offhook.calls.rules import End, Refusal
from offhook.calls.service import Connected
from offhook.db import Database


class HandClock:
    """The database's test clock as the meter's own: it moves when everybody waits for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.instant
        self._waiting: dict[asyncio.Event, tuple[float, asyncio.Future[bool]]] = {}

    def now(self) -> float:
        return (self._clock.instant - self._began).total_seconds()

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        if event.is_set():
            return True
        woken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[event] = (self.now() + seconds, woken)
        heard = asyncio.create_task(event.wait())
        await asyncio.wait({heard, woken}, return_when=asyncio.FIRST_COMPLETED)
        heard.cancel()
        self._waiting.pop(event, None)
        return event.is_set()

    async def to(self, seconds: float, calls: "list[Call]") -> None:
        """Let time pass until `seconds`, stopping wherever a call has something to do."""
        while True:
            await self._until_all_wait(calls)
            nexts = [deadline for deadline, _ in self._waiting.values()]
            instant = min([*nexts, seconds])
            if instant > self.now():
                self._clock.advance(seconds=instant - self.now())
            due = [woken for deadline, woken in self._waiting.values() if deadline <= instant]
            for woken in due:
                if not woken.done():
                    woken.set_result(True)
            if instant >= seconds and not due:
                return
            await asyncio.sleep(0)

    async def _until_all_wait(self, calls: "list[Call]") -> None:
        async with asyncio.timeout(20):
            while True:
                resting = [
                    (deadline, woken)
                    for event, (deadline, woken) in self._waiting.items()
                    if not woken.done() and not event.is_set()
                ]
                if len(resting) == sum(1 for call in calls if not call.task.done()):
                    return
                await asyncio.sleep(0.001)


class Call:
    """One call's credit and what it said, with the second at which it did."""

    def __init__(self, office: Office, connected: Connected, time: HandClock) -> None:
        self.office = office
        self.connected = connected
        self.said: list[tuple[str, float, End]] = []
        self.time = time
        self.began = time.now()
        self.credit = Credit(
            office.database,
            connected,
            Meter(limited=True, max_minutes=30),
            on_notice=lambda reason: self._say("told", reason),
            on_hang_up=lambda reason: self._say("ended", reason),
            clock=time,
        )
        self.task = asyncio.create_task(self.credit.run())

    def _say(self, what: str, reason: End) -> None:
        self.said.append((what, round(self.time.now() - self.began, 3), reason))

    @property
    def ended_at(self) -> float:
        return next(at for what, at, _ in self.said if what == "ended")

    async def settle(self) -> None:
        office, call = self.office, self.connected
        async with office.database.team(office.team_id) as session:
            await service.finish(
                session, office.team_id, call.call_id, End.LIMIT_REACHED,
                seconds=self.credit.elapsed_ms / 1000,
            )  # fmt: skip


class Day:
    """Calls of one office, on one clock; seconds count from `begin`."""

    def __init__(self, office: Office, clock: Clock) -> None:
        self.office = office
        self.calls: list[Call] = []
        self._clock = clock
        self._time = HandClock(clock)

    def begin(self, instant: datetime) -> None:
        self._clock.instant = instant
        self._time = HandClock(self._clock)
        self.calls.clear()

    async def call(self, caller: str = "+12025550147") -> Call:
        await beat_nodes(self.office.database)
        call = Call(self.office, await self.office.live(caller), self._time)
        self.calls.append(call)
        return call

    async def to(self, seconds: float) -> None:
        await self._time.to(seconds, self.calls)

    async def limit(self, minutes: int | None) -> None:
        """As in a media process: the change is committed, then every call hears of it."""
        await self.office.limit(minutes)
        for call in self.calls:
            call.credit.limit_changed()


@pytest.fixture
async def day(clocked: Database, clock: Clock) -> AsyncIterator[Day]:
    """From 2026-05-14 12:00 UTC on; afterwards the ledger's invariants hold."""
    day = Day(await open_office(clocked, lines=50), clock)
    yield day
    for call in day.calls:
        call.task.cancel()
    await asyncio.gather(*(call.task for call in day.calls), return_exceptions=True)
    async with clocked.system() as session:
        assert not list(await usage.audit(session))


TOLD, ENDED, LIMIT = "told", "ended", End.LIMIT_REACHED


async def test_with_three_minutes_the_caller_is_told_at_160_s_and_the_call_ends_at_178_s(
    day: Day,
) -> None:
    """Case LB2, U4, UL5."""
    await day.limit(3)
    call = await day.call()
    await day.to(178)
    assert call.said == [(TOLD, 160, LIMIT), (ENDED, 178, LIMIT)]
    await call.settle()
    assert await day.office.balance() == (3, 0)
    await beat_nodes(day.office.database)
    refused = await day.office.admit()
    assert refused == Refused(Refusal.LIMIT_REACHED, "busy")


async def test_every_month_starts_at_nothing_and_a_call_lives_over_its_end(day: Day) -> None:
    """Case LB2, UL10, UM6, U9: the limit is filled in each month, and no job runs."""
    await day.limit(2)
    call = await day.call()
    await day.to(118)
    await call.settle()
    assert await day.office.balance() == (2, 0)
    day.begin(datetime(2026, 6, 1, tzinfo=UTC))
    assert await day.office.balance() == (0, 0)
    day.begin(datetime(2026, 6, 30, 23, 58, 30, tzinfo=UTC))
    call = await day.call()
    await day.to(85)
    assert await day.office.balance() == (0, 2)  # June is full
    await day.to(100)
    assert (await day.office.balance(), call.said) == ((0, 1), [])  # July's first is held
    await day.to(238)
    assert call.said == [(TOLD, 220, LIMIT), (ENDED, 238, LIMIT)]
    await call.settle()
    assert await day.office.balance() == (2, 0)
    day.begin(datetime(2026, 8, 1, tzinfo=UTC))
    assert await day.office.balance() == (0, 0)
    await day.call()
    assert await day.office.told("limit.reached") == 3


@pytest.mark.parametrize("raised_to", [2, None])
async def test_a_limit_raised_in_the_last_minute_lets_the_call_go_on(
    day: Day, raised_to: int | None
) -> None:
    """UL9: the change commits half a second before the hang-up."""
    await day.limit(1)
    call = await day.call()
    await day.to(57.5)
    assert call.said == [(TOLD, 40, LIMIT)]
    await day.limit(raised_to)
    await day.to(99)
    assert call.said == [(TOLD, 40, LIMIT)]
    await day.limit(2)
    await day.to(118)
    assert call.said[1:] == [(TOLD, 100, LIMIT), (ENDED, 118, LIMIT)]


async def test_a_limit_raised_after_the_hang_up_comes_too_late(day: Day) -> None:
    await day.limit(1)
    call = await day.call()
    await day.to(58)
    await day.limit(9)
    await day.to(200)
    assert call.said == [(TOLD, 40, LIMIT), (ENDED, 58, LIMIT)]


async def test_a_limit_changed_to_what_is_not_enough_tells_the_caller_nothing_twice(
    day: Day,
) -> None:
    await day.limit(1)
    call = await day.call()
    await day.to(45)
    await day.limit(1)
    await day.to(58)
    assert call.said == [(TOLD, 40, LIMIT), (ENDED, 58, LIMIT)]


async def test_a_lowered_limit_lets_the_granted_minute_be_finished(day: Day) -> None:
    """UL8, UX7: 200 used, 300 lowered to 100, one call in its fifth minute."""
    await day.limit(300)
    earlier = await day.office.live("+12025550199")
    async with day.office.database.team(day.office.team_id) as session:
        await service.finish(
            session, day.office.team_id, earlier.call_id, End.CALLER_HUNG_UP, seconds=200 * 60
        )
    call = await day.call()
    await day.to(250)
    assert await day.office.balance() == (200, 5)
    await day.limit(100)
    await day.to(298)
    assert call.said == [(TOLD, 280, LIMIT), (ENDED, 298, LIMIT)]
    await call.settle()
    assert await day.office.balance() == (205, 0)


@pytest.mark.parametrize("minutes", [3, 4, 5])
async def test_two_live_calls_share_the_last_minutes_exactly(day: Day, minutes: int) -> None:
    """UL7: renewals in commit order; the total is the limit, to the minute."""
    await day.limit(minutes)
    calls = [await day.call(f"+1202555010{n}") for n in range(2)]
    await day.to(300)
    ends = sorted(call.ended_at for call in calls)
    assert ends[0] + ends[1] == minutes * 60 - 4
    assert ends[1] - ends[0] <= 60
    for call in calls:
        await call.settle()
    assert await day.office.balance() == (minutes, 0)


async def test_a_ledger_that_does_not_answer_never_carries_a_call_past_its_minute(
    day: Day,
) -> None:
    """U4: asked again 0.1 s before the hang-up, while another transaction holds the counter."""
    office = day.office
    await day.limit(1)
    call = await day.call()
    await day.to(57.9)
    async with office.database.team(office.team_id) as session:
        await usage.set_limit(
            session, office.team_id, number_id=office.number_id,
            service=usage.Service.CALLS, value=5,
        )  # fmt: skip
        call.credit.limit_changed()
        async with asyncio.timeout(RENEW_TIMEOUT_S / 2):
            await day.to(58)
    assert call.said == [(TOLD, 40, LIMIT), (ENDED, 58, LIMIT)]
