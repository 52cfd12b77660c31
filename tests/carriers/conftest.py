"""A simulated carrier, our adapter to it, and an application that it calls."""

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # application.py, telephone.py, openapi.py

from application import Application, running_application

from offhook.carriers import Account, Carrier, account
from offhook.carriers.simulator.server import Simulator, running
from offhook.carriers.twilio.opening import open_twilio
from offhook.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=str(tmp_path), simulator_port=0)


@pytest.fixture
def ours(settings: Settings) -> Account:
    return account(settings)


@pytest.fixture
async def simulator(settings: Settings) -> AsyncGenerator[Simulator]:
    async with running(settings) as simulator:
        yield simulator


@pytest.fixture
async def carrier(simulator: Simulator, ours: Account) -> AsyncGenerator[Carrier]:
    carrier = open_twilio(ours, simulator.url)
    yield carrier
    await carrier.aclose()


@pytest.fixture
async def application(ours: Account) -> AsyncGenerator[Application]:
    async with running_application(ours) as application:
        yield application
