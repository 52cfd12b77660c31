"""The registry of kinds: what a task of each kind can do, and how (T2).

This room registers its own kinds; rooms above register theirs in app.join_rooms:

    tasks.register(Kind(
        name="text", title="Text to the caller", description="…", icon="message-square",
        config=TextConfig,                              # its settings, a pydantic model
        effect=lambda config: Effect.REACH_OUT,
        inside=send_text,                               # or outside=…, never both
    ))

`inside` runs in one transaction with the run's record: it happens once or not at all. `outside`
talks to another system, without a transaction; it is tried again only where `repeatable` says that
a second request under the same key is harmless, or where surely nothing was sent.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from offhook.db import Database, Session
from offhook.errors import NotFound
from offhook.mail import Mailer
from offhook.outgoing import Outgoing
from offhook.tasks.keypads import Keypads
from offhook.tasks.rules import Effect
from offhook.tasks.scope import CHANNELS, Scope
from offhook.tasks.toolbox import Input
from offhook.vault import Vault


class KindUnknown(NotFound):
    code = "task_kind_unknown"


@dataclass(frozen=True, slots=True)
class Order:
    """One run, as a kind sees it. `run_id` is its idempotency key, the same for every attempt."""

    run_id: str
    title: str
    scope: Scope
    config: Any
    """The kind's own settings, an instance of its `config`."""
    inputs: Mapping[str, Any]
    """Checked values: dates and times as ISO texts, numbers as numbers."""
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Done:
    """It happened. `answer` can be said; `data` is JSON, at most some kB, for the brain."""

    answer: str
    data: Any = None
    references: Mapping[str, str] = field(default_factory=dict[str, str])
    """Ids of what it made, for the event: `{"appointment_id": …}`."""
    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What was sent, without secrets, for the record."""
    response: str = ""


@dataclass(frozen=True, slots=True)
class NotDone:
    """It did not happen, or nobody knows. `reason` can be said.

    `sent`: something may have reached the other side. `passing`: another try may help.
    """

    reason: str
    code: str = "failed"
    sent: bool = True
    passing: bool = False
    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    response: str = ""


@dataclass(frozen=True, slots=True)
class PutThrough:
    """The conversation is to do it, when all was heard; it then calls `tasks.finish`."""

    target: str
    answer: str


Outcome = Done | NotDone | PutThrough


@dataclass(frozen=True, slots=True)
class Means:
    """What a kind that talks to other systems may use."""

    database: Database
    vault: Vault
    outgoing: Outgoing
    mailer: Mailer
    keypads: Keypads = field(default_factory=Keypads)


Inside = Callable[[Session, Order], Awaitable[Outcome]]
Outside = Callable[[Means, Order], Awaitable[Outcome]]
Examine = Callable[[Session, Order], Awaitable[Mapping[str, str]]]
"""Before the read-back: input name to a sentence that says why it cannot be ("" for none)."""


async def _nothing_against(_: Session, __: Order) -> Mapping[str, str]:
    return {}


Show = Callable[[Means, Order], Awaitable[Mapping[str, Any]]]
"""What would go out, without secrets, and without anything going out. Raises Problem, or
TemplateError where a value is missing.
"""


async def _inputs_shown(_: Means, order: Order) -> Mapping[str, Any]:
    return order.inputs


Choices = Callable[[Session, str], Awaitable[Mapping[str, Sequence[tuple[str, str]]]]]


async def _no_choices(_: Session, __: str) -> Mapping[str, Sequence[tuple[str, str]]]:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of task."""

    name: str
    title: str
    description: str
    icon: str
    config: type[BaseModel]
    effect: Callable[[Any], Effect]
    inside: Inside | None = None
    outside: Outside | None = None
    repeatable: Callable[[Any], bool] = lambda _: False
    inputs: Callable[[Any], Sequence[Input]] | None = None
    """The inputs that the kind itself asks for; None where each task defines its own."""
    examine: Examine = _nothing_against
    show: Show = _inputs_shown
    readback: Callable[[Order], str] | None = None
    """The sentence that is said before it runs, without "Is that right?"; None: from the inputs."""
    channels: Sequence[str] = CHANNELS
    live: bool = False
    """Makes sense in the running conversation alone: never taken up after its process died."""
    waits_s: float = 0.0
    """How long it may wait for the other side, beside the time-out of its request."""
    form: str = ""
    """The template of its settings on the task's page; without one the page is made from `config`:
    a field for each member, with its description.
    """
    choices: Choices = _no_choices
    """What a member of `config` may be in this team, for the page: member to value and text."""


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Have tasks of this kind from now on; once more is harmless."""
    if (kind.inside is None) == (kind.outside is None):
        raise ValueError(f"kind {kind.name} acts either inside or outside of the transaction")
    _kinds[kind.name] = kind


def kind(name: str) -> Kind:
    """Raises KindUnknown."""
    if name not in _kinds:
        raise KindUnknown(
            f"There is no kind of task “{name[:40]}”.", remedy=f"Use one of {', '.join(_kinds)}."
        )
    return _kinds[name]


def registered() -> Sequence[Kind]:
    """In the order of registration, which is that of the pages."""
    return tuple(_kinds.values())
