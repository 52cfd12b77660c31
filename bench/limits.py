"""A million call-minutes on fifty numbers that are always near their limits: none may be over.

    PYTHONPATH=src python bench/limits.py [--minutes 1000000] [--processes 2] [--calls 100]

A PostgreSQL of its own, durable as in production. Several processes hold random numbers of calls
through the ledger's facade, as media processes do: minute 0 in a transaction of its own, the next
ones by `Renewals`, an end after some seconds of the last minute; one call in fifty is left to its
lease. Each number may have its share of the minutes in the end, and on the way a limit a little
above what is used: who is refused sets a new one, sometimes below. A call is as fast as the ledger
lets it be, but its minutes are those of a clock that stands in the middle of a month.

Ends when every number has used its limit exactly, and prints what was granted, refused and over,
what the processes were told against what the ledger holds, and the audit.
"""

import argparse
import asyncio
import logging
import multiprocessing
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import uvloop
from sqlalchemy import text

from _database import new_database, postgres
from offhook import usage
from offhook.db import Database, new_id
from offhook.teams import Team
from offhook.usage import Denied, Granted, Renewal, Renewals, Service

NUMBERS = 50
DICE = random.Random()  # noqa: S311 - it draws calls, no secrets
LONGEST = 60  # minutes of a call
LEFT_ALONE = 0.02
STEP = 500  # a new limit is at most so much above what is used
LEASE_S = 5
MIDDLE = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)

STATE = """
SELECT number_id, posted, pending, limit_units, granted_limit FROM usage_counters
WHERE service = 'calls'
"""


@dataclass
class Told:
    """What a process was told by the ledger."""

    granted: int = 0
    refused: int = 0
    limits: int = 0
    ended: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    """Number and minutes of each call that was ended."""


class Clock:
    """All processes' clock: it began in the middle of a month when the bench began."""

    def __init__(self, began: float) -> None:
        self.began = began

    def __call__(self) -> datetime:
        return MIDDLE + timedelta(seconds=time.time() - self.began)


class Caller:
    """One process's calls."""

    def __init__(self, database: Database, team: str, most: int) -> None:
        self.database = database
        self.team = team
        self.most = most
        self.renewals = Renewals(database)
        self.told = Told()
        self.open: list[str] = [f"num_{index}" for index in range(NUMBERS)]

    async def run(self, calls: int) -> Told:
        watch = asyncio.create_task(self.watch())
        await asyncio.gather(*(self.line() for _ in range(calls)))
        await watch
        return self.told

    async def line(self) -> None:
        """One line after another, with rests, so that concurrency is never the same."""
        while self.open:
            await self.call(DICE.choice(self.open))
            if DICE.random() < 0.1:
                await asyncio.sleep(DICE.random())

    async def watch(self) -> None:
        """Which numbers still have minutes to give."""
        while self.open:
            await asyncio.sleep(0.5)
            async with self.database.team(self.team) as session:
                rows = await session.execute(text(STATE))
                used: dict[str, int] = {row.number_id: row.posted for row in rows}
            self.open = [number for number in self.open if used.get(number, 0) < self.most]

    async def call(self, number: str) -> None:
        call_id, minutes, planned = new_id("call"), 1, DICE.randint(1, LONGEST)
        async with self.database.team(self.team) as session:
            answer = await usage.reserve_minute(
                session, self.team, number_id=number, call_id=call_id, index=0
            )
        if isinstance(answer, Denied):
            await self.refused(number)
            return
        self.told.granted += 1
        while minutes < planned and await self.renew(number, call_id, minutes):
            minutes += 1
        if DICE.random() < LEFT_ALONE:
            return
        last = DICE.choice([minutes, minutes, max(1, minutes - 1)])
        async with self.database.team(self.team) as session:
            ended = await usage.settle_call(
                session, self.team, call_id=call_id, seconds=60 * last - DICE.random() * 59
            )
        self.told.ended[call_id] = number, ended.minutes  # the sweeper's, where it was first

    async def renew(self, number: str, call_id: str, index: int) -> bool:
        """The next minute; asked for again under a new limit, now and then (UL9)."""
        renewal = Renewal(self.team, number, call_id, index)
        while not isinstance(await self.renewals.reserve(renewal), Granted):
            await self.refused(number)
            if DICE.random() < 0.5:
                return False
        self.told.granted += 1
        return True

    async def refused(self, number: str) -> None:
        """Somebody sets another limit, unless the number has all that it may have."""
        self.told.refused += 1
        async with self.database.team(self.team) as session:
            state = await usage.balance(session, self.team, number_id=number, service=Service.CALLS)
            if state.left or state.limit == self.most:
                return
            wanted = state.posted + state.pending + DICE.randint(-5, STEP)
            await usage.set_limit(
                session,
                self.team,
                number_id=number,
                service=Service.CALLS,
                value=max(1, min(self.most, wanted)),
            )
        self.told.limits += 1


def process(url: str, team: str, began: float, most: int, calls: int) -> Told:
    """One process of callers, until every number is used up."""
    logging.disable(logging.CRITICAL)  # each call that the sweeper ends is an incident

    async def run() -> Told:
        database = Database(url, pool_size=10, clock=Clock(began))
        try:
            return await Caller(database, team, most).run(calls)
        finally:
            await database.close()

    return uvloop.run(run())


async def prepare(database: Database) -> str:
    async with database.system() as session:
        team = Team(name="Bench", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        for index in range(NUMBERS):
            number = f"num_{index}"
            await usage.open_meter(
                session,
                team.id,
                number_id=number,
                carrier="simulator",
                country="US",
                number_type="local",
            )
            await usage.set_limit(
                session, team.id, number_id=number, service=Service.CALLS, value=1
            )
        return team.id


async def sweep(
    database: Database, ended: dict[str, tuple[str, int]], minutes: int, done: asyncio.Event
) -> int:
    """Settle what was left alone, and look again and again; how often a number was over."""
    over, told = 0, time.monotonic()
    while not done.is_set():
        async with database.system() as session:
            lost = await usage.settle_stale(session, lease_s=LEASE_S)
        ended.update({call.call_id: (call.number_id, call.minutes) for call in lost})
        async with database.system() as session:
            rows = (await session.execute(text(STATE))).all()
        over += sum(row.posted + row.pending > row.granted_limit for row in rows)
        if time.monotonic() - told > 20:
            told = time.monotonic()
            used = sum(row.posted for row in rows)
            print(f"  {used:,} of {minutes:,} minutes used, over {over}", flush=True)
        await asyncio.sleep(0.5)
    return over


async def race(database: Database, team: str, args: argparse.Namespace) -> None:
    most = args.minutes // NUMBERS
    began, loop = time.time(), asyncio.get_running_loop()
    database.clock = Clock(began)
    swept: dict[str, tuple[str, int]] = {}
    done = asyncio.Event()
    sweeper = asyncio.create_task(sweep(database, swept, args.minutes, done))
    with ProcessPoolExecutor(args.processes, multiprocessing.get_context("spawn")) as pool:
        every: list[Told] = await asyncio.gather(
            *(
                loop.run_in_executor(pool, process, database.url, team, began, most, args.calls)
                for _ in range(args.processes)
            )
        )
    took = time.time() - began
    await asyncio.sleep(LEASE_S + 2)  # the last of those that were left alone
    done.set()
    over = await sweeper
    await report(database, every, swept, most, over, took)


async def report(
    database: Database,
    every: list[Told],
    swept: dict[str, tuple[str, int]],
    most: int,
    over: int,
    took: float,
) -> None:
    ended = dict(swept)
    contradicted = 0
    for told in every:
        contradicted += sum(ended.get(call, end) != end for call, end in told.ended.items())
        ended.update(told.ended)
    by_number: Counter[str] = Counter()
    for number, minutes in ended.values():
        by_number[number] += minutes
    async with database.system() as session:
        rows = (await session.execute(text(STATE))).all()
        began = time.perf_counter()
        found = await usage.audit(session)
        audited = time.perf_counter() - began
    used = sum(row.posted for row in rows)
    above = sum(max(0, row.posted - most) for row in rows)
    granted, refused = sum(told.granted for told in every), sum(told.refused for told in every)
    print(
        f"minutes granted {granted:,}, refused {refused:,}, given back {granted - used:,}, "
        f"used {used:,}, over {above + over}\n"
        f"calls {len(ended):,}, of which {len(swept):,} ended by their lease; "
        f"limits set {sum(told.limits for told in every):,}\n"
        f"numbers at exactly their limit {sum(row.posted == most for row in rows)} of {NUMBERS}; "
        f"still held {sum(row.pending for row in rows)}; "
        f"told otherwise than kept {sum(by_number[row.number_id] != row.posted for row in rows)}, "
        f"two ends of one call {contradicted}\n"
        f"audit: {found or 'nothing to say'} ({audited:.1f} s); "
        f"{took:.0f} s, {granted / took:,.0f} reservations/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--calls", type=int, default=100)
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with postgres() as server:
        url = new_database(server)

        async def bench() -> None:
            database = Database(url)
            team = await prepare(database)
            await race(database, team, args)
            await database.close()

        uvloop.run(bench())


if __name__ == "__main__":
    main()
