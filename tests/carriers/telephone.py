"""A telephone in a test's hand."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from offhook.carriers.simulator.account import handset_token
from offhook.carriers.simulator.server import Simulator
from offhook.settings import Settings, secret_key


class Phone:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard = bytearray()

    async def say(self, **event: Any) -> None:
        await self.socket.send(json.dumps(event))

    async def event(self, *kinds: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while True:
                message = await self.socket.recv()
                if isinstance(message, bytes):
                    self.heard += message
                elif (event := json.loads(message))["type"] in kinds:
                    return event

    async def hear(self, length: int) -> bytes:
        async with asyncio.timeout(20):
            while len(self.heard) < length:
                message = await self.socket.recv()
                if isinstance(message, bytes):
                    self.heard += message
        return bytes(self.heard)

    async def hears(self, sound: bytes) -> None:
        """Until exactly this was heard among other things."""
        async with asyncio.timeout(20):
            while sound not in self.heard:
                message = await self.socket.recv()
                if isinstance(message, bytes):
                    self.heard += message


@asynccontextmanager
async def telephone(simulator: Simulator, settings: Settings, number: str) -> AsyncGenerator[Phone]:
    token = handset_token(secret_key(settings), number, now_s=int(time.time()))
    url = simulator.url.replace("http", "ws", 1)
    async with connect(f"{url}/handset?token={token}", proxy=None, close_timeout=0.5) as socket:
        phone = Phone(socket)
        await phone.event("ready")
        yield phone
