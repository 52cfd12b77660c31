"""A team with a trial, and the test gateway on the test's own database."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the desk of invoices, stripe_server.py
sys.path.insert(0, str(Path(__file__).parent.parent / "usage"))

from stripe_fixtures import stripe, stripe_installed

from offhook import billing, settings
from offhook.billing import TestGateway
from offhook.db import Database, now
from offhook.teams.models import Team


@pytest.fixture
async def gateway(database_url: str) -> AsyncIterator[TestGateway]:
    gateway = TestGateway(database_url)
    yield gateway
    await gateway.aclose()


async def make_team(database: Database, name: str) -> str:
    async with database.system() as session:
        team = Team(name=name, created_at=await now(session))
        session.add(team)
        await session.flush()
        await billing.on_team_created(session, team.id)
        return team.id


@pytest.fixture
async def team(database: Database) -> str:
    return await make_team(database, "Bakery")


@pytest.fixture
async def other_team(database: Database) -> str:
    return await make_team(database, "Garage")


@pytest.fixture
def billing_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OFFHOOK_BILLING", "off")
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


__all__ = ["stripe", "stripe_installed"]
