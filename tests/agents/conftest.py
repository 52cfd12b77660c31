"""A team that owns agents."""

from datetime import UTC, datetime

import pytest

from offhook.db import Database
from offhook.teams.models import Team


@pytest.fixture
async def team_id(database: Database) -> str:
    async with database.system() as session:
        team = Team(name="Daily Bread", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return team.id


@pytest.fixture
def rooms() -> tuple[str, ...]:
    """These tests need no room above agents."""
    return ("web", "teams", "knowledge", "agents")
