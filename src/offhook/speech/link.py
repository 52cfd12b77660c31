"""The application's connection to a speech process: one for all its calls, restored for ever.

Requests in flight when it breaks are told so at once (`Lost`), and those who wait may wait for the
next connection. It knows frames; it does not know what they mean.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from pathlib import Path

from offhook.speech import protocol
from offhook.speech.port import SpeechBusy, SpeechUnavailable

log = logging.getLogger(__name__)

_RETRY_FIRST_S = 0.05
_RETRY_LAST_S = 0.5
_READ_BYTES = 64 * 1024
_MAX_UNSENT_BYTES = 16 * 1024 * 1024
"""A process that reads nothing must not fill our memory with audio."""


class Lost:
    """The connection broke: the request will not be answered."""


LOST = Lost()
Answer = protocol.Message | Lost


class Link:
    """A connection that is there again as soon as the process is."""

    def __init__(self, path: Path, *, name: str, capacity: int) -> None:
        """`capacity` is what is believed until the process tells its own."""
        self._path = path
        self._name = name
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Callable[[Answer], None]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._calls = 0
        self.load = protocol.Load(capacity=capacity, used=0, model="")

    def start(self) -> None:
        """Begins to connect, in the running loop; harmless when done before."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep(), name=f"link to {self._name}")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def ready(self, timeout_s: float) -> None:
        """Waits for a connection. Raises SpeechUnavailable after `timeout_s`."""
        self.start()
        if self._connected.is_set():
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        except TimeoutError:
            raise self.unavailable() from None

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    def unavailable(self) -> SpeechUnavailable:
        return SpeechUnavailable(
            f"The {self._name} at {self._path} does not answer.",
            remedy="It is restarted by itself; if this lasts, read the log of `offhook serve`.",
        )

    def number(self) -> int:
        """A number for the next request."""
        return next(self._numbers)

    def ask(
        self, request: int, message: protocol.Message, on_answer: Callable[[Answer], None]
    ) -> None:
        """Sends `message`; each answer to `request` goes to `on_answer`, until `forget`.

        Raises SpeechUnavailable where there is no connection, SpeechBusy where the process does
        not read what it was sent.
        """
        if self._writer is None:
            raise self.unavailable()
        if self._writer.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            raise SpeechBusy(f"The {self._name} does not keep up.", remedy="Take fewer calls.")
        self._waiting[request] = on_answer
        self._writer.write(protocol.pack(message))

    def forget(self, request: int, *, cancel: bool) -> None:
        """No more answers to `request`; with `cancel` the process is told to drop it."""
        if self._waiting.pop(request, None) is not None and cancel and self._writer is not None:
            self._writer.write(protocol.pack(protocol.Cancel(request)))

    def using(self, change: int) -> None:
        """One call more or fewer; told to the process, and again after each connection."""
        self._calls += change
        if self._writer is not None:
            self._writer.write(protocol.pack(protocol.Using(self._calls)))

    async def _keep(self) -> None:
        pause_s = _RETRY_FIRST_S
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._path)
            except OSError:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _RETRY_LAST_S)
                continue
            try:
                pause_s = _RETRY_FIRST_S
                self.using(0)
                await self._read(reader)
            finally:
                self._broken()
            await asyncio.sleep(pause_s)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        frames = protocol.Frames()
        try:
            while data := await reader.read(_READ_BYTES):
                for message in frames.feed(data):
                    self._received(message)
        except OSError as error:
            log.warning("connection to the %s broke: %s", self._name, error)
        except protocol.ProtocolError as error:
            log.error("the %s sent rubbish: %s", self._name, error)  # noqa: TRY400 - not our fault

    def _received(self, message: protocol.Message) -> None:
        if isinstance(message, protocol.Load):
            self.load = message
            self._connected.set()
        elif isinstance(
            message, protocol.Transcribed | protocol.Spoken | protocol.Done | protocol.Failed
        ) and (on_answer := self._waiting.get(message.request)):
            on_answer(message)

    def _broken(self) -> None:
        self._connected.clear()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        waiting, self._waiting = self._waiting, {}
        for on_answer in waiting.values():
            on_answer(LOST)
