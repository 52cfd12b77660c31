"""The carrier's side of a Media Stream: connects to the application and carries audio both ways.

Every 20 ms one frame of the caller goes out (silence where the telephone sent nothing) and one
frame of the application's audio is played. Marks come back when played, all at once on a clear.
Knows no TwiML and no storage.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from offhook.carriers.simulator.handsets import Handset
from offhook.carriers.simulator.playout import Playout
from offhook.carriers.twilio import streams

CONNECT_S = 5.0
CLOSE_S = 2.0
TICK_S = streams.FRAME_MS / 1000
MAX_WAITING_BYTES = 8_000 * 600  # ten minutes of a telephone that sends faster than real time


class StreamFailed(Exception):  # noqa: N818 - an event of the network, not a defect
    """The application's socket could not be opened (31920) or was lost (31921)."""


class Microphone:
    """What the telephone has said and the stream has not sent yet."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self.digits: asyncio.Queue[str] = asyncio.Queue()

    def hear(self, audio: bytes) -> None:
        if len(self._waiting) + len(audio) <= MAX_WAITING_BYTES:
            self._waiting += audio

    def forget(self) -> None:
        """What was said while nobody listened is not heard later."""
        self._waiting.clear()

    def frame(self) -> bytes:
        if len(self._waiting) < streams.FRAME_BYTES:
            return streams.SILENCE
        frame = bytes(self._waiting[: streams.FRAME_BYTES])
        del self._waiting[: streams.FRAME_BYTES]
        return frame


@dataclass(slots=True)
class Report:
    """What a stream did, for the carrier's log."""

    stream_id: str = field(default_factory=lambda: f"MZ{uuid.uuid4().hex}")
    frames_sent: int = 0
    bytes_received: int = 0
    played_bytes: int = 0
    marks: list[str] = field(default_factory=list[str])
    clears: int = 0
    error: str = ""


class Stream:
    """One stream; `run` returns when the application closes it, and cancelling it ends it."""

    def __init__(
        self,
        *,
        url: str,
        call_id: str,
        account_id: str,
        parameters: Mapping[str, str],
        handset: Handset,
        microphone: Microphone,
    ) -> None:
        self._url = url
        self._call_id = call_id
        self._account_id = account_id
        self._parameters = parameters
        self._handset = handset
        self._microphone = microphone
        self._playout = Playout()
        self._sequence = 1
        self.report = Report()

    async def run(self) -> None:
        """Raises StreamFailed where the socket cannot be opened or is lost."""
        try:
            socket = await connect(
                self._url,
                proxy=None,
                open_timeout=CONNECT_S,
                close_timeout=CLOSE_S,
                compression=None,
            )
        except (OSError, InvalidHandshake, InvalidURI, TimeoutError, ConnectionClosed) as error:
            self.report.error = f"31920 {type(error).__name__}"
            raise StreamFailed(self.report.error) from error
        try:
            await self._carry(socket)
        finally:
            self.report.played_bytes = self._playout.played_bytes
            await self._end(socket)

    async def _carry(self, socket: ClientConnection) -> None:
        await socket.send(streams.dump(streams.Connected()))
        start = streams.Start(
            self.report.stream_id, self._call_id, self._account_id, dict(self._parameters)
        )
        await socket.send(streams.dump(start))
        ticking = asyncio.create_task(self._tick_on(socket))
        try:
            async for message in socket:
                await self._obey(socket, message)
        except ConnectionClosed as error:
            self.report.error = "31921 connection lost"
            raise StreamFailed(self.report.error) from error
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)

    async def _obey(self, socket: ClientConnection, message: str | bytes) -> None:
        try:
            frame = streams.parse_to_carrier(message)
        except streams.FrameError as error:
            self.report.error = f"31951 {error}"  # Twilio warns and goes on
            return
        match frame:
            case streams.SendMedia(payload=payload):
                self.report.bytes_received += len(payload)
                self._playout.push(payload)
            case streams.SendMark(name=name):
                self._playout.mark(name)
            case streams.Clear():
                self.report.clears += 1
                await self._return(socket, self._playout.clear())
            case None:
                self.report.error = "31951 unknown event"

    async def _tick_on(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        chunk = 0
        while True:
            try:
                await self._tick(socket, chunk)
            except ConnectionClosed:
                return
            chunk += 1
            await asyncio.sleep(max(0.0, started + chunk * TICK_S - loop.time()))

    async def _tick(self, socket: ClientConnection, chunk: int) -> None:
        stream_id = self.report.stream_id
        while not self._microphone.digits.empty():
            digit = self._microphone.digits.get_nowait()
            await socket.send(streams.dump(streams.Dtmf(stream_id, digit, self._next())))
        media = streams.Media(
            stream_id,
            self._microphone.frame(),
            timestamp_ms=chunk * streams.FRAME_MS,
            chunk=chunk + 1,
            sequence=self._next(),
        )
        await socket.send(streams.dump(media))
        self.report.frames_sent += 1
        frame, reached = self._playout.tick()
        if frame is not None:
            self._handset.play(frame)
        await self._return(socket, reached)

    async def _return(self, socket: ClientConnection, names: list[str]) -> None:
        for name in names:
            self.report.marks.append(name)
            mark = streams.Mark(self.report.stream_id, name, self._next())
            await socket.send(streams.dump(mark))

    async def _end(self, socket: ClientConnection) -> None:
        stop = streams.Stop(self.report.stream_id, self._call_id, self._account_id, self._next())
        try:
            await socket.send(streams.dump(stop))
        except ConnectionClosed:
            return
        await socket.close()

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence
