"""What a caller of the engine may set for one line, and the measures that hold for all.

Durations end in their unit. The defaults are the product's; an agent's snapshot overrides them.
"""

from dataclasses import dataclass
from typing import Final, Literal

SAMPLE_RATE: Final = 8000
TICK_MS: Final = 20
FRAME: Final = 160
"""Samples (and mu-law bytes) of one tick."""

BYTES_PER_MS: Final = 8


@dataclass(frozen=True, slots=True)
class LineOptions:
    """How one line listens and speaks. Frozen: pass a new one to `Line.configure`."""

    silence_ms: int = 600
    """Silence after speech that ends a turn when nothing is known about the words."""

    silence_complete_ms: int = 420
    """The same when the recogniser's words read like a finished sentence."""

    silence_incomplete_ms: int = 1200
    """The same when they break off ("my number is", "and", a comma, digits being dictated)."""

    pause_ms: int = 160
    """Silence after which `SpeechPaused` is posted, so that the final words can be prepared."""

    onset_ms: int = 96
    """Voice shorter than this is a click, a cough's tail, a bump: nothing is posted."""

    barge_in: bool = True
    """Whether the caller may interrupt (C4). Off for a notice that must be heard to its end."""

    interrupt_ms: int = 560
    """Voice over the agent's speech that interrupts it by its length alone; a murmur is shorter."""

    doubt_ms: int = 900
    """How long a short word over the agent's speech waits for the recogniser's verdict."""

    duck_gain: float = 0.25
    """Loudness of the agent while a caller probably speaks over it: 0.25 is -12 dB."""

    floor_dbfs: float = -55.0
    """Quieter than this is not heard as voice, whatever the detector says."""

    talkover_floor_dbfs: float = -45.0
    """The same while the agent speaks: its echo in the caller's microphone is quieter."""

    check_in_ms: int | None = 6000
    """Silence of both sides after which `CallerSilent` is posted (C5); None for never."""

    never_spoke_ms: int | None = 15000
    """The same for a caller who has not spoken at all (C5)."""

    lead_ms: int = 80
    """How far ahead of real time frames are handed to the carrier: small, so `clear` is instant."""

    mark_every_ms: int = 200
    """Distance of the marks that tell what has been heard."""

    mark_wait_ms: int = 3000
    """Wait for a mark beyond the audio's own length (C6)."""

    law: Literal["mulaw", "alaw"] = "mulaw"
    """G.711 variant of the carrier's frames, both ways."""
