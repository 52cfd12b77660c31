"""The media process's side of a check: says a sentence, and tells which words came back.

A line of the engine like a call's, with a mouth and an ear, and nothing else: no call, no brain, no
ledger. What was heard goes to the other side as the name of a mark.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from offhook import media
from offhook.calls.checking.loop import HEARD, SAID, SENTENCE
from offhook.calls.ear import Ear
from offhook.calls.mouth import Mouth
from offhook.calls.parts import Parts
from offhook.calls.stream import MediaStream, Talk
from offhook.carriers import streams
from offhook.speech import SpeechUnavailable

LONGEST_S = 30.0
OPTIONS = media.LineOptions(barge_in=False, check_in_ms=None, never_spoke_ms=None)
MAX_TOLD = 400


class Echo:
    """One check on one line."""

    def __init__(
        self, line: media.Line, stream: MediaStream, parts: Parts, start: streams.Start
    ) -> None:
        language = start.parameters.get("language", "en")
        self.stream = stream
        self._line = line
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ear = Ear(line, parts.recogniser, language=language, on_partial=lambda _: None)
        self._mouth = Mouth(
            line,
            parts.synthesiser,
            parts.voices,
            voice=start.parameters.get("voice", ""),
            language=language,
        )

    async def run(self) -> None:
        """Until the words were told, or the other side has gone."""
        talk = Talk(self._feed, self._line.marked, self._over.set, lambda _: None)
        self.stream.accept(talk)
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._mouth.phrase(SENTENCE)
                await self._over.wait()
        except (TimeoutError, SpeechUnavailable):
            pass  # the other side hears nothing, which is what it finds
        finally:
            self._line.close()
            await self._ear.close()
            self.stream.close()

    def on_event(self, event: media.Event) -> None:
        self._ear.on_event(event)
        match event:
            case media.TurnEnded():
                self._spawn(self._tell())
            case media.PlayedOut():
                self.stream.send([media.Mark(SAID)])
            case media.LineFailed():
                self._over.set()
            case _:
                pass

    def _feed(self, mulaw: bytes) -> None:
        self._line.feed(mulaw)
        self._ear.feed(mulaw)

    async def _tell(self) -> None:
        try:
            heard = (await self._ear.words()).text
        except SpeechUnavailable:
            heard = ""
        self.stream.send([media.Mark(f"{HEARD}{heard[:MAX_TOLD]}")])

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
