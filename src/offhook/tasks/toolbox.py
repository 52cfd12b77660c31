"""What a brain may do besides speaking: the tasks of its agent, offered for one conversation.

A brain sees offers (a name, typed inputs, words by which people ask for it), never an address, a
secret or an id of somebody else; whom and what a task reaches is set by code (T4, SEC9). It
proposes a task with inputs; where the task has a side effect the other side must hear them and
say yes in a later turn, which code checks, not the brain (T1). Pure types; `tasks.open_toolbox`
gives the real one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class InputType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    """An amount, whatever the currency; what its task may come to is bounded (T4)."""
    BOOLEAN = "boolean"
    DATE = "date"
    """ISO 8601, `2026-05-14`."""
    TIME = "time"
    """ISO 8601, `14:30`, in the team's zone."""
    PHONE = "phone"
    """E.164."""
    EMAIL = "email"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Input:
    """One typed input. `question` asks for it: "For which day?"."""

    name: str
    type: InputType
    required: bool = True
    description: str = ""
    question: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    proof: bool = False
    """Something that only they know, checked by the other system: a second factor (SEC10)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A task as a brain may see it. `name` is a slug, fit for a tool's name."""

    task_id: str
    name: str
    title: str
    description: str = ""
    phrases: tuple[str, ...] = ()
    """Words by which people ask for it: "book a table", "make a reservation"."""
    inputs: tuple[Input, ...] = ()
    confirm: bool = True
    """Has a side effect: runs only after the inputs were read back and the other side said yes."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Some inputs are missing or unusable; what is good is kept. `ask` is the next to ask for."""

    offer: Offer
    inputs: Mapping[str, Any]
    ask: Input
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    """Input name to a sentence that can be said: "The 31st of June does not exist."."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Complete; `readback` is to be said, and the other side's next turn to be yes or no."""

    offer: Offer
    inputs: Mapping[str, Any]
    readback: str
    """"I would book a table for 4 people on Friday, 15 May at 19:00. Is that right?" It names an
    earlier run of the same task with the same inputs (T3)."""


@dataclass(frozen=True, slots=True)
class Completed:
    """It ran. `answer` can be said; `data` is what the other system answered, as data only."""

    offer: Offer
    run_id: str
    answer: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It was tried and failed, or its outcome is unknown; `reason` can be said (T3)."""

    offer: Offer
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not allowed here, a budget is used up, no yes was heard, no such task; `reason` says it."""

    reason: str


@dataclass(frozen=True, slots=True)
class HandingOver:
    """The call is to be put through to `target` once all that is being said was heard (C6).

    `run_id` is completed or failed by the conversation, when it is known what became of it.
    """

    offer: Offer
    run_id: str
    target: str
    answer: str


Step = Incomplete | Unconfirmed | Completed | Failed | Refused | HandingOver


@dataclass(frozen=True, slots=True)
class News:
    """A run that ended and whose result the other side does not know yet (CM5)."""

    step: Completed | Failed
    ended_at: datetime


class Toolbox(Protocol):
    """The tasks of one conversation, for one reply. All state is kept in the database.

    Closing or cancelling a reply never cancels a run that has begun: its result is `news` of the
    next reply. When a run ends, the topic `tasks:<conversation id>` is touched, so that whoever
    holds the conversation can begin a reply of its own accord.
    """

    @property
    def offers(self) -> Sequence[Offer]:
        """What this agent may do on this channel, in the order of its list (T4)."""
        ...

    async def current(self) -> Incomplete | Unconfirmed | None:
        """What was proposed in this conversation and neither ran nor was dropped."""
        ...

    async def running(self) -> Sequence[Offer]:
        """Tasks of this conversation that run now, whichever reply began them."""
        ...

    async def news(self) -> Sequence[News]:
        """Runs that are over and not yet `told`, oldest first; also those this reply ran."""
        ...

    async def told(self, run_ids: Sequence[str]) -> None:
        """The other side heard, or was sent, what became of these runs. Said by the conversation,
        which alone knows what was heard (CM1); never by a brain.
        """
        ...

    async def propose(self, task: str, inputs: Mapping[str, Any]) -> Step:
        """Give inputs (all, or some more) to a task, by id or name. Runs it at once when it is
        complete and needs no confirmation. Another task than `current` replaces that one.
        """
        ...

    async def confirm(self) -> Step:
        """Run what is Unconfirmed, if the turn to be answered came after the read-back and says
        yes; Refused otherwise.
        """
        ...

    async def drop(self) -> None:
        """Forget what was proposed: the other side does not want it."""
        ...


class NoTasks:
    """The toolbox of an agent without tasks. Implements `Toolbox`."""

    offers: Sequence[Offer] = ()

    async def current(self) -> Incomplete | Unconfirmed | None:
        return None

    async def running(self) -> Sequence[Offer]:
        return ()

    async def news(self) -> Sequence[News]:
        return ()

    async def told(self, run_ids: Sequence[str]) -> None:
        return None

    async def propose(self, task: str, inputs: Mapping[str, Any]) -> Step:
        return Refused("This agent has no tasks.")

    async def confirm(self) -> Step:
        return Refused("There is nothing to confirm.")

    async def drop(self) -> None:
        return None
