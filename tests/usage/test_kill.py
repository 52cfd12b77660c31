"""kill -9 at every step of a reservation, a renewal, a settlement and the sweep (faults.md, c).

A process of its own lives a short life of a team and ends with 137 at the named fail point. Then
either everything is told again, as carriers and restarted processes do, or nobody comes and the
leases end. 0 lost: what was committed is there. 0 doubled, 0 overshot: the audit, and the ledger
of a life told again is that of one that nothing disturbed.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest
import usage_life
from sqlalchemy import text
from usage_desk import Desk, hire
from usage_life import LIMIT, Clock, Fact

from offhook import usage
from offhook.db import Database
from offhook.failpoints import EXIT_STATUS
from programs import processes

KILLS = int(os.environ.get("OFFHOOK_KILLS", "1"))
# How often an undisturbed life passes each step.
STEPS = {
    "usage.reserving": 11,
    "usage.reserved": 11,
    "usage.renewing": 3,
    "usage.renewed": 3,
    "usage.settling": 5,
    "usage.resolved": 7,
    "usage.settled": 5,
    "usage.ended": 4,
    "usage.corrected": 1,
    "usage.swept": 1,
    "life.committed": 28,
}
COLUMNS = 12
LEDGER = """
SELECT replace(subject_id, :team, ''), replace(number_id, :team, ''), service, unit_index, stage,
    kind, units, direction, period_start, starts_at, price_micros, reason
FROM usage_entries WHERE team_id = :team ORDER BY 1, 4, 5
"""
CALLS = """
SELECT replace(call_id, :team, ''), answered_at, billed_seconds, billed_minutes, ungranted_minutes
FROM usage_calls WHERE team_id = :team ORDER BY 1
"""


async def live(database: Database, team: str, dies_at: str = "") -> tuple[int | None, list[Fact]]:
    """A life in a process of its own: its exit status, and what it had committed."""
    ours, theirs = processes().Pipe(duplex=False)
    process = processes().Process(
        target=usage_life.process, args=(database.url, team, theirs, dies_at)
    )
    process.start()
    theirs.close()
    facts: list[Fact] = []
    while True:
        try:
            facts.append(await asyncio.to_thread(ours.recv))
        except EOFError:
            break
    return await _ended(process), facts


async def _ended(process: BaseProcess) -> int | None:
    await asyncio.to_thread(process.join, 60)
    return process.exitcode


async def ledger(database: Database, team: str) -> list[tuple[object, ...]]:
    async with database.team(team) as session:
        return [
            tuple(row)
            for query in (LEDGER, CALLS)
            for row in await session.execute(text(query), {"team": team})
        ]


async def living(desk: Desk) -> int:
    async with desk.database.team(desk.team) as session:
        live = "SELECT count(*) FROM usage_calls WHERE team_id = :team AND ended_at IS NULL"
        return (await session.execute(text(live), {"team": desk.team})).scalar_one()


async def hold_up(desk: Desk, clock: Clock, facts: list[Fact]) -> None:
    """What holds after any end, once the leases are over: nothing lost, doubled or overshot."""
    clock.at(400)
    async with asyncio.timeout(30):
        # The dead process's locks are the server's until it has noticed the death.
        while await living(desk):
            await desk.sweep()
    async with desk.database.system() as session:
        assert await usage.audit(session) == []
        rows = await session.execute(
            text("SELECT number_id, posted, pending FROM usage_counters WHERE team_id = :team"),
            {"team": desk.team},
        )
        assert all(row.posted <= LIMIT for row in rows if row.number_id.endswith("tight"))
    rows = [row for row in await ledger(desk.database, desk.team) if len(row) == COLUMNS]
    for what, name, count in facts:
        subject = f"-{name}"
        of_it = [row for row in rows if row[0] == subject]
        if what == "granted":
            assert [row for row in of_it if row[3:5] == (count, "hold")]
        elif what == "refused":
            assert not [row for row in of_it if row[3:5] == (count, "hold")]
        elif what == "settled":
            assert len([row for row in of_it if row[5] == "posted"]) == count
        elif what == "posted":
            assert [row for row in of_it if row[5] == "posted"]
        elif what == "returned":
            assert sum(int(str(row[6])) for row in of_it) == 0


@pytest.fixture
async def clock_and_database(database_url: str) -> AsyncIterator[tuple[Clock, Database]]:
    clock = Clock()
    database = Database(database_url, pool_size=3, clock=clock)
    yield clock, database
    await database.close()


@pytest.mark.kills
@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_at_any_step_loses_doubles_and_overshoots_nothing(
    clock_and_database: tuple[Clock, Database], step: str
) -> None:
    """Faults c: before a reservation, after it, at renewal, between an end's statements, before
    and after each commit, in the sweep.
    """
    clock, database = clock_and_database
    whole = await team_of(database)
    status, told = await live(database, whole.team)
    assert (status, len(told)) == (0, STEPS["life.committed"])
    undisturbed = await ledger(database, whole.team)
    for kill in range(KILLS):
        nobody_comes = (kill + list(STEPS).index(step)) % 2
        desk = await team_of(database)
        nth = 1 + random.Random(f"{step} {kill}").randrange(STEPS[step])
        status, facts = await live(database, desk.team, f"{step}:{nth}")
        assert (status, nth) == (EXIT_STATUS, nth)
        if nobody_comes:  # the leases end
            await hold_up(desk, clock, facts)
        status, again = await live(database, desk.team)
        assert status == 0
        await hold_up(desk, clock, again)
        if not nobody_comes:
            assert await ledger(database, desk.team) == undisturbed, nth


async def team_of(database: Database) -> Desk:
    desk = await hire(database)
    await usage_life.prepare(desk)
    return desk


async def test_lb1_of_four_processes_callers_as_many_are_answered_as_minutes_are_left(
    clock_and_database: tuple[Clock, Database],
) -> None:
    """LB1, UL6 on real processes: twenty callers at once, two minutes."""
    _, database = clock_and_database
    desk = await team_of(database)
    racers: list[tuple[BaseProcess, Connection]] = []
    for _ in range(4):
        ours, theirs = processes().Pipe()
        process = processes().Process(
            target=usage_life.racer, args=(database.url, desk.team, theirs)
        )
        process.start()
        theirs.close()
        racers.append((process, ours))
    for _, told in racers:
        assert await asyncio.to_thread(told.recv) == "ready"
    for _, told in racers:
        told.send("go")
    granted = [await asyncio.to_thread(told.recv) for _, told in racers]
    assert [await _ended(process) for process, _ in racers] == [0] * 4
    assert sum(granted) == LIMIT
    async with database.system() as session:
        assert await usage.audit(session) == []
