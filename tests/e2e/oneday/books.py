"""Our books as they lie in the database: every row of every table that a check reads."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from offhook.db import Database
from oneday.history import Row

TABLES = (
    "numbers",
    "messages",
    "opt_outs",
    "calls",
    "transfers",
    "conversations",
    "turns",
    "contacts",
    "contact_numbers",
    "contact_values",
    "task_runs",
    "booking_appointments",
    "usage_entries",
    "usage_counters",
    "usage_calls",
    "events",
)


async def read(url: str) -> dict[str, list[Row]]:
    """All of them as they were at one instant."""
    found: dict[str, list[Row]] = {table: [] for table in TABLES}
    for table, row in await snapshot(url, TABLES, "to_jsonb(t)"):
        found[table].append(row)
    return found


async def snapshot(url: str, tables: Iterable[str], column: str) -> list[tuple[str, Any]]:
    """(table, `column` of the row `t`) of every row: one statement sees one instant."""
    each = (f"SELECT '{name}' AS name, {column} AS row FROM \"{name}\" t" for name in tables)  # noqa: S608 - names of tables
    database = Database(url, pool_size=1)
    try:
        async with database.system() as session:
            rows = await session.execute(text(" UNION ALL ".join(each)))
            return [(row.name, row.row) for row in rows]
    finally:
        await database.close()
