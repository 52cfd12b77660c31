"""One agent's mouth: replies spoken sentence by sentence while they are still being written.

The brain's text, the synthesiser's audio and the line's play-out run side by side: while one
sentence sounds, the next is made. Knows the line and the synthesiser; knows no turn-taking.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from offhook.agents import (
    Cited,
    HandOver,
    HangUp,
    Learned,
    NeedsPerson,
    Part,
    Text,
    Told,
    Working,
)
from offhook.calls.latency.rules import Stage, Stopwatch
from offhook.media import Line
from offhook.speech import Sentences, Synthesiser, VoiceCache, speakable

FILLER_AFTER_S = 1.5
FILLER_AGAIN_S = 8.0


@dataclass(slots=True)
class Spoken:
    """What a reply came to, besides its words."""

    citations: list[Cited] = field(default_factory=list[Cited])
    learned: list[Learned] = field(default_factory=list[Learned])
    hand_over: HandOver | None = None
    hang_up: bool = False
    needs_person: str = ""
    said_anything: bool = False

    def take(self, part: Cited | Learned | NeedsPerson | HangUp | HandOver) -> None:
        match part:
            case Cited():
                self.citations.append(part)
            case Learned():
                self.learned.append(part)
            case NeedsPerson(reason=reason):
                self.needs_person = reason
            case HangUp():
                self.hang_up = True
            case HandOver():
                self.hand_over = part


def _nobody(_: str) -> None:
    """Nobody wants to know what was heard of runs."""


@dataclass(frozen=True, slots=True)
class _Silence:
    """Instead of an item: none came in time."""


@dataclass(frozen=True, slots=True)
class _Tells:
    """In the queue of sentences: those before it tell what became of this run."""

    run_id: str


def _put(queue: "_Queue", sentences: Sequence[str]) -> None:
    for each in sentences:
        queue.put_nowait(each)


_Queue = asyncio.Queue[str | Working | _Tells | None]


async def _next(
    queue: _Queue, patience_s: float | None
) -> str | Working | _Tells | _Silence | None:
    try:
        async with asyncio.timeout(patience_s):
            return await queue.get()
    except TimeoutError:
        return _Silence()


class Mouth:
    """Speaks on one line. `pending` holds the pieces that were handed over and are not over."""

    def __init__(
        self,
        line: Line,
        synthesiser: Synthesiser,
        voices: VoiceCache,
        *,
        voice: str,
        language: str,
        on_told: Callable[[str], object] = _nobody,
        filler_after_s: float = FILLER_AFTER_S,
    ) -> None:
        """`on_told(run_id)`: the words that tell what became of a run were heard."""
        self._line = line
        self._synthesiser = synthesiser
        self._voices = voices
        self._voice = voice
        self._language = language
        self._numbers = count(1)
        self.pending: dict[str, str] = {}
        self._on_told = on_told
        self._filler_after_s = filler_after_s
        self._tells: dict[str, list[str]] = {}
        """Piece to the runs whose result is told once it was heard."""
        self._last_heard = ""
        self.holds_back = False
        """Whether fillers are left out: the caller is busy."""
        self.spoken_characters = 0
        """Text that the synthesiser was given for this call; kept audio costs nothing."""

    async def phrase(self, text: str, *, reply: int | None = None) -> str:
        """Speak a fixed sentence from the kept audio; returns its piece. Raises SpeechUnavailable.

        Text with nothing speakable in it is no piece: "". Without a `reply` it is one of its own.
        """
        spoken = speakable(text, self._language)
        if spoken is None:
            return ""
        audio = await self._voices.audio(spoken, voice=self._voice, language=self._language)
        piece = self._piece(text)
        number = self._line.new_reply() if reply is None else reply
        self._line.play(number, piece, audio, text=text)
        return piece

    def sound(self, audio: bytes) -> str:
        """Play mu-law audio that says nothing, such as a tone; returns its piece."""
        piece = self._piece("")
        self._line.play(self._line.new_reply(), piece, audio)
        return piece

    async def reply(
        self,
        parts: AsyncIterator[Part],
        *,
        if_nothing: str,
        fillers: Sequence[str] = (),
        watch: Stopwatch | None = None,
    ) -> Spoken:
        """Speak a reply as it comes; `if_nothing` when there is nothing speakable in it (HS2).

        While a task runs and nothing is said, `fillers` are spoken one after the other (CM5).
        Cancelling it stops brain and synthesiser. Raises SpeechUnavailable.
        """
        spoken = Spoken()
        queue: _Queue = asyncio.Queue()
        reply = self._line.new_reply()
        watch = watch or Stopwatch(self._line.now_ms)
        reading = asyncio.create_task(self._read(parts, queue, spoken, watch))
        patience_s, left, last = None, deque(fillers), ""
        try:
            while (item := await _next(queue, patience_s)) is not None:
                match item:
                    case str():
                        patience_s = None
                        piece = await self._sentence(reply, item, watch)
                        last = piece or last
                        spoken.said_anything |= bool(piece)
                    case _Tells(run_id=run_id):
                        self._tell(last, run_id)
                    case Working():
                        patience_s = self._filler_after_s
                    case _Silence() if self.pending or self.holds_back:
                        pass  # what was said before the task is still being heard
                    case _Silence():
                        patience_s = FILLER_AGAIN_S
                        if left:
                            await self.phrase(left.popleft(), reply=reply)
            await reading
        finally:
            reading.cancel()
        if not spoken.said_anything:
            await self._sentence(reply, if_nothing, watch)
        return spoken

    def over(self, piece: str, *, heard: bool) -> None:
        """The piece was played or dropped; `heard`: to its end."""
        self.pending.pop(piece, None)
        runs = self._tells.pop(piece, [])
        if heard:
            self._last_heard = piece
            for run_id in runs:
                self._on_told(run_id)

    def _tell(self, piece: str, run_id: str) -> None:
        """`piece` tells of the run; a short one may have been heard already."""
        if piece and piece in self.pending:
            self._tells.setdefault(piece, []).append(run_id)
        elif piece and piece == self._last_heard:
            self._on_told(run_id)

    async def _read(
        self, parts: AsyncIterator[Part], sentences: _Queue, spoken: Spoken, watch: Stopwatch
    ) -> None:
        cut = Sentences(self._language)
        try:
            async for part in parts:
                match part:
                    case Text(delta=delta):
                        watch.reached(Stage.TEXT, self._line.now_ms)
                        _put(sentences, cut.feed(delta))
                    case Working():
                        sentences.put_nowait(part)
                    case Told(run_id=run_id):
                        _put(sentences, cut.flush())
                        sentences.put_nowait(_Tells(run_id))
                    case _:
                        spoken.take(part)
            _put(sentences, cut.flush())
        finally:
            sentences.put_nowait(None)

    async def _sentence(self, reply: int, sentence: str, watch: Stopwatch) -> str:
        """Speak one sentence; its piece, or "" when nothing in it can be spoken."""
        text = speakable(sentence, self._language)
        if text is None:
            return ""
        piece = self._piece(sentence.strip())
        watch.piece = watch.piece or piece
        self.spoken_characters += len(text)
        speaking = self._synthesiser.speak(text, voice=self._voice, language=self._language)
        async for chunk in speaking:
            watch.reached(Stage.VOICE, self._line.now_ms)
            self._line.play(reply, piece, chunk, text=sentence.strip(), last=False)
        self._line.play(reply, piece, b"", text=sentence.strip(), last=True)
        return piece

    def _piece(self, text: str) -> str:
        piece = f"p{next(self._numbers)}"
        self.pending[piece] = text
        return piece
