"""The sums of days (U9): they are the entries', also for a ledger from before there were any."""

import importlib.util
from datetime import UTC, datetime

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, text
from usage_desk import hire
from usage_seed import busy_month, write

from offhook import usage
from offhook.db import Database
from offhook.db.migrate import MIGRATIONS

SUMS = text("SELECT * FROM usage_days ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9")
MARCH = datetime(2026, 3, 10, tzinfo=UTC)  # its 29th has 23 hours in Paris
MIGRATION = MIGRATIONS / "versions" / "0040_usage_is_summed_by_days.py"


def migrate_again(connection: Connection) -> None:
    """Take the sums away and have the migration make them from the entries."""
    spec = importlib.util.spec_from_file_location("by_days", MIGRATION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with Operations.context(MigrationContext.configure(connection)):
        module.downgrade()
        module.upgrade()


async def test_a_ledger_from_before_is_summed_as_one_that_was_summed_all_along(
    clocked: Database, database_url: str
) -> None:
    """U9: the very same sums, unit taken back or not, on days of 23 hours as on others."""
    desk = await hire(clocked, "Europe/Paris")
    numbers = [await desk.number(name) for name in ("num_a", "num_b")]
    async with clocked.team(desk.team) as session:
        month = await usage.period_at(session, desk.team, MARCH)
        used = busy_month(month, month.ends_at, [(number, 6, 3) for number in numbers])
        await write(session, desk.team, used)
    assert any(unit.taken_back for unit in used)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        all_along = connection.execute(SUMS).all()
    with engine.begin() as connection:
        migrate_again(connection)
    with engine.begin() as connection:
        assert connection.execute(SUMS).all() == all_along
    engine.dispose()
    async with clocked.system() as session:
        assert await usage.audit(session) == []
        await session.execute(text("UPDATE usage_days SET units = units + 1 WHERE day = 28"))
        found = await usage.audit(session)
    assert {each.rule for each in found} == {"U9"}
    assert {each.ids["day"] for each in found} == {28}
