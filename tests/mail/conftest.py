"""Fixtures of mail: a server that catches it, settings that send to that server."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

sys.path.insert(0, str(Path(__file__).parent))

from mail_catcher import Catcher

from offhook.db import Database
from offhook.settings import Settings
from web_fixtures import Person, new_owner


@pytest.fixture
async def catcher() -> AsyncIterator[Catcher]:
    """A server on a free port of this machine."""
    handler = Catcher()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", 0)
    handler.port = server.sockets[0].getsockname()[1]
    yield handler
    server.close()


@pytest.fixture
def mailing(settings: Settings, catcher: Catcher) -> Settings:
    """Settings that send to the catcher."""
    return settings.model_copy(
        update={
            "smtp_host": "127.0.0.1",
            "smtp_port": catcher.port,
            "smtp_tls": "none",
            "mail_from": "Daily Bread <phone@bread.example>",
            "environment": "production",
        }
    )


@pytest.fixture
async def team(database: Database) -> Person:
    """A team's owner."""
    return await new_owner(database)


@pytest.fixture
def rooms() -> tuple[str, ...]:
    """These tests need no room above teams."""
    return ("web", "mail", "teams")
