"""The stages of a reply, and the stopwatch that measures them. Pure; instants are the line's own
milliseconds, a multiple of its tick of 20.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Stage(StrEnum):
    """In the order in which they are reached."""

    DECIDED = "decided"
    WORDS = "words"
    TEXT = "text"
    VOICE = "voice"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a stage is called, and what happens in it."""

    name: str
    sentence: str


DEFINITIONS: Mapping[Stage, Definition] = {
    Stage.DECIDED: Definition(
        "Pause", "From the caller's last sound until it is clear that they have finished."
    ),
    Stage.WORDS: Definition("Recogniser", "Until the final words of the caller are known."),
    Stage.TEXT: Definition(
        "Model", "Until the first word of the reply; tasks that it waits for are in it."
    ),
    Stage.VOICE: Definition("Voice", "Until the first sample of the reply's voice is made."),
    Stage.SENT: Definition("Sending", "Until the first 20 ms are handed to the carrier."),
}
TOTAL = Definition(
    "Total",
    "From the caller's last sound to the first sound of the reply that leaves us. The way through"
    " the telephone network comes on top. A filler such as “One moment” is no reply.",
)
Times = Mapping[Stage, int]
"""Milliseconds since the end of what is answered; none is less than the one before."""


@dataclass(slots=True)
class Stopwatch:
    """One reply's. `ended_ms` is the end of what it answers, `piece` what it begins with."""

    ended_ms: int
    piece: str = ""
    _at: dict[Stage, int] = field(default_factory=dict[Stage, int])

    def reached(self, stage: Stage, at_ms: int) -> None:
        """The first time counts."""
        self._at.setdefault(stage, at_ms)

    def times(self) -> Times | None:
        """All of them; None while one is missing."""
        if len(self._at) < len(Stage):
            return None
        found: dict[Stage, int] = {}
        latest = 0
        for stage in Stage:  # words are often known before the pause is over
            latest = max(latest, self._at[stage] - self.ended_ms)
            found[stage] = latest
        return found


def spans(times: Times) -> dict[Stage, tuple[int, int]]:
    """Beginning and length of each stage, for a waterfall."""
    found: dict[Stage, tuple[int, int]] = {}
    before = 0
    for stage in Stage:
        found[stage] = (before, times[stage] - before)
        before = times[stage]
    return found
