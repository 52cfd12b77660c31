"""What surrounds a conversation: its call, its stream, who follows it, how its line listens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from offhook import agents, media
from offhook.calls.manners.closing import MESSAGE_SILENCE_MS
from offhook.calls.manners.rules import Answers
from offhook.calls.service import Connected


class Stream(Protocol):
    """The carrier's side of the call, as far as a conversation touches it."""

    def close(self) -> None:
        """Close the media stream."""
        ...


class Watchers(Protocol):
    """Whoever follows the words of a live call."""

    def tell(self, speaker: str, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What the conversation is told about its surroundings when it begins."""

    call: Connected
    timezone: str
    contact_name: str
    hints: tuple[str, ...]
    records: bool
    notice: bool
    recording_path: Path
    masks: bool = False
    """Whether the team hides card and social security numbers (SEC20)."""
    said: Sequence[agents.Said] = ()
    """What was said before, on a call that is back from a transfer."""
    forward_to: str = ""
    """The transfer target of a call outside the hours."""
    whispers: Sequence[str] = ()
    """What members had told the agent before the present connection."""


def line_options(
    snapshot: agents.Snapshot,
    *,
    notice_first: bool = False,
    answers: Answers = Answers.AGENT,
) -> media.LineOptions:
    """How the line listens; a notice that must be heard cannot be interrupted, nor can what is said
    outside the hours.
    """
    options = snapshot.options
    listens = media.LineOptions(
        silence_ms=options.silence_ms,
        barge_in=options.interruptible and not notice_first,
        check_in_ms=options.check_in_s * 1000,
    )
    if answers is Answers.AGENT:
        return listens
    pause = MESSAGE_SILENCE_MS
    return replace(
        listens,
        barge_in=answers is Answers.MESSAGE and not notice_first,
        silence_ms=pause,
        silence_complete_ms=pause,
        silence_incomplete_ms=pause,
    )
