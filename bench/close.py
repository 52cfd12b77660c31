"""How long closing a month takes, and finding why a line was charged: python bench/close.py [units]

Starts an embedded PostgreSQL in a temporary folder. The entries are written in bulk; the close is
the product's own.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import text

from _database import new_database, postgres
from offhook import usage
from offhook.billing import audit, invoices, invoicing
from offhook.db import Database
from offhook.teams.models import Team
from offhook.web import Paging

UNITS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
NUMBERS = 50
START = datetime(2026, 1, 1, tzinfo=UTC)
CLOSE = datetime(2026, 2, 4, tzinfo=UTC)
FILL = """
INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind, units,
    direction, period_start, starts_at, recorded_at, price_id, price_micros, currency)
SELECT :team_id, 'num_' || unit % :numbers, 'calls', 'call_' || unit / 3, unit % 3, 'resolution',
    'posted', 1, 'inbound', CAST(:start AS timestamptz), at, at, 'price_1', 13700, 'USD'
FROM (SELECT unit, CAST(:start AS timestamptz) + unit * (interval '30 days' / :units) AS at
    FROM generate_series(0, :units - 1) AS unit) AS made
"""


async def measure(url: str) -> None:
    database = Database(url, clock=lambda: CLOSE)
    async with database.system() as session:
        team = Team(name="Busy", created_at=START)
        session.add(team)
        await session.flush()
        await usage.period_at(session, team.id, START)
        for index in range(NUMBERS):
            await usage.open_meter(
                session,
                team.id,
                number_id=f"num_{index}",
                carrier="simulator",
                country="US",
                number_type="local",
            )
        filled = {"team_id": team.id, "numbers": NUMBERS, "start": START, "units": UNITS}
        await session.execute(text(FILL), filled)
    async with database.system() as session:
        await session.execute(text("ANALYZE usage_entries"))
    print(f"{UNITS:,} entries on {NUMBERS} numbers")
    began = time.perf_counter()
    async with database.team(team.id) as session:
        await invoices.upcoming(session, team.id)
    print(f"preview        {time.perf_counter() - began:7.2f} s")
    began = time.perf_counter()
    await invoicing.close_due(database)
    print(f"close          {time.perf_counter() - began:7.2f} s")
    async with database.system() as session:  # as the server does by itself within a minute
        await session.execute(text("ANALYZE usage_billed, usage_lines"))
    async with database.team(team.id) as session:
        invoice = (await session.scalars(invoices.of_team(team.id))).one()
        lines = await invoices.lines(session, invoice)
        began = time.perf_counter()
        for line in lines:
            await invoices.entries_of_line(session, team.id, line.id, Paging())
        each = (time.perf_counter() - began) / len(lines)
    print(f"a line's page  {1000 * each:7.2f} ms ({lines[0].entries:,} entries)")
    async with database.system() as session:
        began = time.perf_counter()
        found = await usage.violations(session, usage.CLOSED_CHECKS)
        assert found == await audit(session) == []
        print(f"UI6 and UI8    {time.perf_counter() - began:7.2f} s")
    await database.close()


def main() -> None:
    with postgres() as server:
        asyncio.run(measure(new_database(server)))


if __name__ == "__main__":
    main()
