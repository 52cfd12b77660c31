"""One agent's mouth: replies spoken sentence by sentence while they are still being written.

The brain's text, the synthesiser's audio and the line's play-out run side by side: while one
sentence sounds, the next is made. Knows the line and the synthesiser; knows no turn-taking.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import contextmanager
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
from offhook.media import Heard, Line
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


@dataclass(slots=True)
class _Piece:
    """One stretch of speech. `reply` is the line's number for it; None: it has none yet."""

    name: str
    text: str
    reply: int | None
    played: bool = False
    """Whether the line has it, and will tell when it is over."""


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
    """Speaks on one line."""

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
        self._pieces: dict[str, _Piece] = {}
        self._on_told = on_told
        self._filler_after_s = filler_after_s
        self._tells: dict[str, list[str]] = {}
        """Piece to the runs whose result is told once it was heard."""
        self._last_heard = ""
        self.holds_back = False
        """Whether fillers are left out: the caller is busy."""
        self.spoken_characters = 0
        """Text that the synthesiser was given for this call; kept audio costs nothing."""

    @property
    def is_speaking(self) -> bool:
        """Whether a piece was begun, be it only in the making, that is not over."""
        return bool(self._pieces)

    def text_of(self, piece: str) -> str:
        """What a piece that is not over says."""
        known = self._pieces.get(piece)
        return known.text if known is not None else ""

    @property
    def telling(self) -> set[str]:
        """The runs whose result is being told, and was not heard yet."""
        return {run_id for runs in self._tells.values() for run_id in runs}

    async def phrase(self, text: str, *, reply: int | None = None) -> str:
        """Speak a fixed sentence from the kept audio; returns its piece. Raises SpeechUnavailable.

        Text with nothing speakable in it is no piece: "". Without a `reply` it is one of its own.
        """
        spoken = speakable(text, self._language)
        if spoken is None:
            return ""
        with self._making(text, reply) as piece:
            audio = await self._voices.audio(spoken, voice=self._voice, language=self._language)
            number = self._line.new_reply() if reply is None else reply
            self._play(piece, number, audio, last=True)
        return piece.name

    def sound(self, audio: bytes) -> str:
        """Play mu-law audio that says nothing, such as a tone; returns its piece."""
        with self._making("", None) as piece:
            self._play(piece, self._line.new_reply(), audio, last=True)
        return piece.name

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
                    case _Silence() if self.is_speaking or self.holds_back:
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

    def cut_off(self, heard: Sequence[Heard]) -> None:
        """The line was cleared: with these pieces their replies are over, and so is what is still
        being made for those.
        """
        cleared = [self._pieces[each.piece] for each in heard if each.piece in self._pieces]
        last = max((piece.reply or 0 for piece in cleared), default=0)
        for each in heard:
            self.over(each.piece, heard=each.complete)
        for name, piece in list(self._pieces.items()):
            if piece.reply is not None and piece.reply <= last:
                self.over(name, heard=False)

    def over(self, piece: str, *, heard: bool) -> None:
        """The piece was played or dropped; `heard`: to its end."""
        self._pieces.pop(piece, None)
        runs = self._tells.pop(piece, [])
        if heard:
            self._last_heard = piece
            for run_id in runs:
                self._on_told(run_id)

    def _tell(self, piece: str, run_id: str) -> None:
        """`piece` tells of the run; a short one may have been heard already."""
        if piece and piece in self._pieces:
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
        with self._making(sentence.strip(), reply) as piece:
            watch.piece = watch.piece or piece.name
            self.spoken_characters += len(text)
            speaking = self._synthesiser.speak(text, voice=self._voice, language=self._language)
            async for chunk in speaking:
                watch.reached(Stage.VOICE, self._line.now_ms)
                self._play(piece, reply, chunk, last=False)
            self._play(piece, reply, b"", last=True)
        return piece.name

    def _play(self, piece: _Piece, reply: int, audio: bytes, *, last: bool) -> None:
        piece.reply, piece.played = reply, True
        self._line.play(reply, piece.name, audio, text=piece.text, last=last)

    @contextmanager
    def _making(self, text: str, reply: int | None) -> Generator[_Piece]:
        """A piece from now on; given up where it comes to nothing, for the line tells of none that
        it never had.
        """
        piece = _Piece(f"p{next(self._numbers)}", text, reply)
        self._pieces[piece.name] = piece
        try:
            yield piece
        finally:
            if not piece.played:
                self.over(piece.name, heard=False)
