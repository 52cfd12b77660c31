"""What a number's manners may be and what follows from them; pure, with time as an argument."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from offhook.bookings import Hours, is_open
from offhook.errors import Invalid

CALLER_LINES = 2  # calls of one caller at once (SEC12)
MAX_CALLER_LINES = 20
MAX_NUMBER_LINES = 1_000
MAX_CALLS_AN_HOUR = 1_000
MAX_SENTENCE_CHARACTERS = 400


class WhenClosed(StrEnum):
    """What happens to a call outside the hours."""

    SAY = "say"
    MESSAGE = "message"
    FORWARD = "forward"
    REFUSE = "refuse"


WHEN_CLOSED: Mapping[WhenClosed, str] = {
    WhenClosed.SAY: "Say a sentence, then hang up",
    WhenClosed.MESSAGE: "Take a message",
    WhenClosed.FORWARD: "Forward to a person",
    WhenClosed.REFUSE: "Do not answer",
}
"""The same in words."""


class Answers(StrEnum):
    """Who or what answers a call."""

    AGENT = "agent"
    SENTENCE = "sentence"
    """One sentence is said, then the call ends."""
    MESSAGE = "message"
    """The caller may leave a message, and a person is called for."""
    FORWARD = "forward"
    """The caller is put through to a person; where that fails, a message is taken."""


@dataclass(frozen=True, slots=True)
class Manners:
    """The manners of one number. Without `hours` it is always open."""

    hours: Hours | None = None
    when_closed: WhenClosed = WhenClosed.SAY
    closed_sentence: str = ""
    """Empty: a short sentence in the agent's language."""
    fallback_target_id: str | None = None
    """One of the team's transfer targets (SEC13)."""
    refuse_hidden: bool | None = None
    """None: as the team has it for all numbers (P5)."""
    refuse_failed: bool = False
    """Calls whose number the carriers found to be false (SEC10)."""
    max_calls_an_hour: int | None = None
    """Of one caller; more are a robot's."""
    caller_lines: int = CALLER_LINES
    number_lines: int | None = None
    says_ai: bool = False
    """The greeting begins by saying that a machine speaks (SEC17)."""


class MannersInvalid(Invalid):
    code = "call_manners_invalid"


def check(manners: Manners) -> Manners:
    """The same, tidied. Raises MannersInvalid naming every field at fault."""
    faults = {
        "caller_lines": _out_of(manners.caller_lines, MAX_CALLER_LINES),
        "number_lines": _out_of(manners.number_lines, MAX_NUMBER_LINES),
        "max_calls_an_hour": _out_of(manners.max_calls_an_hour, MAX_CALLS_AN_HOUR),
        "closed_sentence": _too_long(manners.closed_sentence),
        "fallback_target_id": _no_target(manners),
    }
    found = {field: sentence for field, sentence in faults.items() if sentence}
    if found:
        raise MannersInvalid(
            " ".join(found.values()),
            remedy="Change what is named; nothing was saved.",
            errors=[{"field": field, "sentence": each} for field, each in found.items()],
        )
    return manners


def _out_of(value: int | None, most: int) -> str:
    if value is None or 1 <= value <= most:
        return ""
    return f"It is a whole number from 1 to {most:,}, not {value:,}."


def _too_long(sentence: str) -> str:
    if len(sentence) <= MAX_SENTENCE_CHARACTERS:
        return ""
    return f"The sentence has {len(sentence)} characters; {MAX_SENTENCE_CHARACTERS} are allowed."


def _no_target(manners: Manners) -> str:
    forwards = manners.hours is not None and manners.when_closed is WhenClosed.FORWARD
    return (
        "Choose whom calls are forwarded to." if forwards and not manners.fallback_target_id else ""
    )


def answers(manners: Manners, instant: datetime, zone: ZoneInfo) -> Answers | None:
    """Who answers a call at `instant`; None: nobody, outside the hours."""
    if manners.hours is None or is_open(manners.hours, zone, instant):
        return Answers.AGENT
    return _CLOSED[manners.when_closed]


_CLOSED = {
    WhenClosed.SAY: Answers.SENTENCE,
    WhenClosed.MESSAGE: Answers.MESSAGE,
    WhenClosed.FORWARD: Answers.FORWARD,
    WhenClosed.REFUSE: None,
}
