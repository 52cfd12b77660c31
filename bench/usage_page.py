"""How long the reading side of usage takes on a short and on a long month.

    PYTHONPATH=src python bench/usage_page.py [--short 1000] [--long 1000000]

A PostgreSQL of its own with one team, ten numbers and so many posted minutes in one month. All of
it must take the same time on both. Prints medians in milliseconds and the ratio; the export in rows
per second.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlalchemy import text

from _database import new_database, postgres
from offhook.db import Database, Session
from offhook.teams import Team
from offhook.usage import (
    charges_of,
    counted,
    export,
    month_to_date,
    open_meter,
    period_at,
    spent,
)
from offhook.usage.explain import explain
from offhook.usage.month import pools
from offhook.usage.months import month_named
from offhook.usage.statements import add_to_days

TIMES = 7
Read = Callable[[Session, str], Awaitable[object]]
FILL = text(
    "INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,"
    " units, direction, period_start, starts_at, recorded_at, price_id, price_micros, currency) "
    "SELECT CAST(:team AS text), CAST(:team AS text) || n % 10, 'calls',"
    " CAST(:team AS text) || '_' || n / 3, n % 3, 'resolution', 'posted', 1, 'inbound', :start,"
    " CAST(:start AS timestamptz) + n * CAST(:step AS interval), now(), 'p', 20000, 'USD' "
    "FROM generate_series(1, :many) AS n"
)
COUNT = text(
    "INSERT INTO usage_counters (team_id, number_id, service, period_start, period_end, posted,"
    " granted_limit) SELECT team_id, number_id, service, period_start, :end, count(*), 2147483647 "
    "FROM usage_entries WHERE team_id = :team GROUP BY 1, 2, 3, 4"
)
ADD = text(add_to_days("(SELECT * FROM usage_entries WHERE team_id = :team)"))

LAST = text(
    "SELECT id FROM usage_entries WHERE team_id = :team AND service = 'calls' AND units <> 0 "
    "AND period_start = (SELECT max(period_start) FROM usage_counters WHERE team_id = :team) "
    "ORDER BY starts_at DESC LIMIT 1"
)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--short", type=int, default=1_000)
    arguments.add_argument("--long", type=int, default=1_000_000)
    asked = arguments.parse_args()
    with postgres() as server:
        asyncio.run(compare(new_database(server), asked.short, asked.long))


async def compare(url: str, short: int, long: int) -> None:
    database = Database(url)
    teams = [await fill(database, count) for count in (short, long)]
    async with database.system() as session:
        await session.execute(text("ANALYZE usage_entries"))
    print(f"{'':24} {short:>10,} {long:>10,}   ratio")
    for name, read in READS.items():
        spent = [await median(database, team, read) for team in teams]
        print(f"{name:24} {spent[0]:>8.1f}ms {spent[1]:>8.1f}ms {spent[1] / spent[0]:>7.1f}")
    start, rows = time.perf_counter(), 0
    async with database.team(teams[1]) as session:
        asked = export.Asked([await month_named(session, teams[1], "")])
    async for page in export.entries_csv(database, teams[1], asked):
        rows += page.count("\r\n")
    print(f"export: {rows:,} rows, {rows / (time.perf_counter() - start):,.0f} a second")
    await database.close()


async def fill(database: Database, count: int) -> str:
    """A team with `count` minutes spread over the running month."""
    async with database.system() as session:
        team = Team(name="Bench", timezone="UTC", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
    async with database.team(team.id) as session:
        for number in range(10):
            await open_meter(
                session,
                team.id,
                number_id=f"{team.id}{number}",
                carrier="simulator",
                country="US",
                number_type="local",
            )
        period = await period_at(session, team.id, datetime.now(UTC))
        step = (period.ends_at - period.starts_at) / (count + 1)
        given = {"team": team.id, "start": period.starts_at, "step": step, "many": count}
        await session.execute(FILL, given)
        await session.execute(ADD, {"team": team.id})
        await session.execute(COUNT, {"team": team.id, "end": period.ends_at})
    return team.id


async def median(database: Database, team: str, read: Read) -> float:
    spent: list[float] = []
    for _ in range(TIMES):
        start = time.perf_counter()
        async with database.team(team) as session:
            await read(session, team)
        spent.append(1000 * (time.perf_counter() - start))
    return statistics.median(spent)


async def _explain(session: Session, team: str) -> object:
    last = await session.scalar(LAST, {"team": team})
    return await explain(session, team, int(last or 0))


async def _charges(session: Session, team: str) -> object:
    period = await period_at(session, team, datetime.now(UTC))
    return await charges_of(session, team, period.starts_at)


READS: dict[str, Read] = {
    "numbers (counters)": counted,
    "free units": pools,
    "month to date, days": month_to_date,
    "spent of the cap": spent,
    "charges so far": _charges,
    "why, the last entry": _explain,
}

if __name__ == "__main__":
    main()
