"""Migrations lead to the very tables that rooms declare, protected where a team owns them."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from offhook.db.migrate import is_current
from offhook.schema import metadata


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Procrastinate's tables have migrations of their own."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def test_a_migrated_database_lacks_nothing_and_has_nothing_more(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_ours})
        differences = compare_metadata(context, metadata())
    engine.dispose()
    assert differences == []


def test_every_table_of_a_team_is_behind_row_level_security(database_url: str) -> None:
    owned = {table.name for table in metadata().tables.values() if "team_id" in table.c}
    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        )
        protected = {row[0] for row in rows}
    engine.dispose()
    assert owned <= protected


def test_a_current_database_is_recognised_without_alembic(database_url: str) -> None:
    assert is_current(database_url.replace("postgresql+psycopg://", "postgresql://"))
