"""Migrations lead to the very tables that rooms declare, protected where a team owns them."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from offhook.db.migrate import is_current
from offhook.schema import metadata

KEYS = """
    SELECT indrelid::regclass::text,
        ARRAY(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS key(place, nth)
            JOIN pg_attribute ON attrelid = indrelid AND attnum = place ORDER BY nth),
        indisunique
    FROM pg_index
    WHERE indpred IS NULL AND indexprs IS NULL AND indrelid::regclass::text NOT LIKE 'pg_%'
"""
"""The columns of each index of all rows."""


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


def test_no_index_is_of_the_team_alone_where_a_longer_key_begins_with_it(
    database_url: str,
) -> None:
    """It would be written with each row, and lead the server to read all that a team has."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = connection.execute(text(KEYS)).all()
    engine.dispose()
    assert {"turns", "messages", "numbers"} <= {table for table, _, _ in rows}
    alone = {
        table for table, columns, is_unique in rows if columns == ["team_id"] and not is_unique
    }
    led = {
        table
        for table, columns, is_unique in rows
        if columns[0] == "team_id" and (len(columns) > 1 or is_unique)
    }
    assert not alone & led


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
