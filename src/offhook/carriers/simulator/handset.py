"""A telephone for the command line: what `offhook text` and `offhook call` do.

Speaks to the simulated carrier's handset WebSocket. Everything said to the user goes through
`show`, so that the caller decides where it appears. Synthesis is an argument; without one the
`flite` program is used where it is installed.
"""

import asyncio
import base64
import json
import mimetypes
import shutil
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from urllib.parse import quote

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from offhook import phone
from offhook.carriers.simulator import audio
from offhook.carriers.simulator.account import handset_token, require_simulator
from offhook.errors import Invalid, Problem, Unavailable
from offhook.settings import Settings, secret_key

DEFAULT_NUMBER = "+12025550142"  # kept for fiction, and in no inventory of ours
FRAME_BYTES = 160
FRAME_S = 0.02
SILENT_FRAME = b"\xff" * FRAME_BYTES
LOUD = 300.0
PAUSE_S = 1.0
PATIENCE_S = 15.0
REPLY_S = 30.0
MORE_REPLIES_S = 2.0
MAX_SAY_CHARACTERS = 2_000

Show = Callable[[str], None]
Sound = tuple[bytes, int]  # 16-bit mono PCM, little-endian, and its rate
Synthesise = Callable[[str], Sound | Awaitable[Sound]]


class SimulatorUnavailable(Unavailable):
    code = "simulator_unavailable"


class TextRefused(Invalid):
    code = "text_refused"


class CallRefused(Problem):
    code = "call_refused"
    status = 409


class NoVoice(Invalid):
    code = "no_voice"


async def send_text(
    settings: Settings,
    number: str,
    body: str,
    *,
    sender: str = "",
    pictures: Sequence[Path] = (),
    wait_s: float = REPLY_S,
    show: Show = print,
) -> list[str]:
    """Text `number`, with `pictures` or other files, show the replies and return them.

    Waits `wait_s` for the first one (0: not at all) and a moment for others after it.
    """
    to = phone.parse(number)
    replies: list[str] = []
    async with _handset(settings, sender) as socket:
        media = [_picture(path) for path in pictures]
        text = {"type": "text", "to": to, "body": body, "media": media}
        await socket.send(json.dumps(text))
        event = await _event(socket, {"text_sent", "error"})
        if event["type"] == "error":
            raise TextRefused(str(event["sentence"]), remedy="Buy the number first.")
        while wait_s:
            patience_s = MORE_REPLIES_S if replies else wait_s
            try:
                async with asyncio.timeout(patience_s):
                    event = await _event(socket, {"text"})
            except TimeoutError:
                break
            if event["from"] == to:
                replies.append(str(event["body"]))
                show(replies[-1])
    if wait_s and not replies:
        show(f"No reply within {wait_s:.0f} s.")
    return replies


async def place_call(
    settings: Settings,
    number: str,
    *,
    say: Sequence[str] = (),
    wav: Path | None = None,
    save: Path | None = None,
    sender: str = "",
    hidden: bool = False,
    synthesise: Synthesise | None = None,
    show: Show = print,
) -> None:
    """Call `number`; say the texts, each after the other side's pause, or play the file, or listen.

    Shows the call's progress. `save` gets a WAV: left what we said, right what we heard. Raises
    CallRefused where the call is not answered, WavUnusable and NoVoice before anything is dialled.
    """
    to = phone.parse(number)
    sounds = [audio.to_mulaw(audio.read_wav(wav))] if wav else []
    sounds.extend([audio.to_mulaw(await _spoken(each, synthesise)) for each in say])
    async with _handset(settings, sender) as socket:
        await socket.send(json.dumps({"type": "call", "to": to, "hidden": hidden}))
        telephone = _Telephone(socket, show)
        try:
            await telephone.run(sounds)
        finally:
            if save:
                audio.write_wav(save, [bytes(telephone.said), bytes(telephone.heard)])
                show(f"Saved {save}")


def _picture(path: Path) -> dict[str, str]:
    kind, _ = mimetypes.guess_type(path.name)
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"content_type": kind or "application/octet-stream", "data": content}


class _Telephone:
    """One call: a clock of 20 ms that sends and records, and a script of what to say."""

    def __init__(self, socket: ClientConnection, show: Show) -> None:
        self._socket = socket
        self._show = show
        self._answered = asyncio.Event()
        self._waiting = bytearray()  # heard, not yet recorded
        self._speaking = bytearray()  # to be said
        self._last_loud = 0.0
        self._other_spoke = False
        self.said = bytearray()
        self.heard = bytearray()

    async def run(self, sounds: Sequence[bytes]) -> None:
        reading = asyncio.create_task(self._read())
        talking = asyncio.create_task(self._talk(sounds))
        try:
            await asyncio.wait({reading, talking}, return_when=asyncio.FIRST_COMPLETED)
            if talking.done() and not talking.cancelled():
                await self._socket.send(json.dumps({"type": "hang_up"}))
                await reading
        finally:
            for task in (reading, talking):
                task.cancel()
            await asyncio.gather(reading, talking, return_exceptions=True)
        if (error := reading.exception()) is not None:
            raise error

    async def _read(self) -> None:
        """Follow the call until it ends."""
        async for message in self._socket:
            if isinstance(message, bytes):
                self._hear(message)
                continue
            event = json.loads(message)
            match event.get("type"):
                case "ringing":
                    self._show("Ringing")
                case "answered":
                    self._show("Answered")
                    self._answered.set()
                case "say":
                    self._show(f"Carrier says: {event['text']}")
                case "refused":
                    raise CallRefused(*_refusal(event))
                case "error":
                    raise CallRefused(str(event["sentence"]))
                case "ended":
                    self._show(_ended(event))
                    return
                case _:
                    pass  # texts and their states

    def _hear(self, data: bytes) -> None:
        self._waiting += data
        if audio.loudness(data) > LOUD:
            self._last_loud = time.monotonic()
            self._other_spoke = True

    async def _talk(self, sounds: Sequence[bytes]) -> None:
        await self._answered.wait()
        self._last_loud = time.monotonic()
        clock = asyncio.create_task(self._tick_on())
        try:
            if not sounds:
                await clock  # nothing to say: listen until the other side ends the call
            for sound in sounds:
                await self._pause()
                self._speaking += sound
                await self._until(lambda: not self._speaking, len(sound) / audio.RATE + PATIENCE_S)
                self._other_spoke = False
            await self._pause()
        finally:
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)

    async def _pause(self) -> None:
        """Until the other side has spoken and then paused, or has kept silent for long."""
        await self._until(
            lambda: self._other_spoke and time.monotonic() - self._last_loud > PAUSE_S, PATIENCE_S
        )

    async def _until(self, condition: Callable[[], bool], patience_s: float) -> None:
        """The patience counts from the last loud moment, so that long answers are heard out."""
        started = time.monotonic()
        while not condition():
            if time.monotonic() - max(started, self._last_loud) > patience_s:
                return
            await asyncio.sleep(FRAME_S)

    async def _tick_on(self) -> None:
        loop = asyncio.get_running_loop()
        started, ticks = loop.time(), 0
        while True:
            await self._tick()
            ticks += 1
            await asyncio.sleep(max(0.0, started + ticks * FRAME_S - loop.time()))

    async def _tick(self) -> None:
        said = bytes(self._speaking[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\xff")
        heard = bytes(self._waiting[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\xff")
        if self._speaking:
            await self._socket.send(said)
            del self._speaking[:FRAME_BYTES]
        del self._waiting[:FRAME_BYTES]
        self.said += said
        self.heard += heard


def _refusal(event: dict[str, Any]) -> tuple[str]:
    sentences = {
        "busy": "Not answered: busy.",
        "rejected": "Not answered: rejected.",
        "not_in_use": "Not answered: the number is not in use.",
        "failed": "Not answered: the other side failed to take the call.",
        "canceled": "Hung up before the answer.",
    }
    reason = str(event.get("reason", ""))
    return (sentences.get(reason, f"Not answered: {reason}."),)


def _ended(event: dict[str, Any]) -> str:
    seconds, minutes = event["duration_s"], event["minutes"]
    plural = "" if minutes == 1 else "s"
    return f"Ended after {seconds} s ({minutes} minute{plural}): {event['reason']}"


@asynccontextmanager
async def _handset(settings: Settings, sender: str) -> AsyncGenerator[ClientConnection]:
    """A connected telephone, its greeting read. Raises SimulatorUnavailable, NotSimulated."""
    require_simulator(settings)
    number = phone.parse(sender or DEFAULT_NUMBER)
    token = handset_token(secret_key(settings), number, now_s=int(time.time()))
    address = settings.simulator_url.replace("http", "ws", 1)
    try:
        socket = await connect(f"{address}/handset?token={quote(token)}", proxy=None)
    except (OSError, InvalidHandshake, TimeoutError) as error:
        raise SimulatorUnavailable(
            f"The simulated carrier does not answer at {settings.simulator_url}.",
            remedy="Start Offhook first: offhook serve.",
        ) from error
    try:
        await _event(socket, {"ready"})
        yield socket
    except ConnectionClosed as error:
        raise SimulatorUnavailable("The simulated carrier closed the line.") from error
    finally:
        await socket.close()


async def _event(socket: ClientConnection, kinds: set[str]) -> dict[str, Any]:
    """The next event of one of these kinds."""
    while True:
        message = await socket.recv()
        if isinstance(message, str):
            event = cast("dict[str, Any]", json.loads(message))
            if event["type"] in kinds:
                return event


async def _spoken(text: str, synthesise: Synthesise | None) -> audio.Pcm:
    """The text as sound at 8 kHz: by flite where it is installed, else by `synthesise`."""
    words = text.strip()
    if not words or len(words) > MAX_SAY_CHARACTERS:
        raise NoVoice(
            f"There must be something to say, of at most {MAX_SAY_CHARACTERS:,} characters."
        )
    flite = shutil.which("flite")
    if flite:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "said.wav"
            process = await asyncio.create_subprocess_exec(flite, "-t", words, "-o", str(path))
            if await process.wait() == 0:
                return audio.read_wav(path)
    if synthesise is None:
        raise NoVoice("There is no voice to say it with.", remedy="Use --wav, or install flite.")
    sound = synthesise(words)
    data, rate = await sound if isinstance(sound, Awaitable) else sound
    return audio.resampled(np.frombuffer(data, "<i2").astype(np.int16), rate)
