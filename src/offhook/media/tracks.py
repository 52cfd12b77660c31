"""Gathers what both sides said, tick by tick, and hands half-second chunks to the recorder.

Matrices only; the files are the recorder's.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from offhook.media.options import FRAME
from offhook.media.recording import Recorder, Recording

_CHUNK_TICKS: Final = 25
"""0.5 s: with the write it is on disk well within the second that C3 asks for."""

_Rows = NDArray[np.intp]


class Tracks:
    """The growing recordings of all rows."""

    def __init__(self, capacity: int, recorder: Recorder) -> None:
        self._recorder = recorder
        self._recordings: dict[int, Recording] = {}
        self._rows: _Rows = np.zeros(0, np.intp)
        self._chunk = np.zeros((capacity, _CHUNK_TICKS, FRAME, 2), np.uint8)
        self._filled = np.zeros(capacity, np.intp)

    def begin(self, row: int, recording: Recording) -> None:
        """Record `row` from the next tick on."""
        self.end(row)
        self._recordings[row] = recording
        self._filled[row] = 0
        self._rows = np.array(sorted(self._recordings), np.intp)

    def end(self, row: int) -> bool:
        """Stop recording `row`; False when it was not recorded."""
        recording = self._recordings.pop(row, None)
        if recording is None:
            return False
        self._hand_over(row, recording)
        self._recorder.close(recording)
        self._rows = np.array(sorted(self._recordings), np.intp)
        return True

    def end_all(self) -> None:
        """Stop every recording."""
        for row in list(self._recordings):
            self.end(row)

    def step(self, tick: int, caller: NDArray[np.uint8], agent: NDArray[np.uint8]) -> None:
        """Add one tick. caller, agent: uint8[capacity, 160] mu-law, indexed by row."""
        rows = self._rows
        if not len(rows):
            return
        at = self._filled[rows]
        self._chunk[rows, at, :, 0] = caller[rows]
        self._chunk[rows, at, :, 1] = agent[rows]
        self._filled[rows] = at + 1
        # Rows hand over in different ticks, also when all were begun in the same one.
        due = (at + 1 == _CHUNK_TICKS) | ((tick + rows) % _CHUNK_TICKS == 0)
        for row in rows[due].tolist():
            self._hand_over(row, self._recordings[row])

    def _hand_over(self, row: int, recording: Recording) -> None:
        filled = int(self._filled[row])
        if filled:
            self._recorder.append(recording, self._chunk[row, :filled].tobytes())
            self._filled[row] = 0
