"""Fixtures for all tests: a real PostgreSQL, and a fresh database for each test that asks.

The server is the one that users get (the wheel's binaries run by our supervisor). Databases are
copied from a migrated template, so that a test may commit, race and crash as it likes.
"""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from offhook.db import Database
from offhook.db.migrate import migrate
from offhook.supervisor import EmbeddedPostgres

pytest_plugins = ("web_fixtures",)

TEMPLATE = "offhook_template"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_numbers = itertools.count(1)


class TestClock:
    """A clock that stands until a test moves it."""

    __test__ = False

    def __init__(self, start: datetime = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)) -> None:
        self.instant = start

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, **amount: float) -> datetime:
        self.instant += timedelta(**amount)
        return self.instant


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running server with a template database that has every table."""
    folder = Path(tempfile.mkdtemp(prefix="offhook-pg-"))
    folder.chmod(0o711)  # as root, the server's own account must pass through
    server = EmbeddedPostgres(folder / "pg", extra=FAST)
    server.start()
    try:
        _create(server, TEMPLATE)
        migrate(server.url(TEMPLATE))
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _create(server: EmbeddedPostgres, name: str, template: str | None = None) -> None:
    copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
    server.sql(f"CREATE DATABASE {name} OWNER offhook{copied}")
    if template is None:
        server.sql("CREATE EXTENSION IF NOT EXISTS vector", name)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The address of a fresh database with all tables and no rows."""
    name = f"test_{next(_numbers)}"
    _create(postgres, name, TEMPLATE)
    yield postgres.url(name)
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> TestClock:
    """Stands at 2026-05-14 12:00 UTC."""
    return TestClock()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database on its own time."""
    database = Database(database_url, pool_size=5)
    yield database
    await database.close()


@pytest.fixture
async def clocked(database_url: str, clock: TestClock) -> AsyncIterator[Database]:
    """A fresh database whose `now` is the test's clock."""
    database = Database(database_url, pool_size=5, clock=clock)
    yield database
    await database.close()
