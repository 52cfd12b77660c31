"""What the engine tells its caller, and what it wants sent.

Everything leaves in one `Batch` a tick. `at_ms` and all other instants count from the opening of
the line, in the line's own audio time (a multiple of the tick, or of a voice window inside it).
"""

from dataclasses import dataclass, field
from pathlib import Path

LineId = str
"""The key under which the caller opened the line, for example the call's id."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of one piece of the agent's speech reached the caller's ear (C4, CM1, CM2)."""

    piece: str
    text: str
    heard_ms: int
    total_ms: int
    complete: bool
    start_ms: int | None
    """When its first frame sounded; None when none did."""

    @property
    def fraction(self) -> float:
        """Share of the piece's audio that was heard, 0..1."""
        return self.heard_ms / self.total_ms if self.total_ms else float(self.complete)

    @property
    def heard_text(self) -> str:
        """The words that were heard whole; a word that was cut off is not among them."""
        if self.complete:
            return self.text
        end = int(len(self.text) * self.fraction)
        if end >= len(self.text):
            return self.text
        return self.text[: self.text.rfind(" ", 0, end + 1) + 1].rstrip()


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened on a line."""

    line: LineId
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStarted(Event):
    """The caller probably speaks. Start a recogniser on the audio from `start_ms`.

    With `over_agent` the agent is still speaking, ducked: give partial words to `Line.words`;
    `BargeIn` or `Murmur` follows.
    """

    start_ms: int
    over_agent: bool


@dataclass(frozen=True, slots=True)
class SpeechPaused(Event):
    """The caller paused and may have finished: prepare the final words of start..end."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class SpeechResumed(Event):
    """The caller goes on within the same turn: what `SpeechPaused` prepared is stale."""

    start_ms: int


@dataclass(frozen=True, slots=True)
class TurnEnded(Event):
    """The caller finished a turn. `audio` is mu-law, 8 kHz, with a little before and after.

    Sound that a recogniser finds no words in is no turn: ignore it, play on.
    """

    start_ms: int
    end_ms: int
    voiced_ms: int
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BargeIn(Event):
    """The caller interrupted; the agent has been silenced and `clear` is in this batch.

    `heard` lists every piece that was not wholly heard before, in order.
    """

    heard: tuple[Heard, ...]


@dataclass(frozen=True, slots=True)
class Murmur(Event):
    """What was said over the agent's speech was no interruption; the agent goes on, no turn."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class PieceStarted(Event):
    """The first frame of a piece was handed to the carrier."""

    piece: str


@dataclass(frozen=True, slots=True)
class PiecePlayed(Event):
    """A piece is over. `confirmed` says that the carrier's mark came; otherwise the wait ended."""

    heard: Heard
    confirmed: bool


@dataclass(frozen=True, slots=True)
class PlayedOut(Event):
    """Nothing is left to play or to wait for: the agent is silent."""

    confirmed: bool


@dataclass(frozen=True, slots=True)
class Cleared(Event):
    """`Line.clear` has been done; `heard` as in `BargeIn`."""

    heard: tuple[Heard, ...]


@dataclass(frozen=True, slots=True)
class CallerSilent(Event):
    """Neither side spoke for `silent_ms`; `times` counts up until the caller speaks (C5)."""

    silent_ms: int
    times: int
    ever_spoke: bool


@dataclass(frozen=True, slots=True)
class RecordingStarted(Event):
    """The recording's first sample is the line's `at_ms`."""


@dataclass(frozen=True, slots=True)
class RecordingSaved(Event):
    """The recording is a finished, durable WAV at `path`; it may come after the line is closed."""

    path: Path


@dataclass(frozen=True, slots=True)
class RecordingFailed(Event):
    """The disk refused; the call goes on without a recording."""

    reason: str


@dataclass(frozen=True, slots=True)
class LineFailed(Event):
    """A defect of ours met on this line; the line is closed, the others go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class EngineFailed(Event):
    """The tick itself failed and has stopped: the process should end and be restarted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Send a mark of this name after the frames before it; give its echo to `Line.marked`."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Send a clear: the carrier drops what it has not played."""


Outgoing = bytes | Mark | Clear
"""Bytes are one 20 ms frame of 160 G.711 bytes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One tick's news: what to send, line by line and in order, then the events."""

    out: list[tuple[LineId, list[Outgoing]]]
    events: list[Event]
    heard: list[tuple[LineId, bytes]] = field(default_factory=list[tuple[LineId, bytes]])
    """20 ms of both sides of the lines that are listened to: mu-law, caller and agent in turn."""
