"""How punctual the tick is: lateness and busy time of the last minutes, as percentiles."""

from dataclasses import dataclass
from typing import Final

import numpy as np

_KEPT: Final = 8192
"""Ticks remembered: 164 s."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds; lateness is from a tick's due time until its frames were handed over."""

    ticks: int
    skipped: int
    lateness_p50_ms: float
    lateness_p99_ms: float
    lateness_max_ms: float
    busy_p50_ms: float
    busy_p99_ms: float
    busy_share: float
    """Share of real time in which the tick was at work: the engine's part of a core."""


class Pacer:
    """Collects; written by the tick thread, read by any."""

    def __init__(self) -> None:
        self._late = np.zeros(_KEPT, np.float32)
        self._busy = np.zeros(_KEPT, np.float32)
        self.ticks = 0
        self.skipped = 0

    def note(self, late_ms: float, busy_ms: float) -> None:
        """Remember one tick."""
        at = self.ticks % _KEPT
        self._late[at] = late_ms
        self._busy[at] = busy_ms
        self.ticks += 1

    def reset(self) -> None:
        """Forget, for example after a warm-up."""
        self.ticks = self.skipped = 0

    def pace(self, tick_ms: int) -> Pace:
        """Sum up."""
        count = min(self.ticks, _KEPT)
        if not count:
            return Pace(0, self.skipped, 0, 0, 0, 0, 0, 0)
        late, busy = self._late[:count], self._busy[:count]
        return Pace(
            ticks=self.ticks,
            skipped=self.skipped,
            lateness_p50_ms=float(np.percentile(late, 50)),
            lateness_p99_ms=float(np.percentile(late, 99)),
            lateness_max_ms=float(late.max()),
            busy_p50_ms=float(np.percentile(busy, 50)),
            busy_p99_ms=float(np.percentile(busy, 99)),
            busy_share=float(busy.mean()) / tick_ms,
        )
