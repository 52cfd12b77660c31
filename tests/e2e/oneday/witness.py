"""Reads the carrier's log as it grows, and lets those who wait for something in it wait.

async with watching(settings) as carrier:
    await carrier.until(lambda: carrier.sent[pair] > 3, "a reply")
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import httpx

from offhook.carriers import account
from offhook.settings import Settings
from oneday.history import Row

EVERY_S = 0.1
PATIENCE_S = 180.0
Pair = tuple[str, str]


class Witness:
    """What the carrier has seen so far. Pairs are (our number, the other one)."""

    def __init__(self, settings: Settings) -> None:
        us = account(settings)
        self._client = httpx.AsyncClient(
            base_url=settings.simulator_url, auth=(us.sid, us.token), trust_env=False, timeout=60
        )
        self._read_to = 0
        self.log: list[Row] = []
        self.sent = Counter[Pair]()
        self.said: dict[Pair, str] = {}
        """The last text from the first number to the second."""
        self.told: set[str] = set()
        """Texts of which the application has heard."""

    async def ask(self, path: str, body: object) -> None:
        """Something of the carrier that is not Twilio's."""
        answer = await self._client.post(f"/simulator/{path}", json=body)
        assert answer.is_success, answer.text

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            await asyncio.sleep(EVERY_S)

    async def watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Read what is new."""
        answer = await self._client.get("/simulator/log", params={"after": self._read_to})
        lines: list[Row] = answer.raise_for_status().json()["log"]
        fresh = [line for line in lines if line["id"] > self._read_to]
        for line in fresh:
            self._take(line)
        self._read_to = max([self._read_to, *(line["id"] for line in fresh)])
        self.log += fresh

    def _take(self, line: Row) -> None:
        data = line["data"]
        if line["event"] == "message_accepted":
            pair = (data["from"], data["to"])
            self.sent[pair] += 1
            self.said[pair] = data["body"]
        elif line["event"] == "callback" and data["result"] == "ok":
            self.told.add(line["sid"])

    async def aclose(self) -> None:
        await self._client.aclose()


@asynccontextmanager
async def watching(settings: Settings) -> AsyncGenerator[Witness]:
    witness = Witness(settings)
    task = asyncio.create_task(witness.watch())
    try:
        yield witness
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await witness.aclose()
