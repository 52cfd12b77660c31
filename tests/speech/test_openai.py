"""The OpenAI-compatible recogniser and synthesiser against a local server of that protocol."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest
import pytest_asyncio

from offhook.speech import SpeechRefused, SpeechUnavailable, audio
from offhook.speech.openai import Narrowing, OpenAiRecogniser, OpenAiSynthesiser

TONE = (0.4 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000) * 32_767).astype("<i2")


def tone() -> bytes:
    pcm: audio.Floats = (TONE[::3] / 32_768).astype(np.float32)
    return audio.to_mulaw(pcm)


class Vendor:
    """Answers what the test says; remembers what it was asked."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.requests: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length")
        )
        self.requests.append(head + await reader.readexactly(length))
        status = self.statuses.pop(0) if self.statuses else 200
        hearing = b"/audio/transcriptions" in head
        body = json.dumps({"text": " Hello there. "}).encode() if hearing else TONE.tobytes()
        answer = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(answer.encode() + body)
        await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    made = Vendor()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield made
    server.close()


@pytest_asyncio.fixture
async def closing() -> AsyncIterator[list[Callable[[], Awaitable[None]]]]:
    closers: list[Callable[[], Awaitable[None]]] = []
    yield closers
    for close in closers:
        await close()


Closing = list[Callable[[], Awaitable[None]]]


async def test_turn_is_transcribed_with_language_and_hints(
    vendor: Vendor, closing: Closing
) -> None:
    recogniser = OpenAiRecogniser(vendor.url, "key", capacity=5)
    closing.append(recogniser.close)
    hearing = recogniser.open(language="de-AT", hints=["Krapfen"])
    assert recogniser.load() == 1
    hearing.begin()
    hearing.feed(tone())
    heard = await hearing.finalise()
    await hearing.close()
    assert heard.text == "Hello there."
    (request,) = vendor.requests
    assert b"Bearer key" in request
    assert all(part in request for part in (b"Krapfen", b"de", b"whisper-1", b"RIFF"))


async def test_silence_is_not_sent(vendor: Vendor, closing: Closing) -> None:
    """HS1."""
    recogniser = OpenAiRecogniser(vendor.url, "", capacity=5)
    closing.append(recogniser.close)
    hearing = recogniser.open()
    hearing.begin()
    hearing.feed(b"\xff" * 16_000)
    assert not await hearing.finalise()
    assert not vendor.requests


@pytest.mark.parametrize(
    ("statuses", "requests", "error"),
    [
        ([503], 2, None),
        ([503, 503], 2, SpeechUnavailable),
        ([401], 1, SpeechRefused),
        ([429], 1, SpeechRefused),
    ],
)
async def test_hearing_is_tried_twice_unless_refused(
    statuses: list[int],
    requests: int,
    error: type[Exception] | None,
    vendor: Vendor,
    closing: Closing,
) -> None:
    vendor.statuses = list(statuses)
    recogniser = OpenAiRecogniser(vendor.url, "", capacity=5)
    closing.append(recogniser.close)
    hearing = recogniser.open()
    hearing.begin()
    hearing.feed(tone())
    if error is None:
        assert await hearing.finalise()
    else:
        with pytest.raises(error):
            await hearing.finalise()
    assert len(vendor.requests) == requests


async def test_speech_comes_as_telephone_audio_after_a_failure(
    vendor: Vendor, closing: Closing
) -> None:
    vendor.statuses = [500, 502]
    synthesiser = OpenAiSynthesiser(vendor.url, "", capacity=5)
    closing.append(synthesiser.close)
    spoken = b"".join([chunk async for chunk in synthesiser.speak("Hello.")])
    assert len(spoken) == pytest.approx(8_000, abs=200)
    assert len(vendor.requests) == 3
    assert synthesiser.load() == 0


async def test_server_that_is_away_is_unavailable(closing: Closing) -> None:
    synthesiser = OpenAiSynthesiser("http://127.0.0.1:9/v1", "", capacity=5)
    closing.append(synthesiser.close)
    with pytest.raises(SpeechUnavailable):
        await anext(synthesiser.speak("Hello."))


@pytest.mark.parametrize("size", [1, 7, 960, 50_000])
def test_pieces_leave_no_seam(size: int) -> None:
    narrow, data = Narrowing(24_000), TONE.tobytes()
    spoken = b"".join(narrow.feed(data[i : i + size]) for i in range(0, len(data), size))
    spoken += narrow.flush()
    wanted = 0.4 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 8_000)
    pcm = audio.from_mulaw(spoken)
    offset = len(pcm) - len(wanted)
    assert abs(offset) <= 200
    found = min(
        float(np.abs(pcm[300 + k : 7_500 + k] - wanted[300:7_500]).max()) for k in range(120)
    )
    assert found < 0.03
