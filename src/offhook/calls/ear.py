"""One caller's ear: the engine's voice events and a recogniser's words put together.

The final words are asked for at the first pause, while the end of the turn is still being
confirmed, so that they are there when it is. Knows the line and the hearing; knows no reply.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from offhook.media import Event, Line, Murmur, SpeechPaused, SpeechResumed, SpeechStarted
from offhook.speech import Heard, Partial, Recogniser

LOOK_BACK_MS = 300  # soft beginnings of words lie before the voice was noticed


class Ear:
    """Listens to one line. `on_partial(text)` gets the words of the running turn so far."""

    def __init__(
        self,
        line: Line,
        recogniser: Recogniser,
        *,
        language: str,
        hints: Sequence[str] = (),
        on_partial: Callable[[str], None],
    ) -> None:
        self._line = line
        self._on_partial = on_partial
        self._hearing = recogniser.open(language=language, hints=hints, on_partial=self._partial)
        self._final: asyncio.Task[Heard] | None = None
        self._speaking_since: int | None = None
        self._understanding = 0
        self.listened_ms = 0
        """Audio whose words were asked for, each time that they were: what a vendor charges."""

    @property
    def speaking(self) -> bool:
        """Whether the caller speaks, or what they said is still being understood."""
        return self._speaking_since is not None or self._understanding > 0

    @property
    def speaking_since_ms(self) -> int | None:
        """Since when, on the line; None: nobody speaks."""
        return self._speaking_since

    def feed(self, mulaw: bytes) -> None:
        self._hearing.feed(mulaw)

    def on_event(self, event: Event) -> None:
        """Take what the engine tells of the caller's voice; the rest is passed over. After a
        `TurnEnded` its words are asked for by `words`.
        """
        match event:
            case SpeechStarted(start_ms=start_ms):
                self._speaking_since = start_ms
                self._begin()
            case SpeechPaused():
                self._prepare()
            case SpeechResumed():
                self._drop_final()
            case Murmur():  # no turn
                self._speaking_since = None
                self._drop_final()
                self._hearing.end()
            case _:
                pass

    def _prepare(self) -> None:
        """The caller may have finished: have the words ready."""
        self._drop_final()
        self._count()
        self._final = asyncio.create_task(self._hearing.finalise())

    async def words(self) -> Heard:
        """The words of the turn that has just ended. Raises SpeechUnavailable.

        Speech that began meanwhile belongs to the next turn and keeps its audio.
        """
        final, self._final = self._final, None
        if final is None:
            self._count()
        self._speaking_since = None
        self._understanding += 1
        try:
            return await (final or self._hearing.finalise())
        finally:
            self._understanding -= 1
            self._hearing.end()
            if self._speaking_since is not None:
                self._begin()

    async def close(self) -> None:
        self._drop_final()
        await self._hearing.close()

    def _count(self) -> None:
        if self._speaking_since is not None:
            self.listened_ms += self._line.now_ms - self._speaking_since + LOOK_BACK_MS

    def _begin(self) -> None:
        since = self._line.now_ms if self._speaking_since is None else self._speaking_since
        self._hearing.begin(lead_ms=self._line.now_ms - since + LOOK_BACK_MS)

    def _partial(self, partial: Partial) -> None:
        self._line.words(partial.text)
        self._on_partial(partial.text)

    def _drop_final(self) -> None:
        if self._final is not None:
            self._final.cancel()
            # A failure that nobody waits for any more is not an error of the call.
            self._final.add_done_callback(_ignore)
            self._final = None


def _ignore(task: asyncio.Task[Heard]) -> None:
    with suppress(asyncio.CancelledError):
        task.exception()
