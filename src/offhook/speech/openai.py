"""A recogniser and a synthesiser on any server that speaks OpenAI's audio API.

Sources: platform.openai.com/docs/api-reference/audio, createTranscription and createSpeech; many
local servers speak the same. A transcription is one request a turn: no partial words, and no times
within the turn. Time-outs and retries are those of a telephone call: 10 s; one retry for hearing,
two for speaking, and none once audio has been yielded.
"""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import numpy as np

from offhook.speech import audio
from offhook.speech.port import (
    Heard,
    Partial,
    SpeechRefused,
    SpeechTimeout,
    SpeechUnavailable,
)
from offhook.speech.turn import TurnAudio

TIMEOUT_S = 10.0
HEARING_TRIES = 2
SPEAKING_TRIES = 3
SILENT_DBFS = -55.0
_SPEECH_RATE = 24_000
_OUR_FAULT = range(400, 500)


class _Server:
    """One HTTP client for all calls, and its failures as those of port.py."""

    def __init__(self, base_url: str, key: str, capacity: int) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.client = httpx.AsyncClient(
            base_url=base_url.rstrip("/"), headers=headers, timeout=TIMEOUT_S
        )
        self.url = base_url
        self.capacity = capacity
        self.used = 0

    async def answered(self, response: httpx.Response) -> httpx.Response:
        """`response`, if it is a success. Raises SpeechRefused or SpeechUnavailable."""
        if response.is_success:
            return response
        body = (await response.aread())[:300].decode(errors="replace")
        sentence = f"The speech server {self.url} answered {response.status_code}: {body}"
        if response.status_code in _OUR_FAULT:
            raise SpeechRefused(sentence, remedy="Check OFFHOOK_SPEECH_API_KEY and the model name.")
        raise SpeechUnavailable(sentence)

    def failure(self, error: httpx.HTTPError | TimeoutError) -> SpeechUnavailable:
        if isinstance(error, httpx.TimeoutException | TimeoutError):
            return SpeechTimeout(f"The speech server {self.url} gave no answer in {TIMEOUT_S:g} s.")
        return SpeechUnavailable(f"The speech server {self.url} cannot be reached: {error}")


class OpenAiRecogniser:
    """See port.Recogniser for every promise."""

    def __init__(self, base_url: str, key: str, *, model: str = "", capacity: int) -> None:
        self._server = _Server(base_url, key, capacity)
        self._model = model or "whisper-1"

    async def start(self) -> None:
        """Nothing to connect: each request stands alone."""

    def open(
        self,
        *,
        language: str = "en",
        hints: Sequence[str] = (),
        on_partial: Callable[[Partial], None] | None = None,
    ) -> "OpenAiHearing":
        fields = {"model": self._model, "response_format": "json"}
        fields["language"] = language.split("-", maxsplit=1)[0].lower()
        if hints:
            fields["prompt"] = ", ".join(hints)
        return OpenAiHearing(self._server, fields)

    def capacity(self) -> int:
        return self._server.capacity

    def load(self) -> int:
        return self._server.used

    async def close(self) -> None:
        await self._server.client.aclose()


class OpenAiHearing:
    """See port.Hearing for every promise."""

    def __init__(self, server: _Server, fields: dict[str, str]) -> None:
        self._server = server
        self._fields = fields
        self._turn = TurnAudio()
        self._heard_until_ms = 0
        self._closed = False
        server.used += 1

    def feed(self, mulaw: bytes) -> None:
        self._turn.feed(mulaw)

    def begin(self, lead_ms: int = 300) -> None:
        self._turn.begin(lead_ms)

    async def finalise(self) -> Heard:
        start_ms, end_ms, mulaw = self._turn.start_ms, self._turn.end_ms, self._turn.audio()
        self._heard_until_ms = end_ms
        pcm = audio.from_mulaw(mulaw)
        if audio.dbfs(pcm) < SILENT_DBFS:
            return Heard("", start_ms, end_ms)  # silence would come back as "you" (HS1)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                text = await self._transcribe(_wav(pcm))
        except TimeoutError as error:
            raise self._server.failure(error) from error
        return Heard(text if any(map(str.isalnum, text)) else "", start_ms, end_ms)

    async def _transcribe(self, wav: bytes) -> str:
        for attempt in range(1, HEARING_TRIES + 1):
            try:
                files = {"file": ("turn.wav", wav, "audio/wav")}
                response = await self._server.client.post(
                    "/audio/transcriptions", data=self._fields, files=files
                )
                answer: Any = (await self._server.answered(response)).json()
                return str(answer["text"]).strip()
            except SpeechRefused:
                raise
            except (httpx.HTTPError, SpeechUnavailable) as error:
                if attempt == HEARING_TRIES:
                    failed = isinstance(error, httpx.HTTPError)
                    raise (self._server.failure(error) if failed else error) from error
            except (ValueError, KeyError, TypeError) as error:
                raise SpeechUnavailable(
                    f"The speech server {self._server.url} answered what is no transcription."
                ) from error
        raise AssertionError("the last attempt returns or raises")

    def end(self) -> None:
        self._turn.end(self._heard_until_ms or self._turn.end_ms)
        self._heard_until_ms = 0

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._server.used -= 1


class OpenAiSynthesiser:
    """See port.Synthesiser for every promise."""

    def __init__(self, base_url: str, key: str, *, model: str = "", capacity: int) -> None:
        self._server = _Server(base_url, key, capacity)
        self._model = model or "tts-1"

    @property
    def identity(self) -> str:
        return f"openai/{self._server.url}/{self._model}"

    async def start(self) -> None:
        """Nothing to connect: each request stands alone."""

    async def speak(
        self, text: str, *, voice: str = "", language: str = "en"
    ) -> AsyncIterator[bytes]:
        if not any(map(str.isalnum, text)):
            return
        wanted = {"model": self._model, "voice": voice or "alloy", "input": text}
        spoken = False
        self._server.used += 1
        try:
            for attempt in range(1, SPEAKING_TRIES + 1):
                try:
                    async for chunk in self._stream(wanted | {"response_format": "pcm"}):
                        spoken = True
                        yield chunk
                except SpeechRefused:
                    raise
                except (httpx.HTTPError, SpeechUnavailable) as error:
                    if spoken or attempt == SPEAKING_TRIES:
                        failed = isinstance(error, httpx.HTTPError)
                        raise (self._server.failure(error) if failed else error) from error
                else:
                    return
        finally:
            self._server.used -= 1

    async def _stream(self, wanted: dict[str, str]) -> AsyncIterator[bytes]:
        narrow = Narrowing(_SPEECH_RATE)
        async with self._server.client.stream("POST", "/audio/speech", json=wanted) as response:
            await self._server.answered(response)
            async for data in response.aiter_bytes():
                if chunk := narrow.feed(data):
                    yield chunk
        if chunk := narrow.flush():
            yield chunk

    def capacity(self) -> int:
        return self._server.capacity

    def load(self) -> int:
        return self._server.used

    async def close(self) -> None:
        await self._server.client.aclose()


class Narrowing:
    """PCM of 16 bits at a multiple of 8 kHz, in any pieces, to mu-law.

    Each piece is filtered with its neighbours' samples, so no seam is heard.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._step = rate // audio.RATE
        self._margin = 100 * self._step
        self._bytes = b""
        self._pcm: audio.Floats = np.zeros(self._margin, dtype=np.float32)

    def feed(self, data: bytes) -> bytes:
        self._bytes += data
        whole = len(self._bytes) // 2 * 2
        raw = np.frombuffer(self._bytes[:whole], dtype="<i2")
        samples: audio.Floats = (raw / 32_768).astype(np.float32)
        self._bytes = self._bytes[whole:]
        self._pcm = np.concatenate([self._pcm, samples])
        ready = (len(self._pcm) - 2 * self._margin) // self._step * self._step
        if ready <= 0:
            return b""
        wide: audio.Floats = self._pcm[: ready + 2 * self._margin]
        self._pcm = self._pcm[ready:]
        edge = self._margin // self._step
        return audio.to_mulaw(audio.resample(wide, self._rate, audio.RATE)[edge:-edge])

    def flush(self) -> bytes:
        return self.feed(bytes(2 * self._margin))


def _wav(pcm: audio.Floats) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(audio.RATE)
        writer.writeframes((np.clip(pcm, -1, 1) * 32_767).astype("<i2").tobytes())
    return file.getvalue()
