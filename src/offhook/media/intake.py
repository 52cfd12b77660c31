"""The callers' audio on its way in: one ring per line, frames of any size in, 20 ms out.

One thread feeds a ring, one takes from it; only the feeder moves the write position, only the
taker the read position. What has not come in time is silence; what came in a burst is caught up
with in the pauses, so that no word is lost and the delay shrinks again.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from offhook.media import codec
from offhook.media.options import FRAME

_RING_FRAMES: Final = 204
_RING: Final = _RING_FRAMES * FRAME
"""4 s: a longer stall of the network loses its oldest part."""

_AHEAD_FRAMES: Final = 3
"""A line that is further behind its carrier than 60 ms skips quiet frames."""

_QUIET: Final = 100
"""Mean magnitude of 16 bits below which a frame may be skipped (about -48 dBFS)."""

_Rows = NDArray[np.intp]


class Intake:
    """All lines' rings. Positions count bytes since the row was opened."""

    def __init__(self, capacity: int) -> None:
        memory = bytearray(capacity * _RING)
        self._bytes = np.frombuffer(memory, np.uint8).reshape(capacity, _RING_FRAMES, FRAME)
        self._views = [memoryview(memory)[row * _RING :][:_RING] for row in range(capacity)]
        self._written = np.zeros(capacity, np.int64)
        self._read = np.zeros(capacity, np.int64)
        self.missing = np.zeros(capacity, np.int64)
        """Frames that were not there in time, per row."""

    def open(self, row: int) -> None:
        """Empty the ring of `row` for another call."""
        self._written[row] = self._read[row] = self.missing[row] = 0

    def feed(self, row: int, audio: bytes) -> None:
        """Append mu-law bytes of any length."""
        if len(audio) > _RING:
            audio = audio[-_RING:]
        written = int(self._written[row])
        at = written % _RING
        first = min(len(audio), _RING - at)
        view = self._views[row]
        view[at : at + first] = audio[:first]
        if first < len(audio):
            view[: len(audio) - first] = audio[first:]
        self._written[row] = written + len(audio)

    def take(self, rows: _Rows) -> NDArray[np.uint8]:
        """Give the next 20 ms of each row: uint8[rows, 160], silence where nothing came."""
        read = self._read[rows]
        behind = self._written[rows] - read
        if behind.max(initial=0) > _RING:
            lost = behind > _RING
            read[lost] = (self._written[rows[lost]] - _RING // 2) // FRAME * FRAME
        there = behind >= FRAME
        frames = self._bytes[rows, read // FRAME % _RING_FRAMES]
        if not there.all():
            frames[~there] = codec.SILENCE
            self.missing[rows[~there]] += 1
        self._read[rows] = read + np.where(there, FRAME, 0)
        late = behind > _AHEAD_FRAMES * FRAME
        if late.any():
            self._catch_up(rows[late], frames[late])
        return frames

    def _catch_up(self, rows: _Rows, frames: NDArray[np.uint8]) -> None:
        """Skip one more frame where this one and the next are quiet."""
        following = self._bytes[rows, self._read[rows] // FRAME % _RING_FRAMES]
        both = np.concatenate([frames, following], axis=1)
        quiet = np.abs(codec.decode_mulaw(both).astype(np.int32)).mean(axis=1) < _QUIET
        self._read[rows[quiet]] += FRAME

    def behind(self, row: int) -> int:
        """Bytes that wait in the ring of `row`."""
        return int(self._written[row] - self._read[row])
