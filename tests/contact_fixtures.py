"""A team and a number for the tests of contacts."""

from datetime import UTC, datetime

from offhook.db import Database
from offhook.phone import E164
from offhook.teams.models import Team

ANN = E164("+14155550111")


async def make_team(database: Database, *, country: str = "US") -> str:
    async with database.system() as session:
        team = Team(name="Daily Bread", country=country, created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return team.id
