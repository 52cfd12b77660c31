"""Frames of any size in, 20 ms out; bursts caught up with in pauses, stalls bounded."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sounds import silence, speech, tone

from offhook.media.intake import Intake

ROW = np.array([0], np.intp)


def take(intake: Intake) -> bytes:
    return intake.take(ROW)[0].tobytes()


@given(st.lists(st.integers(1, 700), min_size=1, max_size=40))
def test_any_cutting_gives_the_same_audio(sizes: list[int]) -> None:
    intake = Intake(1)
    loud = tone(1000, -10, 440) * 10
    fed, got = 0, b""
    for size in sizes:
        intake.feed(0, loud[fed : fed + size])
        fed = min(fed + size, len(loud))
        while intake.behind(0) >= 160:
            got += take(intake)
    assert got == loud[: fed // 160 * 160]


def test_what_is_missing_is_silence_and_counted() -> None:
    intake = Intake(1)
    intake.feed(0, b"\x10" * 159)
    assert take(intake) == silence(20)
    assert intake.missing[0] == 1
    intake.feed(0, b"\x10")
    assert take(intake) == b"\x10" * 160


def test_a_burst_of_speech_is_kept_and_caught_up_with_in_the_pause() -> None:
    """After a stall of the network no word is lost and the delay shrinks again."""
    intake = Intake(1)
    words = speech("Sunday", "rms")
    intake.feed(0, words)
    got = b"".join(take(intake) for _ in range(len(words) // 160))
    loud = sum(byte not in range(0x60, 0x80) and byte < 0xE0 for byte in words)
    assert sum(byte not in range(0x60, 0x80) and byte < 0xE0 for byte in got) >= loud * 0.97
    for _ in range(25):
        intake.feed(0, silence(20))
    waiting = intake.behind(0)
    for _ in range(40):
        intake.feed(0, silence(20))
        take(intake)
    assert intake.behind(0) < waiting
    assert intake.behind(0) <= 6 * 160


def test_more_than_the_ring_holds_loses_the_oldest() -> None:
    intake = Intake(1)
    for second in range(10):
        intake.feed(0, bytes([second + 1]) * 8000)
    got = {take(intake)[0] for _ in range(60)}
    assert 1 not in got
    assert got <= {8, 9, 10}


def test_one_huge_piece_is_bounded() -> None:
    """SEC26 bounds a frame long before; the ring bounds it again."""
    intake = Intake(1)
    intake.feed(0, b"\x20" * 1_000_000)
    assert take(intake) == b"\x20" * 160


def test_a_reopened_row_is_empty() -> None:
    intake = Intake(1)
    intake.feed(0, b"\x10" * 1600)
    intake.open(0)
    assert take(intake) == silence(20)
