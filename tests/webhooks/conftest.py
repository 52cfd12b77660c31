"""What the tests of webhooks share."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from offhook.db import Database
from offhook.outgoing import Outgoing
from offhook.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))  # the desk and the receiver

from webhook_desk import Desk, new_desk


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An operator who lets webhooks reach this machine, by http, on any port."""
    return settings.model_copy(
        update={
            "outgoing_http": True,
            "outgoing_ports": [443, *range(1024, 65536)],
            "outgoing_private_networks": ["127.0.0.0/8"],
        }
    )


@pytest.fixture
async def outgoing(settings: Settings) -> AsyncIterator[Outgoing]:
    async with Outgoing(settings) as out:
        yield out


@pytest.fixture
async def desk(database: Database, settings: Settings, outgoing: Outgoing) -> Desk:
    """On the database's own time."""
    return await new_desk(database, settings, outgoing)


@pytest.fixture
async def clocked_desk(clocked: Database, settings: Settings, outgoing: Outgoing) -> Desk:
    """On the test's clock."""
    return await new_desk(clocked, settings, outgoing)
