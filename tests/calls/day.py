"""A day of calls on one ledger whose clock, and the meters' own, move by hand."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from office import Clock, Office, beat_nodes, open_office

from offhook import usage
from offhook.calls import service
from offhook.calls.credit import Credit
from offhook.calls.journal import Fact, Journal, folder_of
from offhook.calls.meter import Meter
from offhook.calls.rules import End
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
        try:
            await asyncio.wait({heard, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
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

    def __init__(
        self, office: Office, connected: Connected, time: HandClock, journal: Journal
    ) -> None:
        self.office = office
        self.connected = connected
        self.said: list[tuple[str, float, End]] = []
        self.time = time
        self.journal = journal
        self.began = time.now()
        self.credit = Credit(
            office.database,
            usage.Renewals(office.database),
            connected,
            Meter(limited=connected.limited, max_minutes=30),
            journal=self._note,
            on_notice=lambda reason: self._say("told", reason),
            on_hang_up=lambda reason: self._say("ended", reason),
            clock=time,
        )
        self.task = asyncio.create_task(self.credit.run())

    async def _note(self, minute: int | None = None, ended: End | None = None) -> None:
        """What a media process writes down while the ledger is away."""
        call = self.connected
        await self.journal.write(
            Fact(
                call_id=call.call_id, team_id=call.team_id, number_id=call.number_id,
                seconds=self.credit.elapsed_ms / 1000, spoke=True, minute=minute,
                ended=ended.value if ended else None,
            )
        )  # fmt: skip

    async def ended_without_ledger(self, reason: End = End.CALLER_HUNG_UP) -> None:
        self.task.cancel()
        await self._note(ended=reason)

    def _say(self, what: str, reason: End) -> None:
        self.said.append((what, round(self.time.now() - self.began, 3), reason))

    @property
    def ended_at(self) -> float:
        return next(at for what, at, _ in self.said if what == "ended")

    async def settle(
        self, reason: End = End.LIMIT_REACHED, *, seconds: float | None = None
    ) -> None:
        office, call = self.office, self.connected
        elapsed_s = self.credit.elapsed_ms / 1000
        async with office.database.team(office.team_id) as session:
            await service.finish(
                session, office.team_id, call.call_id, reason,
                seconds=elapsed_s if seconds is None else seconds,
            )  # fmt: skip


class Day:
    """Calls of one office, on one clock; seconds count from `begin`."""

    def __init__(self, office: Office, clock: Clock, home: Path) -> None:
        self.office = office
        self.home = home
        self.journal = Journal(folder_of(home), "node_1")
        self.calls: list[Call] = []
        self._clock = clock
        self._time = HandClock(clock)

    def begin(self, instant: datetime) -> None:
        self._clock.instant = instant
        self._time = HandClock(self._clock)
        self.calls.clear()

    async def call(self, caller: str = "+12025550147") -> Call:
        await beat_nodes(self.office.database)
        call = Call(self.office, await self.office.live(caller), self._time, self.journal)
        self.calls.append(call)
        return call

    async def to(self, seconds: float) -> None:
        await self._time.to(seconds, self.calls)

    async def limit(self, minutes: int | None) -> None:
        """As in a media process: the change is committed, then every call hears of it."""
        await self.office.limit(minutes)
        for call in self.calls:
            call.credit.limit_changed()

    async def cap(self, amount: str) -> None:
        """The team's spend cap, as `limit`."""
        async with self.office.database.team(self.office.team_id) as session:
            await usage.set_cap(session, self.office.team_id, usage.read_cap(amount), by="usr_a")
        for call in self.calls:
            call.credit.limit_changed()

    async def sound(self) -> None:
        """The ledger's invariants hold."""
        async with self.office.database.system() as session:
            assert not list(await usage.audit(session))

    async def over(self) -> None:
        for call in self.calls:
            call.task.cancel()
        await asyncio.gather(*(call.task for call in self.calls), return_exceptions=True)
        if self.calls:
            self.journal.close()
        self.calls.clear()


@asynccontextmanager
async def day_of(database: Database, clock: Clock, home: Path) -> AsyncGenerator[Day]:
    """From 2026-05-14 12:00 UTC on; afterwards the ledger's invariants hold."""
    day = Day(await open_office(database, lines=50), clock, home)
    yield day
    await day.over()
    await day.sound()
