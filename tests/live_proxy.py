"""A proxy between browser and server that can be cut, or refuse what is asked (CM8).

async with proxied(served) as proxy:
    await page.goto(f"{proxy.url}/inbox")
    proxy.lose()                    # every connection is cut, and none is opened
    proxy.refuse = 2                # afterwards the next two streams get 503
    proxy.down = False
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from web_fixtures import Served


@dataclass(slots=True)
class Proxy:
    """Stands between browser and server; can cut every connection and refuse requests."""

    target: int
    port: int = 0
    down: bool = False
    refuse: int = 0
    refused_path: bytes = b"GET /live"
    refusals: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lose(self) -> None:
        """The line is lost until `down` is taken back."""
        self.down = True
        self.cut()

    def cut(self) -> None:
        for writer in list(self.writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if self.down:
                return
            if head.startswith(self.refused_path) and self.refuse:
                self.refuse -= 1
                self.refusals += 1
                writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            behind, ahead = await asyncio.open_connection("127.0.0.1", self.target)
            # One request a connection, so that each is seen here.
            ahead.write(head.replace(b"Connection: keep-alive", b"Connection: close"))
            await asyncio.gather(_pipe(reader, ahead), _pipe(behind, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


@asynccontextmanager
async def proxied(served: Served) -> AsyncGenerator[Proxy]:
    proxy = Proxy(target=int(served.url.rsplit(":", 1)[1]))
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        proxy.cut()
