"""A receiver of webhooks on loopback: keeps every request, verifies it, answers as it is told.

Each request is verified by two libraries, `standardwebhooks` and `svix`, with every secret that
was given; a signature that either refuses fails the test when it looks at `received`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

Handler = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def verified(request: Request, secret: str) -> Request:
    """The request, if both libraries accept its signature."""
    Webhook(secret).verify(request.body, request.headers)
    renamed = {
        name.replace("webhook-", "svix-"): value
        for name, value in request.headers.items()
        if name.startswith("webhook-")
    }
    import svix  # three hundred modules, that most workers need not read

    svix.Webhook(secret).verify(request.body, renamed)
    return request


def answer(status: int, body: bytes = b"", *headers: str) -> Handler:
    """A handler that answers so."""

    async def respond(_: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Answer", f"content-length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return respond


@dataclass
class Receiver:
    """`answers` are given one after the other, the last of them for ever."""

    port: int = 0
    answers: list[Handler] = field(default_factory=lambda: [answer(204)])
    requests: list[Request] = field(default_factory=list[Request])
    at_once: int = 0
    most_at_once: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def received(self, secret: str) -> list[Request]:
        """Every request so far, each verified."""
        return [verified(each, secret) for each in self.requests]

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.requests) < count:
                self.arrived.clear()
                await self.arrived.wait()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                request = await _read(reader)
                self.requests.append(request)
                self.arrived.set()
                handler = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                await handler(request, writer)
                await writer.drain()
        finally:
            self.at_once -= 1
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = (line.split(":", 1) for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(head[0].split(" ")[1], headers, body)


@asynccontextmanager
async def receiver(*answers: Handler) -> AsyncGenerator[Receiver]:
    """A running receiver."""
    made = Receiver(answers=list(answers) or [answer(204)])
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
