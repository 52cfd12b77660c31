"""The offline recogniser and synthesiser, in their processes, with real audio (C2, HS1, C9)."""

import asyncio
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from offhook.speech import LanguageUnsupported, Partial, SpeechUnavailable, VoiceCache, audio
from offhook.speech.offline_recogniser import OfflineRecogniser
from offhook.speech.offline_synthesiser import OfflineSynthesiser

SAID = "Yes, I would like to book a table for four people on Friday evening."
READINGS = 3
"""Of our own voice at most: it reads nothing twice alike, and one of many may be misheard."""


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower().replace("4", "four"))


def errors(said: str, heard: str) -> float:
    """Word error rate: edits over words said."""
    a, b = words(said), words(heard)
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1] / len(a)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - it is the other process that changes
            await asyncio.sleep(0.01)


def count(folder: Path) -> int:
    return len(list(folder.iterdir()))


@pytest_asyncio.fixture
async def recogniser(recogniser_socket: Path) -> AsyncIterator[OfflineRecogniser]:
    opened = OfflineRecogniser(recogniser_socket, capacity=1)
    await opened.start()
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def synthesiser(synthesiser_socket: Path) -> AsyncIterator[OfflineSynthesiser]:
    opened = OfflineSynthesiser(synthesiser_socket, capacity=1)
    yield opened
    await opened.close()


async def hear(recogniser: OfflineRecogniser, mulaw: bytes) -> str:
    hearing = recogniser.open()
    hearing.begin()
    hearing.feed(mulaw)
    heard = await hearing.finalise()
    await hearing.close()
    assert all(word.start_ms <= word.end_ms <= len(mulaw) // 8 for word in heard.words)
    return heard.text


async def is_heard(
    recogniser: OfflineRecogniser,
    synthesiser: OfflineSynthesiser,
    text: str,
    is_right: Callable[[str], bool],
    around: bytes = b"",
) -> bool:
    """Whether one of a few readings, with some quiet around it, is understood."""
    for _ in range(READINGS):
        spoken = b"".join([chunk async for chunk in synthesiser.speak(text)])
        if is_right(await hear(recogniser, around + spoken + around)):
            return True
    return False


@pytest.mark.parametrize("voice", ["rms", "slt"])
async def test_other_voices_are_understood(
    voice: str, recogniser: OfflineRecogniser, say: Callable[[str, str], bytes]
) -> None:
    assert errors(SAID, await hear(recogniser, say(SAID, voice))) <= 0.2


async def test_own_voice_is_understood_by_own_ears(
    recogniser: OfflineRecogniser, synthesiser: OfflineSynthesiser
) -> None:
    assert await is_heard(recogniser, synthesiser, SAID, lambda heard: errors(SAID, heard) <= 0.2)


async def test_real_thank_you_is_heard(
    recogniser: OfflineRecogniser, synthesiser: OfflineSynthesiser
) -> None:
    def is_right(heard: str) -> bool:
        return heard.lower().startswith("thank you")

    quiet = bytes([255]) * 4000
    assert await is_heard(recogniser, synthesiser, "Thank you.", is_right, quiet)


def _noises() -> dict[str, bytes]:
    random = np.random.default_rng(1)
    time_s = np.arange(32_000) / 8_000
    breath = np.zeros(32_000)
    breath[8_000:10_000] = random.normal(size=2_000) * np.hanning(2_000) * 0.05
    dtmf = 0.2 * np.sin(2 * np.pi * 697 * time_s) + 0.2 * np.sin(2 * np.pi * 1209 * time_s)
    hum = 10 ** (-35 / 20) * 2**0.5 * np.sin(2 * np.pi * 50 * time_s)
    pcm = {
        "hum": hum,
        "breath": breath,
        "dtmf": dtmf,
        "line noise": random.normal(size=32_000) * 10 ** (-50 / 20),
        "loud noise": random.normal(size=32_000) * 10 ** (-15 / 20),
    }
    narrow = {name: audio.to_mulaw(x.astype(np.float32)) for name, x in pcm.items()}
    return {"silence": b"\xff" * 32_000, "alternating": b"\x7f\xff" * 16_000, **narrow}


@pytest.mark.parametrize("noise", list(_noises()))
async def test_nobody_speaking_gives_no_words(noise: str, recogniser: OfflineRecogniser) -> None:
    """HS1."""
    assert await hear(recogniser, _noises()[noise]) == ""


async def test_partial_words_come_before_the_final(
    recogniser: OfflineRecogniser, say: Callable[[str, str], bytes]
) -> None:
    """C2; and a cancelled final leaves the turn as it was."""
    partials: list[Partial] = []
    got = asyncio.Event()

    def on_partial(partial: Partial) -> None:
        partials.append(partial)
        got.set()

    hearing = recogniser.open(on_partial=on_partial)
    await recogniser.ready(30)
    mulaw = say(SAID, "rms")
    hearing.feed(mulaw[:1600])
    hearing.begin()
    for start in range(1600, 16_000, 160):
        hearing.feed(mulaw[start : start + 160])
    await asyncio.wait_for(got.wait(), 30)
    early = asyncio.create_task(hearing.finalise())
    await asyncio.sleep(0)
    early.cancel()
    hearing.feed(mulaw[16_000:])
    heard = await hearing.finalise()
    await hearing.close()
    assert partials
    assert partials[0].text.lower().startswith("yes")
    assert errors(SAID, heard.text) <= 0.2


async def test_load_counts_open_hearings(recogniser: OfflineRecogniser) -> None:
    """C1: admission knows the capacity and the load."""
    await recogniser.ready(30)
    hearings = [recogniser.open() for _ in range(3)]
    await until(lambda: recogniser.load() == 3)
    for hearing in hearings:
        await hearing.close()
    assert recogniser.capacity() >= 1


async def test_cancelled_utterance_leaves_the_next_one_alone(
    synthesiser: OfflineSynthesiser,
) -> None:
    """CM2: nothing of the old reply after it."""
    speaking = synthesiser.speak("This is a long sentence about bread. " * 20)
    await anext(speaking)
    await speaking.aclose()
    chunks = [chunk async for chunk in synthesiser.speak("Yes.")]
    assert 0.2 < len(b"".join(chunks)) / 8_000 < 2.5
    await until(lambda: synthesiser.load() == 0)


async def test_unknown_language_is_refused(
    synthesiser: OfflineSynthesiser, recogniser: OfflineRecogniser
) -> None:
    with pytest.raises(LanguageUnsupported):
        await anext(synthesiser.speak("Hallo", language="de"))
    with pytest.raises(LanguageUnsupported):
        recogniser.open(language="de-AT")


async def test_greeting_is_kept_on_disk(synthesiser: OfflineSynthesiser, tmp_path: Path) -> None:
    cache = VoiceCache(synthesiser, tmp_path)
    first, second = await asyncio.gather(cache.audio("Hello."), cache.audio("Hello."))
    await synthesiser.close()
    assert first == second == await VoiceCache(synthesiser, tmp_path).audio("Hello.")
    assert count(tmp_path) == 1


async def test_client_that_sends_rubbish_disturbs_nobody(
    synthesiser: OfflineSynthesiser, synthesiser_socket: Path
) -> None:
    reader, writer = await asyncio.open_unix_connection(synthesiser_socket)
    writer.write(b"GET / HTTP/1.1\r\n\r\n" * 10)
    assert await asyncio.wait_for(reader.read(), 30)
    writer.close()
    await writer.wait_closed()
    assert [chunk async for chunk in synthesiser.speak("Yes.")]


async def test_killed_process_is_told_at_once_and_used_again_after_its_restart(
    run_folder: Path,
    start_process: Callable[[str, Path], subprocess.Popen[bytes]],
) -> None:
    """C9: a vendor that fails in mid-utterance."""
    socket = run_folder / "killed.sock"
    process = await asyncio.to_thread(start_process, "synthesiser", socket)
    synthesiser = OfflineSynthesiser(socket, capacity=1)
    speaking = synthesiser.speak("This is a long sentence about bread. " * 40)
    await anext(speaking)
    process.send_signal(signal.SIGKILL)
    killed_s = time.monotonic()
    process.wait(30)
    with pytest.raises(SpeechUnavailable):
        async for _ in speaking:
            pass
    assert time.monotonic() - killed_s < 5
    socket.unlink()
    process = await asyncio.to_thread(start_process, "synthesiser", socket)
    async with asyncio.timeout(20):
        await synthesiser.ready(30)
    assert [chunk async for chunk in synthesiser.speak("Yes.")]
    await synthesiser.close()
    process.terminate()
    assert process.wait(30) == 0


async def test_final_cancelled_as_its_answer_arrives_leaves_the_connection_alive(
    recogniser: OfflineRecogniser, say: Callable[[str, str], bytes]
) -> None:
    hearing = recogniser.open()
    await recogniser.ready(30)
    hearing.begin()
    hearing.feed(say("Yes.", "rms"))
    for turns in range(0, 40, 4):
        early = asyncio.create_task(hearing.finalise())
        for _ in range(turns):
            await asyncio.sleep(0)
        early.cancel()
    early = asyncio.create_task(hearing.finalise())
    for _ in range(3):
        await asyncio.sleep(0)
    early.cancel()
    recogniser._link._broken()  # pyright: ignore[reportPrivateUsage] - the instant cannot be timed
    assert await hearing.finalise()
    await hearing.close()
