"""A team, and the two pages of knowledge that the answers are measured on."""

from datetime import UTC, datetime

import pytest

from offhook.db import Database
from offhook.teams.models import Team


@pytest.fixture
async def team_id(database: Database) -> str:
    async with database.system() as session:
        team = Team(name="Harbour Street", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return team.id
