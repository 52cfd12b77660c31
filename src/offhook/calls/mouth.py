"""One agent's mouth: replies spoken sentence by sentence while they are still being written.

The brain's text, the synthesiser's audio and the line's play-out run side by side: while one
sentence sounds, the next is made. Knows the line and the synthesiser; knows no turn-taking.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

from offhook.agents import Cited, HandOver, HangUp, NeedsPerson, Part, Text
from offhook.media import Line
from offhook.speech import Sentences, Synthesiser, VoiceCache, speakable


@dataclass(slots=True)
class Spoken:
    """What a reply came to, besides its words."""

    citations: list[Cited] = field(default_factory=list[Cited])
    hang_up: bool = False
    hand_over: HandOver | None = None
    needs_person: str = ""
    said_anything: bool = False


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
    ) -> None:
        self._line = line
        self._synthesiser = synthesiser
        self._voices = voices
        self._voice = voice
        self._language = language
        self._numbers = count(1)
        self.pending: dict[str, str] = {}
        self.spoken_characters = 0
        """Text that the synthesiser was given for this call; kept audio costs nothing."""

    async def phrase(self, text: str) -> str:
        """Speak a fixed sentence from the kept audio; returns its piece. Raises SpeechUnavailable.

        Text with nothing speakable in it is no piece: "".
        """
        spoken = speakable(text, self._language)
        if spoken is None:
            return ""
        audio = await self._voices.audio(spoken, voice=self._voice, language=self._language)
        piece = self._piece(text)
        self._line.play(self._line.new_reply(), piece, audio, text=text)
        return piece

    async def reply(self, parts: AsyncIterator[Part], *, if_nothing: str) -> Spoken:
        """Speak a reply as it comes; `if_nothing` when there is nothing speakable in it (HS2).

        Cancelling it stops brain and synthesiser. Raises SpeechUnavailable.
        """
        spoken = Spoken()
        sentences: asyncio.Queue[str | None] = asyncio.Queue()
        reply = self._line.new_reply()
        reading = asyncio.create_task(self._read(parts, sentences, spoken))
        try:
            while (sentence := await sentences.get()) is not None:
                spoken.said_anything |= await self._sentence(reply, sentence)
            await reading
        finally:
            reading.cancel()
        if not spoken.said_anything:
            await self._sentence(reply, if_nothing)
        return spoken

    def over(self, piece: str) -> None:
        """The piece was played or dropped."""
        self.pending.pop(piece, None)

    async def _read(
        self, parts: AsyncIterator[Part], sentences: asyncio.Queue[str | None], spoken: Spoken
    ) -> None:
        cut = Sentences(self._language)
        try:
            async for part in parts:
                match part:
                    case Text(delta=delta):
                        for sentence in cut.feed(delta):
                            sentences.put_nowait(sentence)
                    case Cited():
                        spoken.citations.append(part)
                    case HangUp():
                        spoken.hang_up = True
                    case HandOver():
                        spoken.hand_over = part
                    case NeedsPerson(reason=reason):
                        spoken.needs_person = reason
            for sentence in cut.flush():
                sentences.put_nowait(sentence)
        finally:
            sentences.put_nowait(None)

    async def _sentence(self, reply: int, sentence: str) -> bool:
        """Speak one sentence; False when nothing in it can be spoken."""
        text = speakable(sentence, self._language)
        if text is None:
            return False
        piece = self._piece(sentence.strip())
        self.spoken_characters += len(text)
        speaking = self._synthesiser.speak(text, voice=self._voice, language=self._language)
        async for chunk in speaking:
            self._line.play(reply, piece, chunk, text=sentence.strip(), last=False)
        self._line.play(reply, piece, b"", text=sentence.strip(), last=True)
        return True

    def _piece(self, text: str) -> str:
        piece = f"p{next(self._numbers)}"
        self.pending[piece] = text
        return piece
