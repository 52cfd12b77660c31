"""The simulated carrier as a process of its own: killed at any moment, it goes on."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from application import Application

from offhook.carriers import Account, Carrier, Search, SmsOut, Unreachable, account
from offhook.carriers.port import Callbacks
from offhook.carriers.simulator import store
from offhook.carriers.simulator.server import log_path
from offhook.carriers.twilio.opening import open_twilio
from offhook.phone import E164
from offhook.settings import Settings
from ports import free_port

PERSON = E164("+12025550142")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=str(tmp_path), simulator_port=free_port())


@pytest.fixture
def ours(settings: Settings) -> Account:
    return account(settings)


@asynccontextmanager
async def process(settings: Settings) -> AsyncGenerator[asyncio.subprocess.Process]:
    environment = os.environ | {
        "OFFHOOK_HOME": str(settings.home_path),
        "OFFHOOK_SIMULATOR_PORT": str(settings.simulator_port),
        "PYTHONPATH": str(ROOT / "src"),
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "offhook.carriers.simulator", env=environment, cwd=settings.home_path
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            await _until(lambda: _answers(client, settings.simulator_url))
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Another process has no event to wait on: ask until it holds."""
    async with asyncio.timeout(30):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.05)


async def _has_delivered(settings: Settings, message_id: str) -> bool:
    return await asyncio.to_thread(_delivered, settings, message_id) > 0


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/healthz")).is_success
    except httpx.HTTPError:
        return False


async def buy_and_send(carrier: Carrier, application: Application) -> str:
    offer = (await carrier.search(Search(limit=1)))[0]
    held = await carrier.buy(offer.e164, order_tag="ord_1", callbacks=Callbacks())
    sent = await carrier.send(SmsOut(held.e164, PERSON, "Hello", f"{application.url}/status"))
    return sent.carrier_id


async def test_killed_carrier_goes_on_where_it_was(
    settings: Settings, ours: Account, application: Application
):
    """Nothing lost, nothing delivered twice; the log tells the same before and after."""
    carrier = open_twilio(ours, settings.simulator_url)
    async with process(settings) as first:
        message_id = await buy_and_send(carrier, application)
        first.kill()
        await first.wait()
        before = store.log_of(log_path(settings))
    with pytest.raises(Unreachable) as doubt:
        await carrier.find("ord_1")
    assert not doubt.value.outcome_unknown
    async with process(settings) as second:
        assert await carrier.find("ord_1") is not None
        await _until(lambda: _has_delivered(settings, message_id))
        second.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(second.wait(), 30) == 0
    after = store.log_of(log_path(settings))
    assert after[: len(before)] == before
    assert _delivered(settings, message_id) == 1
    await carrier.aclose()


def _delivered(settings: Settings, message_id: str) -> int:
    events = [(each.event, each.sid) for each in store.log_of(log_path(settings))]
    return events.count(("message_delivered", message_id))
