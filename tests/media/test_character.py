"""A voice, music, or nothing: by the sound alone (C5, HS1)."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sounds import RATE, at_level, mixed, mulaw, noise, silence, speech, tone

from offhook.media import Character, character

STORY = (
    "Hello, I would like to know whether you are open on Sunday morning, and whether I can order "
    "a birthday cake for twelve people, with strawberries and without nuts, please."
)
A4 = 440.0


def _note(hertz: float, ms: int, harmonics: int = 6) -> NDArray[np.float64]:
    """A plucked or bowed note: harmonics, a soft start, a slow decay."""
    time = np.arange(ms * 8) / RATE
    body = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, harmonics + 1))
    return np.asarray(body) * np.minimum(time * 40, 1) * np.exp(-time * 1.2)


def tune(ms: int, steps: tuple[int, ...], note_ms: int) -> bytes:
    """A melody over held chords, as waiting loops are made."""
    total = np.zeros(ms * 8)
    for at in range(0, ms - note_ms, note_ms):
        step = steps[at // note_ms % len(steps)]
        chunk = _note(A4 * 2 ** (step / 12), note_ms)
        total[at * 8 : at * 8 + len(chunk)] += 0.08 * chunk
    for at in range(0, ms - 1600, 1600):
        root = (-12, -5, -8, -3)[at // 1600 % 4]
        for third in (0, 4, 7):
            chunk = _note(A4 * 2 ** ((root + third) / 12), 1600)
            total[at * 8 : at * 8 + len(chunk)] += 0.05 * chunk
    return mulaw(total)


@pytest.mark.parametrize("voice", ["slt", "rms", "awb"])
@pytest.mark.parametrize("dbfs", [-18.0, -34.0])
def test_speech_is_a_voice(voice: str, dbfs: float) -> None:
    assert character(at_level(speech(STORY, voice), dbfs)) is Character.VOICE


def test_speech_with_a_noisy_line_is_a_voice() -> None:
    said = at_level(speech(STORY), -20)
    assert character(mixed(said, noise(len(said) // 8, -45))) is Character.VOICE


@pytest.mark.parametrize(
    "sound",
    [
        tune(12_000, (0, 4, 7, 12, 7, 4), 400),
        tune(12_000, (0, 2, 3, 7, 5, 3, 2), 250),
        tune(8_000, (0, 7), 800),
        tone(6_000, -20, 440.0),
        tone(6_000, -20, 440.0, 554.0, 659.0),
    ],
    ids=["arpeggio", "melody", "slow", "a tone", "a chord"],
)  # fmt: skip
def test_a_waiting_loop_is_music(sound: bytes) -> None:
    assert character(sound) is Character.MUSIC
    assert character(at_level(sound, -36)) is Character.MUSIC


@pytest.mark.parametrize("sound", [silence(6_000), noise(6_000, -62)], ids=["silence", "line"])
def test_a_line_without_a_sound_is_quiet(sound: bytes) -> None:
    assert character(sound) is Character.QUIET


def test_what_is_too_short_to_tell_passes_for_a_voice() -> None:
    assert character(tone(1_000, -20, 440.0)) is Character.VOICE
