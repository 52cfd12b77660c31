"""A short life of a team in a process of its own, which may die at any step of it.

Every step is told to the parent once it is committed. Lived a second time it repeats every step
under the same ids, as carriers and restarted processes do.
"""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

from usage_desk import Desk

from offhook.db import Database
from offhook.failpoints import ENVIRONMENT, failpoint
from offhook.usage import Denied, Direction, Granted, Reason, Renewal, Renewals

START = datetime(2026, 5, 31, 23, 58, 30, tzinfo=UTC)  # the long call crosses the month's end
LIMIT = 2
Fact = tuple[str, str, int]
"""What was committed: granted, refused, settled or counted; of which subject; index or minutes."""


class Clock:
    def __init__(self) -> None:
        self.instant = START

    def __call__(self) -> datetime:
        return self.instant

    def at(self, seconds: float) -> None:
        self.instant = START + timedelta(seconds=seconds)


class Life:
    def __init__(self, desk: Desk, clock: Clock, told: Connection) -> None:
        self.desk, self.clock, self.told = desk, clock, told
        self.renewals = Renewals(desk.database)
        self.free, self.tight = f"{desk.team}-free", f"{desk.team}-tight"

    def tell(self, what: str, subject: str, count: int) -> None:
        self.told.send((what, subject, count))
        failpoint("life.committed")

    def id(self, name: str) -> str:
        return f"{self.desk.team}-{name}"

    async def answer(self, number: str, name: str) -> None:
        got = await self.desk.reserve(number, self.id(name))
        self.tell(outcome(got), name, 0)

    async def renew(self, index: int, *calls: tuple[str, str]) -> None:
        """The next minute of several calls at once, as a media process asks."""
        answers = await asyncio.gather(
            *(
                self.renewals.reserve(Renewal(self.desk.team, number, self.id(name), index))
                for number, name in calls
            )
        )
        for (_, name), answer in zip(calls, answers, strict=True):
            self.tell(outcome(answer), name, index)

    async def settle(self, name: str, seconds: float) -> None:
        self.tell("settled", name, (await self.desk.settle(self.id(name), seconds)).minutes)

    async def text(self, name: str, direction: Direction) -> None:
        await self.desk.take(self.free, self.id(name), direction)
        self.tell("taken", name, 1)

    async def live(self) -> None:
        over, near, left = (self.free, "over"), (self.free, "near"), (self.free, "left")
        full = (self.tight, "full")
        for number, name in (over, near, left, full):
            await self.answer(number, name)
        await self.answer(self.free, "never")
        self.clock.at(40)
        await self.renew(1, over, near, left, full)
        self.clock.at(80)
        await self.answer(self.tight, "late")  # both minutes of the old month are taken
        self.clock.at(100)
        await self.renew(2, over, full)
        await self.settle("near", 61)
        self.tell("settled", "never", (await self.desk.void(self.id("never"))).minutes)
        await self.text("in", Direction.INBOUND)
        for name in ("sent", "refused", "failed"):
            await self.text(name, Direction.OUTBOUND)
        for name in ("sent", "failed"):
            await self.desk.post(self.id(name))
            self.tell("posted", name, 1)
        for name in ("refused", "failed"):
            await self.desk.give_back(self.id(name))
            self.tell("returned", name, 0)
        self.clock.at(160)
        await self.renew(3, over, full)
        await self.answer(self.tight, "later")  # and both of the new one
        self.clock.at(220)
        await self.settle("over", 220)
        self.clock.at(238)
        await self.settle("full", 238)
        await self.sweep()

    async def sweep(self) -> None:
        """The leases of those that are left are over."""
        self.clock.at(400)
        await self.desk.sweep()
        self.tell("swept", "", 0)


def outcome(answer: Granted | Denied) -> str:
    """In a life that is told again a call may have ended before."""
    if isinstance(answer, Granted):
        return "granted"
    return "refused" if answer.reason is Reason.LIMIT_REACHED else "over"


async def prepare(desk: Desk) -> None:
    await desk.number(f"{desk.team}-free")
    await desk.number(f"{desk.team}-tight", calls=LIMIT)


async def lived(url: str, team: str, told: Connection) -> None:
    clock = Clock()
    database = Database(url, pool_size=4, clock=clock)
    try:
        await Life(Desk(database, team), clock, told).live()
    finally:
        await database.close()


def process(url: str, team: str, told: Connection, dies_at: str) -> None:
    """The process: dies at the `n`-th passage of `dies_at` (name:n), or lives to the end."""
    if dies_at:
        os.environ[ENVIRONMENT] = dies_at
    asyncio.run(lived(url, team, told))


def racer(url: str, team: str, told: Connection) -> None:
    """A process that wants the last minute for five callers at once, when it is told to."""

    async def race() -> None:
        database = Database(url, pool_size=5, clock=Clock())
        desk = Desk(database, team)
        await desk.balance(f"{team}-tight")
        told.send("ready")
        await asyncio.to_thread(told.recv)
        calls = [f"{team}-{os.getpid()}-{n}" for n in range(5)]
        answers = await asyncio.gather(*(desk.reserve(f"{team}-tight", call) for call in calls))
        told.send(sum(isinstance(answer, Granted) for answer in answers))
        await database.close()

    asyncio.run(race())
