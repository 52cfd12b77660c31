"""A team and a number for the tests of contacts."""

from datetime import UTC, datetime

from offhook import app, contacts, messages
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


def join() -> None:
    """What app.py joins for contacts, and nothing else."""
    for keeper in app.KEEPERS:
        contacts.kept_by(keeper)
    contacts.imports("contacts", contacts.Contacts())
    contacts.imports("opt_outs", messages.OptOuts())
