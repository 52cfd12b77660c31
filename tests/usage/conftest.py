"""A team on the ledger, on the test's clock."""

import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offhook.db import Database

sys.path.insert(0, str(Path(__file__).parent))  # the desk, the reference and the pair of both

from usage_desk import Clock, Desk, hire


@pytest.fixture
async def desk(clocked: Database) -> Desk:
    """A team in UTC on the test's clock, without numbers."""
    return await hire(clocked)


@pytest.fixture
def set_clock(clock: Clock) -> Callable[[str], None]:
    """Put the clock to an ISO time."""

    def put(iso: str) -> None:
        clock.instant = datetime.fromisoformat(iso).astimezone(UTC)

    return put


@pytest.fixture
async def wide(database_url: str, clock: Clock) -> AsyncIterator[Desk]:
    """As `desk`, with as many connections as a race needs."""
    database = Database(database_url, pool_size=24, clock=clock)
    yield await hire(database)
    await database.close()
