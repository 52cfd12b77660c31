"""What is marked on a call's waveform: where something happened besides talking (I4). Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from offhook.calls.joining.taking_over import HANDED_BACK, TAKEN
from offhook.calls.transcript import KEYS
from offhook.calls.transfers.models import Transfer
from offhook.inbox import Speaker, Turn
from offhook.tasks import TaskRun

BY_HAND = frozenset({TAKEN, HANDED_BACK})


class MarkKind(StrEnum):
    INTERRUPTION = "interruption"
    KEYS = "keys"
    TASK = "task"
    TRANSFER = "transfer"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Mark:
    """One place in the recording, and what happened there in words."""

    kind: MarkKind
    at_ms: int
    label: str


Place = Callable[[datetime], int | None]
"""Where an instant lies in the recording; None outside it."""


def marks(
    turns: Iterable[Turn], runs: Iterable[TaskRun], transfers: Iterable[Transfer], place: Place
) -> list[Mark]:
    """Interruptions, keys, tasks, transfers and members' turns, in the order of time."""
    found = [*_of_turns(turns)]
    found += [
        (MarkKind.TASK, run.confirmed_at or run.proposed_at, f"Task: {run.title}") for run in runs
    ]
    found += [
        (MarkKind.TRANSFER, each.requested_at, f"Transfer to {each.name}") for each in transfers
    ]
    placed = [(kind, place(at), label) for kind, at, label in found]
    shown = [Mark(kind, at_ms, label) for kind, at_ms, label in placed if at_ms is not None]
    return sorted(shown, key=lambda mark: mark.at_ms)


def _of_turns(turns: Iterable[Turn]) -> Iterable[tuple[MarkKind, datetime, str]]:
    for turn in turns:
        if turn.speaker is Speaker.NOTICE and turn.status in BY_HAND:
            yield MarkKind.BY_HAND, turn.started_at, turn.text
        if turn.speaker is Speaker.AGENT and turn.status == "interrupted":
            yield (
                MarkKind.INTERRUPTION,
                turn.ended_at or turn.started_at,
                "The agent was interrupted",
            )
        if turn.status == KEYS:
            yield MarkKind.KEYS, turn.started_at, f"Keys: {turn.text}"
