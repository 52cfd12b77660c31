"""What fills a stretch of telephone audio: a voice, music, or hardly anything (C5).

Speech is syllables and gaps: between them the level falls far, and what sounds changes within a
moment. Music goes on: few gaps, and notes that stand. Both are measured on frames of
20 ms, after Scheirer & Slaney, "Construction and evaluation of a robust multifeature speech/music
discriminator" (1997). Pure; of longer audio the spectra are those of a sample, so that it never
takes an event loop more than a few milliseconds.
"""

from enum import StrEnum
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from offhook.media.codec import decode_mulaw_float
from offhook.media.options import FRAME

SHORTEST_MS: Final = 3000
"""Less than this tells nothing: a vowel may stand for a second."""

_SAMPLES_PER_MS: Final = 8
_QUIET_DB: Final = -50.0
"""A stretch whose louder frames stay below this is a line on which nobody makes a sound."""
_GAP_DB: Final = 15.0
"""A frame this far below the loud ones is a gap between syllables or words."""
_SPEECH_GAPS: Final = 0.14
_LAG_FRAMES: Final = 3
_STANDING: Final = 0.745
_MOST_PAIRS: Final = 240
"""Spectra that are compared; they are spread evenly over the stretch."""
_BANDS: Final = slice(4, 108)  # 125 to 3,375 Hz: what a telephone carries
_TINY: Final = 1e-10


class Character(StrEnum):
    QUIET = "quiet"
    VOICE = "voice"
    MUSIC = "music"
    """Also a tone, or any sound that goes on without the gaps of speech."""


def character(mulaw: bytes) -> Character:
    """What fills `mulaw` (8 kHz); a stretch too short to tell passes for a voice."""
    if len(mulaw) < SHORTEST_MS * _SAMPLES_PER_MS:
        return Character.VOICE
    frames = _frames(mulaw)
    level: NDArray[np.float32] = 10 * np.log10(np.mean(frames**2, axis=1) + _TINY)
    loud = float(np.percentile(level, 90))
    if loud < _QUIET_DB:
        return Character.QUIET
    gaps = float(np.mean(level < loud - _GAP_DB))
    if gaps >= _SPEECH_GAPS:
        return Character.VOICE
    return Character.MUSIC if _stands(frames, level > loud - _GAP_DB) else Character.VOICE


def _frames(mulaw: bytes) -> NDArray[np.float32]:
    """float32[frames, 160]."""
    whole = len(mulaw) // FRAME * FRAME
    return decode_mulaw_float(np.frombuffer(mulaw[:whole], np.uint8)).reshape(-1, FRAME)


def _stands(frames: NDArray[np.float32], sounding: NDArray[np.bool_]) -> bool:
    """Whether the spectrum of a sounding frame is much the same 60 ms later."""
    windows = sliding_window_view(frames.reshape(-1), 256)[::FRAME]
    pairs = len(windows) - _LAG_FRAMES
    both = sounding[:pairs] & sounding[_LAG_FRAMES : _LAG_FRAMES + pairs]
    at = np.flatnonzero(both)
    if not len(at):
        return False
    if len(at) > _MOST_PAIRS:
        at = at[np.linspace(0, len(at) - 1, _MOST_PAIRS).astype(np.intp)]
    now, later = _spectra(windows[at]), _spectra(windows[at + _LAG_FRAMES])
    return float((now * later).sum(axis=1).mean()) > _STANDING


def _spectra(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    """float64[windows, bands]: the logarithms, without their mean, of length 1."""
    spectra = np.log(np.abs(np.fft.rfft(windows * np.hanning(256), axis=1))[:, _BANDS] + 1e-4)
    spectra -= spectra.mean(axis=1, keepdims=True)
    return spectra / (np.linalg.norm(spectra, axis=1, keepdims=True) + _TINY)
