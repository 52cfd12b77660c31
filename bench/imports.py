"""A spreadsheet of contacts, imported, imported again and exported: rows a second and memory.

    PYTHONPATH=src python bench/imports.py [--rows 50000]

A PostgreSQL of its own, durable as in production, and a webhook endpoint that wants every event.
The first import makes every contact with three values; the second is of the same file and changes
nothing (P7); the third opts all of them out of two numbers. The bound is what somebody waits for
who watches the progress: one minute for the largest file that is taken.
"""

import argparse
import asyncio
import resource
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from _database import new_database, postgres
from offhook import contacts, messages, webhooks
from offhook.contacts import exporting, importing
from offhook.contacts.import_models import Import, ImportState
from offhook.contacts.importing import Importer, Upload
from offhook.db import Database, Jobs, now, when_published
from offhook.numbers import Number
from offhook.teams import Team
from offhook.webhooks import Endpoint
from offhook.webhooks.rules import EVERY, EndpointKind, EndpointState

BOUND_S = 60.0
MB = 1024


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, default=50_000)
    rows = arguments.parse_args().rows
    with postgres() as server:
        asyncio.run(measure(new_database(server), rows))


def spreadsheet(rows: int) -> bytes:
    """As a spreadsheet writes it: a mark, semicolons, accents, quotes."""
    lines = [
        f'"Zoë ""{number}"" Ärztin";+1650{2_000_000 + number:07};z{number}@example.com;Müller'
        for number in range(rows)
    ]
    return ("\r\n".join(["Name;Phone;Email;Company", *lines]) + "\r\n").encode("utf-8-sig")


async def measure(url: str, rows: int) -> None:
    database = Database(url)
    contacts.imports("contacts", contacts.Contacts())
    contacts.imports("opt_outs", messages.OptOuts())
    when_published(webhooks.fan_out)
    team_id = await a_team(database)
    data = spreadsheet(rows)
    before = peak()
    print(f"{rows:,} rows, {len(data) / 1e6:.1f} MB")
    try:
        for name, kind in (("first", "contacts"), ("again", "contacts"), ("opt-outs", "opt_outs")):
            began = Began()
            done = await take(database, team_id, kind, data)
            tell(f"{name}: {done.created:,} made, {done.unchanged:,} unchanged", rows, began)
        began = Began()
        size = 0
        async for piece in exporting.as_json(database, team_id):
            size += len(piece)
        tell(f"exported as JSON, {size / 1e6:.1f} MB", rows, began)
    finally:
        await database.close()
    print(f"memory beyond what the process had: {peak() - before} MB at most")


async def a_team(database: Database) -> str:
    async with database.system() as session:
        team = Team(name="Bench", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        at = await now(session)
        session.add(
            Endpoint(
                team_id=team.id,
                kind=EndpointKind.URL,
                name="All",
                url="https://receiver.example/",
                events=[EVERY],
                state=EndpointState.ON,
                state_since=at,
                created_by="usr_bench",
                created_at=at,
            )
        )
        session.add_all(
            Number(
                team_id=team.id,
                e164=e164,
                country="US",
                type="local",
                carrier="simulator",
                carrier_id=e164,
                has_voice=True,
                has_sms=True,
                rent_micros=0,
                currency="USD",
                held_since=at,
                created_at=at,
            )
            for e164 in ("+12025550101", "+12025550102")
        )
        return team.id


async def take(database: Database, team_id: str, kind: str, data: bytes) -> Import:
    jobs = Jobs(database)
    jobs.add(importing.JOB, Importer(database).run)
    async with database.team(team_id) as session:
        file = Upload(kind, "people.csv", data, "US", "usr_bench")
        row = await importing.upload(session, team_id, file)
        await importing.start(session, team_id, row.id)
    await jobs.run_due()
    async with database.team(team_id) as session:
        done = await importing.get(session, team_id, row.id)
    assert done.state is ImportState.DONE
    assert done.refused == 0
    return done


@dataclass(frozen=True, slots=True)
class Began:
    """When something began, by the clock and by what this process had used of a processor."""

    at: float = field(default_factory=time.perf_counter)
    used: float = field(default_factory=time.process_time)


def tell(what: str, rows: int, began: Began) -> None:
    took, used = time.perf_counter() - began.at, time.process_time() - began.used
    print(
        f"  {what}: {took:.1f} s ({used:.1f} s of them the worker's own), "
        f"{rows / took:,.0f} rows/s, {took / BOUND_S:.0%} of the bound"
    )


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MB


if __name__ == "__main__":
    main()
