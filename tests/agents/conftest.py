"""A team that owns agents; the room's tests use each other's desks."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offhook.db import Database
from offhook.teams.models import Team

sys.path[:0] = [str(Path(__file__).parent)]


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
