"""A recording as it is drawn: how loud both sides are over its length, and where nobody speaks.

Reads the recorder's own files, minute by minute, so that four hours take no more memory than one
minute. Knows files; which one is the caller's business.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from offhook.media import FRAME, TICK_MS, codec
from offhook.media.recording import HEAD_BYTES

POINTS: Final = 2_000
"""At most so many bars a side: more than a wide screen has pixels for."""

QUIET: Final = 0.006
"""Of full scale, about -44 dBFS: a line's own noise, and breath."""

SILENCE_MS: Final = 1_000
"""Shorter pauses are speech."""

_SIDES: Final = 2
_MINUTE: Final = 60_000 // TICK_MS * FRAME * _SIDES
_LOUDNESS: Final = (
    np.abs(codec.decode_mulaw(np.arange(256, dtype=np.uint8)).astype(np.float32)) / 32768
)

_Levels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Waveform:
    """`caller` and `agent`: the loudest sample of each of as many equal stretches, 0..1.

    `silences` are where neither side speaks for a second or longer, in milliseconds.
    """

    length_ms: int
    caller: list[float]
    agent: list[float]
    silences: list[tuple[int, int]]


def draw(path: Path) -> Waveform:
    """Raises OSError."""
    levels = _levels(path)
    caller, agent = (_bars(levels[:, side]) for side in range(_SIDES))
    return Waveform(len(levels) * TICK_MS, caller, agent, _silences(levels))


def _levels(path: Path) -> _Levels:
    """The loudest sample of each tick: float32[ticks, 2], caller and agent, 0..1."""
    found: list[_Levels] = []
    with path.open("rb") as file:
        file.seek(HEAD_BYTES)
        while len(minute := _minute(file)):
            found.append(_LOUDNESS[minute].max(axis=1))
    return np.concatenate(found) if found else np.zeros((0, _SIDES), np.float32)


def _minute(file: BinaryIO) -> NDArray[np.uint8]:
    """Up to a minute of whole ticks: uint8[ticks, 160, 2]."""
    octets = np.frombuffer(file.read(_MINUTE), np.uint8)
    ticks = len(octets) // (FRAME * _SIDES)
    return octets[: ticks * FRAME * _SIDES].reshape(ticks, FRAME, _SIDES)


def _bars(levels: NDArray[np.float32]) -> list[float]:
    if not len(levels):
        return []
    count = min(POINTS, len(levels))
    starts = np.arange(count) * len(levels) // count
    return [round(each, 3) for each in np.maximum.reduceat(levels, starts).tolist()]


def _silences(levels: _Levels) -> list[tuple[int, int]]:
    quiet = np.concatenate([[False], (levels < QUIET).all(axis=1), [False]])
    edges = np.flatnonzero(quiet[1:] != quiet[:-1]) * TICK_MS
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, end) for start, end in spans if end - start >= SILENCE_MS]
