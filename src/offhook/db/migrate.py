"""Brings a database to the newest schema; at once when it is there already.

The quick look needs no Alembic: it compares the database's version with the newest file's name, so
that a start without changes costs nothing. Two processes that migrate at once wait for each other.
"""

from pathlib import Path

import psycopg
from sqlalchemy import MetaData, create_engine, text

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_211_463  # any number that nobody else locks


def newest_number() -> int:
    """The number of the newest migration; their files are named by it. 0: there is none."""
    names = [path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py")]
    return max((int(name.split("_")[0]) for name in names), default=0)


def is_current(psycopg_url: str) -> bool:
    """Whether the database has the newest schema."""
    with psycopg.connect(psycopg_url) as connection:
        known = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if known is None or known[0] is None:
            return False
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row is not None and int(row[0]) == newest_number()


def migrate(url: str, metadata: MetaData | None = None) -> None:
    """Upgrade to the newest revision, as one transaction: all of it or nothing."""
    from alembic import command  # half a second that a current database is spared
    from alembic.config import Config

    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        config.attributes["metadata"] = metadata
        command.upgrade(config, "head")
    engine.dispose()
