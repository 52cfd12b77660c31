"""The shell of a speech process: a Unix socket, its clients, and an end when the parent ends.

It survives clients that die, send rubbish or do not read. It knows frames; what they ask for is
done by the `Service` that it is given.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from offhook.speech import protocol

log = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024
_MAX_UNREAD_BYTES = 8 * 1024 * 1024
"""What a client may leave unread before it is taken for dead: a quarter of an hour of audio."""


@dataclass(eq=False)
class Client:
    """One connected application."""

    writer: asyncio.StreamWriter
    calls: int = 0
    requests: set[int] = field(default_factory=set[int])

    def send(self, message: protocol.Message) -> None:
        """Only in the event loop. A client that has gone or reads nothing gets nothing."""
        if self.writer.is_closing():
            return
        if self.writer.transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            log.warning("a client reads nothing and is dropped")
            self.writer.transport.abort()
            return
        self.writer.write(protocol.pack(message))


class Service(Protocol):
    """What a process does with requests. All methods are called in the event loop."""

    capacity: int
    model: str

    def received(self, client: Client, message: protocol.Message) -> None: ...

    def left(self, client: Client) -> None:
        """The client is gone: drop its requests."""
        ...

    def used(self, calls: int) -> int:
        """What counts as load, given the calls that the clients told of."""
        ...


class Server:
    """Accepts clients on a Unix socket and hands what they send to a Service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._clients: set[Client] = set()

    async def serve(self, path: Path) -> None:
        """Until cancelled. The socket is readable by its owner only."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._accept, path)
        finally:
            os.umask(before)
        async with server:
            await server.serve_forever()

    def tell_load(self) -> None:
        """Tells every client how full the process is; only in the event loop."""
        load = self._load()
        for client in self._clients:
            client.send(load)

    def _load(self) -> protocol.Load:
        used = self._service.used(sum(client.calls for client in self._clients))
        return protocol.Load(self._service.capacity, used, self._service.model)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(writer)
        self._clients.add(client)
        client.send(self._load())
        frames = protocol.Frames()
        try:
            while data := await reader.read(_READ_BYTES):
                for message in frames.feed(data):
                    self._received(client, message)
        except protocol.ProtocolError as error:
            log.warning("a client sent rubbish and is dropped: %s", error)
        except OSError:
            pass  # the client died; what it asked for is dropped below
        finally:
            self._clients.discard(client)
            self._service.left(client)
            writer.transport.abort()
            self.tell_load()

    def _received(self, client: Client, message: protocol.Message) -> None:
        if isinstance(message, protocol.Using):
            client.calls = max(message.calls, 0)
            self.tell_load()
        else:
            self._service.received(client, message)


def run(path: Path, make_service: Callable[[Callable[[], None]], Service]) -> None:
    """Serves on `path` until SIGTERM or SIGINT. `make_service` is given "the load has changed"."""
    asyncio.run(_run(path, make_service))


async def _run(path: Path, make_service: Callable[[Callable[[], None]], Service]) -> None:
    loop = asyncio.get_running_loop()

    def load_changed() -> None:
        loop.call_soon_threadsafe(server.tell_load)

    server = Server(make_service(load_changed))
    serving = asyncio.create_task(server.serve(path))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        os.unlink(path)  # noqa: PTH108 - nothing else runs any more, so blocking is no matter
        # A model's thread may be in the midst of a pass that nobody waits for any more, and the
        # clients' connections have nothing to say: the ordinary way out would wait for both.
        os._exit(0)


def yield_to_media() -> None:
    """Lowers this process's priority: a late word is heard, a late audio frame is a click."""
    with contextlib.suppress(OSError):
        os.nice(5)


def default_capacity() -> int:
    """Calls that this machine's cores bear, both speech processes and the media process together.

    Two calls a core, a cautious figure: callers who talk without pause, with partial words, on a
    machine that was busy besides, waited 0.7 s for a final with two calls on two cores, and 2.9 s
    with six (bench/speech.py).
    """
    return 2 * (os.cpu_count() or 1)
