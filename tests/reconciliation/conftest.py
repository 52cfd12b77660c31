"""Lets the tests of this room use the office of calls, and their own bureau."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "calls"), str(HERE.parent / "media")]

from bureau import Bureau, open_bureau
from office import Clock

from number_fixtures import simulator
from offhook.carriers.simulator.server import Simulator
from offhook.db import Database
from offhook.settings import Settings


@pytest.fixture
async def bureau(
    clocked: Database,
    clock: Clock,
    simulator: Simulator,
    settings: Settings,
) -> AsyncIterator[Bureau]:
    """From 2026-05-14 12:00 UTC on; afterwards the ledger's invariants hold."""
    async with open_bureau(clocked, clock, simulator, settings) as bureau:
        yield bureau


__all__ = ["simulator"]
