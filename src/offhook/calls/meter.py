"""A live call, minute by minute (U4; after RFC 8506 credit control); pure.

The meter is told the time since the answer and what the ledger said, and says what is due: ask
for the next minute 20 s before it starts; when none is granted, tell the caller at once and hang up
2 s before the last granted minute ends, so that the carrier's clock never starts another one.

    due(now) -> Renew(index) | Notice(reason) | HangUp(reason) | None

A ledger that does not answer is asked once more after 5 s. Then a limited call ends with its
granted minute, for a reason of ours; an unlimited one may go on alone for a while (UL13).

Knows no ledger and no clock; times are milliseconds since the answer.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from offhook.calls.rules import MAX_ALONE_MINUTES, End

MINUTE_MS = 60_000
NOTICE_MS = 20_000
LIMITS = frozenset({End.LIMIT_REACHED, End.SPEND_CAP})
HANG_UP_MS = 2_000
RETRY_MS = 5_000
APOLOGY_MS = 10_000  # before the end, when it is our fault: the minute is used, not cut short


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
    """One call's credit. `limited` says whether the number has a limit at all (UL13).

    `alone` counts the minutes that were granted without the ledger and that it does not know yet.
    """

    limited: bool
    max_minutes: int
    granted: int = 1
    alone: int = 0
    phase: Phase = Phase.OPEN
    reason: End = End.LIMIT_REACHED
    _noticed: bool = field(default=False)
    _ask_again_ms: int = field(default=0)
    _failed_once: bool = field(default=False)
    _was_final: bool = field(default=False)

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
            return min(self.hang_up_ms, max(self.horizon_ms - NOTICE_MS, self._ask_again_ms))
        if self.phase is Phase.FINAL and not self._noticed:
            return min(self.hang_up_ms, self._notice_ms)
        return self.hang_up_ms

    @property
    def _notice_ms(self) -> int:
        ours = self.reason is End.LEDGER_AWAY
        return self.horizon_ms - (APOLOGY_MS if ours else NOTICE_MS)

    def due(self, now_ms: int) -> Due | None:
        """What is to be done at `now_ms`; asked often, answers each thing once."""
        if self.phase is Phase.OVER:
            return None
        if now_ms >= self.hang_up_ms:
            self.phase = Phase.OVER
            return HangUp(self.reason)
        if self.phase is Phase.FINAL and not self._noticed and now_ms >= self._notice_ms:
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
        self.phase, self._was_final = Phase.ASKING, False
        return Renew(self.granted)

    def on_granted(self, index: int) -> None:
        """The ledger reserved minute `index`; a call in its final unit goes on (UL9)."""
        if self.phase is Phase.OVER or index != self.granted:
            return
        self.alone = 0
        self._extend()

    def on_granted_alone(self) -> None:
        """The ledger is away, and the next minute is in our own journal instead (UL13)."""
        if self.phase is Phase.ASKING and self.may_go_on_alone:
            self.alone += 1
            self._extend()

    def _extend(self) -> None:
        self.granted += 1
        self.phase, self._noticed, self._failed_once = Phase.OPEN, False, False

    def on_denied(self, reason: End = End.LIMIT_REACHED) -> None:
        """No minute is left, by the number's limit or the team's spend cap: the final unit."""
        if self.phase is Phase.ASKING:
            self._noticed &= self.reason in LIMITS
            self.phase, self.reason = Phase.FINAL, reason

    @property
    def asks_once_more(self) -> bool:
        """Whether a ledger that does not answer now is given another chance."""
        return not self._failed_once and not self._was_final

    @property
    def may_go_on_alone(self) -> bool:
        """Whether the next minute may be granted without the ledger (UL13)."""
        return not self.limited and not self._was_final and self.alone < MAX_ALONE_MINUTES

    def on_unreachable(self, now_ms: int) -> None:
        """The ledger did not answer: asked again after 5 s, then the final unit begins (UL13)."""
        if self.phase is not Phase.ASKING:
            return
        if self.asks_once_more:
            self.phase, self._ask_again_ms = Phase.OPEN, now_ms + RETRY_MS
            self._failed_once = True
            return
        if not self._was_final:
            self.reason = End.LEDGER_AWAY
        self.phase = Phase.FINAL

    def ask_again(self) -> Renew | None:
        """The limit may have changed, or the ledger be back: ask once more for the minute that
        was not granted (UL9). A call whose caller was told of our fault is ending already.
        """
        told_of_fault = self.reason is End.LEDGER_AWAY and self._noticed
        if self.phase is not Phase.FINAL or told_of_fault:
            return None
        if self.reason is End.LONGEST_DURATION:
            return None
        self.phase, self._was_final = Phase.ASKING, True
        return Renew(self.granted)
