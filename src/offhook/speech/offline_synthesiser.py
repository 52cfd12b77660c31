"""The built-in synthesiser: the client of synthesiser_process.py."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from offhook.speech import protocol
from offhook.speech.failures import problem
from offhook.speech.link import Answer, Link, Lost
from offhook.speech.port import SpeechTimeout

CONNECT_S = 1.0
FIRST_CHUNK_S = 10.0
NEXT_CHUNK_S = 10.0


class OfflineSynthesiser:
    """Speaks through the process at `socket`. See port.Synthesiser for every promise."""

    def __init__(self, socket: Path, *, capacity: int) -> None:
        self._link = Link(socket, name="synthesiser", capacity=capacity)

    @property
    def identity(self) -> str:
        return "piper/en_US-joe-medium/1"

    async def start(self) -> None:
        self._link.start()

    async def ready(self, timeout_s: float) -> None:
        """Waits for the process. Raises SpeechUnavailable after `timeout_s`."""
        await self._link.ready(timeout_s)

    def capacity(self) -> int:
        return self._link.load.capacity

    def load(self) -> int:
        return self._link.load.used

    async def close(self) -> None:
        await self._link.close()

    async def speak(
        self, text: str, *, voice: str = "", language: str = "en"
    ) -> AsyncGenerator[bytes, None]:
        if not any(character.isalnum() for character in text):
            return
        await self._link.ready(CONNECT_S)
        answers: asyncio.Queue[Answer] = asyncio.Queue()
        request = self._link.number()
        self._link.ask(request, protocol.Speak(request, text, voice, language), answers.put_nowait)
        finished = False
        try:
            async for chunk in self._chunks(answers):
                yield chunk
            finished = True
        finally:
            self._link.forget(request, cancel=not finished)

    async def _chunks(self, answers: asyncio.Queue[Answer]) -> AsyncIterator[bytes]:
        timeout_s = FIRST_CHUNK_S
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    answer = await answers.get()
            except TimeoutError:
                raise SpeechTimeout(
                    f"The synthesiser gave no audio for {timeout_s:g} s.",
                    remedy="Take fewer calls, or give the machine more cores.",
                ) from None
            if isinstance(answer, protocol.Spoken):
                yield answer.audio
            elif isinstance(answer, protocol.Done):
                return
            elif isinstance(answer, Lost):
                raise self._link.unavailable()
            elif isinstance(answer, protocol.Failed):
                raise problem(answer)
            timeout_s = NEXT_CHUNK_S
