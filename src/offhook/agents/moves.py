"""What the other side's turn means for a task: the moves of a dialogue that fills it. Pure.

    nothing proposed   a wish begins a task, with all inputs that it already names
    incomplete         an answer, several at once, a correction; a question in between; another
                       wish; never mind
    unconfirmed        yes; no, with or without what is to be changed; a question in between

errands.py carries the moves out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from offhook.agents import filling, questions, smalltalk, tongues, wishes
from offhook.agents.smalltalk import Talk
from offhook.knowledge import fold, stem
from offhook.tasks import Incomplete, Input, InputType, Offer, Unconfirmed, affirms

_PROPOSES = re.compile(
    r"\b(?:can|could|may) (?:we|i|you) (?:do|have|make|change|come|take|say|get)\b"
    r"|\b(?:is|are|would) .{0,25}\b(?:ok|okay|free|possible|available|good|work)\b"
    r"|\b(?:how|what) about\b|\bmake it\b|\binstead\b"
    r"|\bdo you have (?:anything|something|a table|space|time)\b"
)
FEW_WORDS = 6
_SAME = frozenset({Talk.REPEAT, Talk.ASKED_WHAT, Talk.THERE, Talk.EMPTY, Talk.HELLO})


@dataclass(frozen=True, slots=True)
class Propose:
    """Begin a task, or give it more; `problems` are of what was said and cannot be used."""

    offer: Offer
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Confirm:
    """Run it."""


@dataclass(frozen=True, slots=True)
class Drop:
    """It is no longer wanted. `silent`: something else is answered in the same reply."""

    silent: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for one input, or, without one, for what is to be changed."""

    input: Input | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Say the question or the read-back once more. `unclear`: the answer was not understood."""

    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Aside:
    """Something else was asked in between: answer it, then go on."""


Move = Propose | Confirm | Drop | Ask | Again | Aside


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a dialogue stands. `heard`: the agent's last words that were heard."""

    offers: Sequence[Offer]
    current: Incomplete | Unconfirmed | None
    heard: str
    today: date
    language: str = "en"


def begin(wanted: Offer, text: str, at: Situation) -> Propose:
    """Take up a task with what the wish already tells."""
    told = filling.fill(wanted, text, today=at.today, language=at.language)
    return Propose(wanted, told.values, told.problems, begins=True)


def move(at: Situation, text: str) -> Move | None:
    """What `text` means for the tasks; None when it is not about them."""
    if at.current is None:
        wanted = wishes.named(at.offers, text)
        return begin(wanted, text, at) if wanted is not None else None
    return (
        _left(tongues.english(text, at.language))
        or _another(at, at.current, text)
        or (
            _answered(at, at.current, text)
            if isinstance(at.current, Unconfirmed)
            else _filled(at, at.current, text)
        )
    )


def _left(text: str) -> Drop | Again | None:
    talk = smalltalk.talk(text)
    if talk is Talk.BYE or wishes.never_mind(text):
        return Drop(silent=talk is Talk.BYE)
    return Again() if talk in _SAME else None


def _another(at: Situation, current: Incomplete | Unconfirmed, text: str) -> Propose | None:
    """Another task is wanted instead."""
    if _is_free_text(current):
        return None
    other = wishes.named([each for each in at.offers if each != current.offer], text)
    return begin(other, text, at) if other is not None else None


def _filled(at: Situation, current: Incomplete, text: str) -> Move:
    """The answer to a question for an input."""
    asked = _asked_for(current.offer, at.heard) or current.ask
    if not _is_free_text(current) and _asks_something_else(text):
        return Aside()
    told = filling.fill(current.offer, text, today=at.today, asked=asked, language=at.language)
    return Propose(current.offer, told.values, told.problems) if told else Again(unclear=True)


def _answered(at: Situation, current: Unconfirmed, text: str) -> Move:
    """The answer to a read-back."""
    if _asks_something_else(text):
        return Aside()
    if affirms(text, at.language, current.readback):
        return Confirm()
    asked = _asked_for(current.offer, at.heard)
    told = filling.fill(current.offer, text, today=at.today, asked=asked, language=at.language)
    changed = {
        name: value for name, value in told.values.items() if current.inputs.get(name) != value
    }
    if changed or told.problems:
        return Propose(current.offer, changed, told.problems)
    named = _named(current.offer, text)
    if named is not None:
        return Ask(named)
    denied = wishes.denies(tongues.english(text, at.language))
    return Ask() if denied else Again(unclear=True)


def _asks_something_else(text: str) -> bool:
    """A question that gives no input: "do you have parking?", not "is Friday free?"."""
    return questions.asks([text]) and not _PROPOSES.search(fold(text))


def _is_free_text(current: Incomplete | Unconfirmed) -> bool:
    """Whether any words at all may be the answer: a message to be passed on."""
    return (
        isinstance(current, Incomplete)
        and current.ask.type is InputType.TEXT
        and "name" not in filling.label(current.ask)
    )


def _asked_for(offer: Offer, heard: str) -> Input | None:
    """The input that the agent's last question asked for."""
    for each in offer.inputs:
        if heard.rstrip().endswith(filling.question(each)):
            return each
    return None


def _named(offer: Offer, text: str) -> Input | None:
    """The input that a short answer names: "the time"."""
    words = re.findall(r"[a-z]+", fold(text))
    if len(words) > FEW_WORDS:
        return None
    said = {stem(each) for each in words}
    for each in offer.inputs:
        if said & {stem(word) for word in filling.label(each).split()}:
            return each
    return None
