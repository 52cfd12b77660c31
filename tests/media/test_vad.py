"""Voice detection: the right shape, one thread, staggered rows that do not know each other."""

from pathlib import Path

import numpy as np
import pytest
from sounds import at_level, noise, silence, speech

from offhook.media.vad import Detector, Floats, Rows, Silero

QUESTION = speech("Hello, could you tell me whether you are open on Sunday?")


def frames(audio: bytes) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    whole = len(audio) // 160 * 160
    return np.frombuffer(audio[:whole], np.uint8).reshape(-1, 160)


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def edges(detector: Detector, audio: bytes, row: int = 0) -> list[tuple[int, bool]]:
    """Play `audio` to one row; give (instant, voiced) of each edge."""
    found: list[tuple[int, bool]] = []
    rows = np.array([row], np.intp)
    for number, frame in enumerate(frames(audio)):
        voices = detector.step(rows, frame[None])
        now = (number + 1) * 20
        found += [
            (now - int(ago_ms), bool(voiced))
            for ago_ms, voiced in zip(voices.ago_ms, voices.voiced, strict=True)
        ]
    return found


@pytest.mark.parametrize("samples", [256, 160, 512, 320, 287])
def test_windows_of_another_shape_are_refused(samples: int) -> None:
    """The network takes them without an error and hears nothing."""
    with pytest.raises(ValueError, match="not heard"):
        Silero(1).hear(np.array([0], np.intp), np.zeros((1, samples), np.float32))


def test_the_network_has_one_thread() -> None:
    """A pool would fight the tick for its core."""
    before = threads()
    silero = Silero(64)
    rows = np.arange(64, dtype=np.intp)
    for _ in range(20):
        silero.hear(rows, np.zeros((64, 288), np.float32))
    assert threads() == before


def test_finds_where_speech_begins_and_ends() -> None:
    detector = Detector(1)
    detector.open(0, -55)
    found = edges(detector, silence(500) + speech("Sunday", "rms") + silence(500))
    assert [voiced for _, voiced in found] == [True, False]
    assert abs(found[0][0] - 500) < 160
    assert abs(found[1][0] - 500 - len(speech("Sunday", "rms")) // 8) < 160


@pytest.mark.parametrize("dbfs", [-15, -25, -35, -45])
def test_quiet_callers_are_heard(dbfs: int) -> None:
    detector = Detector(1)
    detector.open(0, -55)
    assert edges(detector, silence(300) + at_level(QUESTION, dbfs) + silence(300))[0][1]


def test_what_is_below_the_floor_is_not_heard() -> None:
    detector = Detector(1)
    detector.open(0, -45)
    assert not edges(detector, at_level(QUESTION, -60))


def test_every_phase_hears_the_same() -> None:
    """Rows are staggered over eight phases; none may miss or repeat a sample."""
    starts: list[int] = []
    for row in range(8):
        detector = Detector(8)
        detector.open(row, -55)
        starts.append(edges(detector, silence(400) + QUESTION + silence(400), row)[0][0])
    assert max(starts) - min(starts) <= 96


class Counting(Silero):
    """Notes the size of each batch."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.heard: list[int] = []

    def hear(self, rows: Rows, windows: Floats) -> Floats:
        self.heard.append(len(rows))
        return super().hear(rows, windows)


def test_of_eight_rows_five_are_due_in_each_tick() -> None:
    detector, counting = Detector(16), Counting(16)
    detector._silero = counting  # pyright: ignore[reportPrivateUsage]  # to see the batches
    for row in range(16):
        detector.open(row, -55)
    rows = np.arange(16, dtype=np.intp)
    for _ in range(40):
        detector.step(rows, np.full((16, 160), 0xFF, np.uint8))
    assert set(counting.heard) == {10}


def test_rows_do_not_hear_each_other() -> None:
    """A batch gives each row what it gets alone."""
    both, alone = Detector(2), Detector(2)
    for row in range(2):
        both.open(row, -55)
    alone.open(0, -55)
    talk, hiss = frames(QUESTION), frames(noise(len(QUESTION) // 8, -30))
    for number in range(len(talk)):
        both.step(np.array([0, 1], np.intp), np.stack([talk[number], hiss[number]]))
        alone.step(np.array([0], np.intp), talk[number][None])
        assert abs(both.probability[0] - alone.probability[0]) < 1e-3
    assert both.probability[1] < 0.3


def test_a_row_that_is_opened_anew_has_forgotten_the_last_call() -> None:
    detector, fresh = Detector(1), Detector(1)
    detector.open(0, -55)
    edges(detector, QUESTION[: 1600 * 8])
    detector.open(0, -55)
    fresh.open(0, -55)
    rows = np.array([0], np.intp)
    for frame in frames(silence(400)):
        detector.step(rows, frame[None])
        fresh.step(rows, frame[None])
        assert detector.probability[0] == pytest.approx(fresh.probability[0], abs=1e-5)
    assert not detector.voiced[0]
