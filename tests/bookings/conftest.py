"""A team, and the rooms that bookings needs."""

from datetime import UTC, datetime

import pytest

from offhook.db import Database
from offhook.teams.models import Team


@pytest.fixture
async def team_id(clocked: Database) -> str:
    async with clocked.system() as session:
        team = Team(name="Harbour Street", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return team.id


@pytest.fixture
def rooms() -> tuple[str, ...]:
    """These tests need no room above bookings."""
    return ("web", "teams", "bookings")
