"""What answers: the port that a language model and the offline answerer both keep.

A conversation hands over a `Briefing` and reads `Part`s as they come. A brain has no database, no
carrier and no clock: knowledge is reached by the `search` that the briefing carries, and what was
said is what the other side heard or read, never what was only planned (C4). One contract test
(tests/agents/test_brain_contract.py) holds for every brain.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from offhook import costs
from offhook.agents.snapshot import Snapshot
from offhook.knowledge import Hit
from offhook.tasks import NoTasks, Toolbox


class Channel(StrEnum):
    CALL = "call"
    SMS = "sms"


class Speaker(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Said:
    """One turn as it was heard or delivered; a cut-off reply holds only its audible words."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said in another conversation with the same contact (P4), newest turns last."""

    channel: Channel
    at: datetime
    said: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Fillable:
    """An attribute of the contact that this agent fills from what is said (P3)."""

    key: str
    label: str
    type: str = "text"
    choices: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A person of the owner's list whom the caller can be put through to now."""

    target: str
    name: str

    @property
    def announcement(self) -> str:
        return f"One moment, I'll put you through to {self.name}."


class KnowledgeAway(Exception):  # noqa: N818 - not a defect: the agent says that it cannot look
    """The knowledge cannot be asked at the moment."""


Search = Callable[[str], Awaitable[Sequence[Hit]]]
"""A question in words to passages, best first, of this agent's knowledge as it is now. Raises
KnowledgeAway.
"""


def _forget(_: Sequence[costs.Used]) -> None:
    """Nobody asks what the reply cost: a playground, a test."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """All that a brain may know for one reply.

    `history` ends with the caller's turns to be answered: every turn after the agent's last one
    is unanswered, and one reply answers them all (S3). Without one, the reply is begun by news of
    `tools`. `now` is in the team's time zone.
    """

    team_id: str
    snapshot: Snapshot
    channel: Channel
    history: Sequence[Said]
    search: Search
    now: datetime | None = None
    contact_name: str = ""
    notes: Sequence[str] = field(default_factory=tuple[str, ...])
    """What the conversation wants known: `The caller pressed 2.`, `A minute is left.`"""
    tools: Toolbox = field(default_factory=NoTasks)
    fillable: Sequence[Fillable] = ()
    known: Mapping[str, str] = field(default_factory=dict[str, str])
    """Label to value of what is known about the contact. Their number proves nothing (SEC10)."""
    earlier: Sequence[Earlier] = ()
    """Other conversations of the contact, oldest first; none for who hides their number."""
    whispers: Sequence[str] = ()
    """What colleagues who listen in have told the agent alone, the newest last (I5)."""
    stand_in: StandIn | None = None
    """On a call: who takes it when a person is needed; without one that is noted only."""
    spent: Callable[[Sequence[costs.Used]], None] = _forget
    """Told once per reply what it used of a model, also when it was given up half-way."""

    @property
    def unanswered(self) -> list[str]:
        """The caller's turns since somebody last answered, oldest first."""
        texts: list[str] = []
        for said in reversed(self.history):
            if said.speaker is not Speaker.CALLER:
                break
            texts.append(said.text)
        return texts[::-1]


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the reply, in order; pieces join without a separator."""

    delta: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage that the reply rests on (K2)."""

    passage_id: str
    title: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call once all text so far has been heard (C6). Never sent for SMS."""


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """Somebody should look at this conversation; `reason` is a sentence for them."""

    reason: str


@dataclass(frozen=True, slots=True)
class Working:
    """A task may take its time from here to the next part: on a call, do not be silent."""


@dataclass(frozen=True, slots=True)
class Told:
    """The text so far tells what became of a run. Once it is heard, the toolbox is told so."""

    run_id: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """Put the call through to `target` once all text so far has been heard (C6). `run_id` is empty
    where no task asked for it, but the caller, for a person.
    """

    run_id: str
    target: str


@dataclass(frozen=True, slots=True)
class Learned:
    """The contact said this about themselves, in the last of the turns answered (P3)."""

    key: str
    value: str


Part = Text | Cited | HangUp | NeedsPerson | Working | Told | HandOver | Learned


class Brain(Protocol):
    """Answers one conversation turn at a time; safe to share between conversations."""

    def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        """Parts of one reply, streamed. There is always some text with a letter or digit.

        Closing the iterator (barge-in, superseded) stops the work behind it. A vendor's failure
        is not raised: the fallback answers, so the caller never hears silence (C9).
        """
        ...

    async def close(self) -> None:
        """Give back connections; the brain is not used after it."""
        ...
