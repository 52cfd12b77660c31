"""A live call, minute by minute (U4; after RFC 8506 credit control); pure.

The meter is told the time since the answer and what the ledger said, and says what is due: ask
for the next minute 20 s before it starts; when none is granted, tell the caller at once and hang up
2 s before the last granted minute ends, so that the carrier's clock never starts another one.

    due(now) -> Renew(index) | Notice(reason) | HangUp(reason) | None

Knows no ledger and no clock; times are milliseconds since the answer.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from offhook.calls.rules import End

MINUTE_MS = 60_000
NOTICE_MS = 20_000
HANG_UP_MS = 2_000
RETRY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Renew:
    """Ask the ledger for minute `index` (0 is the first)."""

    index: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell the caller that the call is about to end; once per final unit."""

    reason: End


@dataclass(frozen=True, slots=True)
class HangUp:
    """End now: nothing may be said past this instant."""

    reason: End


Due = Renew | Notice | HangUp


class Phase(StrEnum):
    OPEN = "open"
    ASKING = "asking"
    FINAL = "final"
    OVER = "over"


@dataclass(slots=True)
class Meter:
    """One call's credit. `limited` says whether the number has a limit at all (UL13)."""

    limited: bool
    max_minutes: int
    granted: int = 1
    phase: Phase = Phase.OPEN
    reason: End = End.LIMIT_REACHED
    _noticed: bool = field(default=False)
    _ask_again_ms: int = field(default=0)

    @property
    def horizon_ms(self) -> int:
        """The end of the last granted minute."""
        return self.granted * MINUTE_MS

    @property
    def hang_up_ms(self) -> int:
        """The last instant at which something may be heard."""
        return self.horizon_ms - HANG_UP_MS

    @property
    def next_ms(self) -> int:
        """When `due` may have something to say again, unless the ledger answers before."""
        if self.phase is Phase.OPEN:
            return max(self.horizon_ms - NOTICE_MS, self._ask_again_ms)
        return self.hang_up_ms

    def due(self, now_ms: int) -> Due | None:
        """What is to be done at `now_ms`; asked often, answers each thing once."""
        if self.phase is Phase.OVER:
            return None
        if now_ms >= self.hang_up_ms:
            self.phase = Phase.OVER
            return HangUp(self.reason)
        if self.phase is Phase.FINAL and not self._noticed:
            self._noticed = True
            return Notice(self.reason)
        near_the_end = now_ms >= self.horizon_ms - NOTICE_MS
        if self.phase is Phase.OPEN and near_the_end and now_ms >= self._ask_again_ms:
            return self._next_minute()
        return None

    def _next_minute(self) -> Due:
        if self.granted >= self.max_minutes:
            self.phase, self.reason, self._noticed = Phase.FINAL, End.LONGEST_DURATION, True
            return Notice(self.reason)
        self.phase = Phase.ASKING
        return Renew(self.granted)

    def on_granted(self, index: int) -> None:
        """The ledger reserved minute `index`; a call in its final unit goes on (UL9)."""
        if self.phase is Phase.OVER or index != self.granted:
            return
        self.granted = index + 1
        self.phase, self._noticed = Phase.OPEN, False

    def on_denied(self) -> None:
        """No minute is left: the final unit begins."""
        if self.phase is Phase.ASKING:
            self.phase, self.reason = Phase.FINAL, End.LIMIT_REACHED

    def on_unreachable(self, now_ms: int) -> None:
        """The ledger did not answer: asked again after 5 s; until then nothing is granted."""
        if self.phase is Phase.ASKING:
            self.phase, self._ask_again_ms = Phase.OPEN, now_ms + RETRY_MS

    def ask_again(self) -> Renew | None:
        """The limit may have changed: ask once more for the minute that was denied (UL9)."""
        if self.phase is Phase.FINAL and self.reason is End.LIMIT_REACHED:
            self.phase = Phase.ASKING
            return Renew(self.granted)
        return None
