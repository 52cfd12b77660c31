"""The built-in recogniser: the client of recogniser_process.py.

The audio of a turn stays here until its end, so a process that dies in the midst of a turn costs
time and no words.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from offhook.speech import protocol
from offhook.speech.failures import problem
from offhook.speech.link import Answer, Link, Lost
from offhook.speech.port import (
    BYTES_PER_MS,
    Heard,
    LanguageUnsupported,
    Partial,
    SpeechTimeout,
    Word,
)
from offhook.speech.turn import TurnAudio

CONNECT_S = 1.0
FINAL_S = 10.0
PARTIAL_EVERY_MS = 240
PARTIAL_FROM_MS = 500
MOST_HINTS = 40


class OfflineRecogniser:
    """Hears through the process at `socket`. See port.Recogniser for every promise."""

    def __init__(self, socket: Path, *, capacity: int, model: str = "") -> None:
        """`model`: the one that the process was started with; decides the languages."""
        self._link = Link(socket, name="recogniser", capacity=capacity)
        self._english_only = not model or model.endswith(".en")

    async def start(self) -> None:
        self._link.start()

    async def ready(self, timeout_s: float) -> None:
        """Waits for the process. Raises SpeechUnavailable after `timeout_s`."""
        await self._link.ready(timeout_s)

    def open(
        self,
        *,
        language: str = "en",
        hints: Sequence[str] = (),
        on_partial: Callable[[Partial], None] | None = None,
    ) -> "OfflineHearing":
        if self._english_only and language.split("-", maxsplit=1)[0].lower() != "en":
            raise LanguageUnsupported(
                f"The built-in recogniser understands English, not {language!r}.",
                remedy="Name a multilingual Whisper model in OFFHOOK_RECOGNISER_MODEL, "
                "or a speech server in OFFHOOK_SPEECH_BASE_URL.",
                language=language,
            )
        self._link.start()
        return OfflineHearing(self._link, language, tuple(hints)[:MOST_HINTS], on_partial)

    def capacity(self) -> int:
        return self._link.load.capacity

    def load(self) -> int:
        return self._link.load.used

    async def close(self) -> None:
        await self._link.close()


class OfflineHearing:
    """One caller's ear. See port.Hearing for every promise."""

    def __init__(
        self,
        link: Link,
        language: str,
        hints: tuple[str, ...],
        on_partial: Callable[[Partial], None] | None,
    ) -> None:
        self._link = link
        self._language = language
        self._hints = hints
        self._on_partial = on_partial
        self._turn = TurnAudio()
        self._settled: list[Heard] = []
        self._partial: int | None = None
        self._partial_at_ms = 0
        self._settling: int | None = None
        self._finals = 0
        self._heard_until_ms = 0
        self._closed = False
        link.using(+1)

    def feed(self, mulaw: bytes) -> None:
        self._turn.feed(mulaw)
        if self._turn.open and self._link.connected:
            self._settle()
            self._ask_partial()

    def begin(self, lead_ms: int = 300) -> None:
        if not self._turn.open:
            self._turn.begin(lead_ms)
            self._partial_at_ms = self._turn.start_ms + PARTIAL_FROM_MS - PARTIAL_EVERY_MS
            self._heard_until_ms = 0

    async def finalise(self) -> Heard:
        start_ms, end_ms = self._turn.start_ms, self._turn.end_ms
        settled, rest = tuple(self._settled), self._turn.audio()
        if not rest:
            return Heard("", end_ms, end_ms)
        self._heard_until_ms = end_ms
        self._finals += 1
        try:
            async with asyncio.timeout(FINAL_S):
                heard = await self._transcribe(rest, start_ms, end_ms)
        except TimeoutError:
            raise SpeechTimeout(
                f"The recogniser gave no words for {FINAL_S:g} s.",
                remedy="Take fewer calls, or give the machine more cores.",
            ) from None
        finally:
            self._finals -= 1
        return _joined([*settled, heard])

    def end(self) -> None:
        self._turn.end(self._heard_until_ms or self._turn.end_ms)
        self._settled = []
        for request in (self._partial, self._settling):
            if request is not None:
                self._link.forget(request, cancel=True)
        self._partial = self._settling = None

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.end()
            self._link.using(-1)

    async def _transcribe(self, audio: bytes, start_ms: int, end_ms: int) -> Heard:
        """Once more if the connection breaks, on the next one."""
        for last in (False, True):
            await self._link.ready(CONNECT_S)
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

            def on_answer(answer: Answer, answered: asyncio.Future[Answer] = answered) -> None:
                # A cancelled task is still in line to forget its request.
                if not answered.done():
                    answered.set_result(answer)

            request = self._ask(audio, on_answer, final=True)
            try:
                answer = await answered
            finally:
                self._link.forget(request, cancel=not answered.done() or answered.cancelled())
            if isinstance(answer, protocol.Transcribed):
                return _heard(answer, start_ms, end_ms)
            if isinstance(answer, protocol.Failed):
                raise problem(answer)
            if last:
                break
        raise self._link.unavailable()

    def _ask(self, audio: bytes, on_answer: Callable[[Answer], None], *, final: bool) -> int:
        request = self._link.number()
        message = protocol.Transcribe(request, final, self._language, self._hints, audio)
        self._link.ask(request, message, on_answer)
        return request

    def _ask_partial(self) -> None:
        """The next partial when the last one is answered, so a loaded process is asked less."""
        end_ms = self._turn.end_ms
        due = end_ms - self._partial_at_ms >= PARTIAL_EVERY_MS
        if self._on_partial is None or self._partial is not None or self._finals or not due:
            return
        start_ms = self._turn.start_ms

        def answered(answer: Answer) -> None:
            request, self._partial = self._partial, None
            if not isinstance(answer, Lost) and request is not None:
                self._link.forget(request, cancel=False)
            if isinstance(answer, protocol.Transcribed) and self._on_partial is not None:
                heard = _joined([*self._settled, _heard(answer, start_ms, end_ms)])
                if heard:
                    self._on_partial(Partial(heard.text, heard.start_ms, end_ms))

        self._partial_at_ms = end_ms
        self._partial = self._ask(self._turn.audio(), answered, final=False)

    def _settle(self) -> None:
        """Has the beginning of a long turn transcribed for good, up to a pause."""
        if self._settling is not None or not (length := self._turn.to_settle()):
            return
        start_ms = self._turn.start_ms
        end_ms = start_ms + length // BYTES_PER_MS

        def answered(answer: Answer) -> None:
            request, self._settling = self._settling, None
            if not isinstance(answer, Lost) and request is not None:
                self._link.forget(request, cancel=False)
            if isinstance(answer, protocol.Transcribed):
                self._settled.append(_heard(answer, start_ms, end_ms))
                self._turn.settled(length)
                if self._partial is not None:  # it repeats what is now settled
                    self._link.forget(self._partial, cancel=True)
                    self._partial = None

        self._settling = self._ask(self._turn.audio()[:length], answered, final=True)


def _heard(answer: protocol.Transcribed, start_ms: int, end_ms: int) -> Heard:
    words = tuple(Word(text, start_ms + a, start_ms + b) for text, a, b in answer.words)
    if words:
        return Heard(answer.text, words[0].start_ms, words[-1].end_ms, words)
    return Heard(answer.text, start_ms, end_ms)


def _joined(parts: list[Heard]) -> Heard:
    """One turn of its parts; a part in which nobody spoke adds nothing."""
    spoken = [part for part in parts if part] or parts[-1:]
    return Heard(
        " ".join(part.text for part in spoken),
        spoken[0].start_ms,
        spoken[-1].end_ms,
        tuple(word for part in spoken for word in part.words),
    )
