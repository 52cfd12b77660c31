"""What a test of an agent is made of and how it is judged; pure.

An answer is held to what can be held: the facts in it (figures, times, days, addresses), the tasks
that ran with their inputs, and, where it states no fact, that it means much the same. Wording is
free, and so is what a colleague said by hand.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from offhook.agents.brain import Channel, Said, Speaker
from offhook.agents.numerals import digits
from offhook.errors import Conflict
from offhook.knowledge import days_in

MAX_TURNS = 200
MAX_NAME = 120
MAX_TESTS = 200
"""Of one agent."""
ALIKE = 0.5
"""From this likeness on two answers without facts mean the same."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    """It could not be held: the database or a vendor was away."""


OVER = frozenset({State.PASSED, State.FAILED, State.BROKEN})


class NothingToTest(Conflict):
    """The agent answered nobody in this conversation."""

    code = "nothing_to_test"


class TooManyTests(Conflict):
    code = "too_many_tests"


class Done(BaseModel):
    """A task that was done for an answer, or shown."""

    task_id: str
    title: str
    inputs: dict[str, Any] = {}


class Spoke(BaseModel):
    """One turn as it was. `tasks`: of an agent's answer, what it did."""

    speaker: Speaker
    text: str
    at: datetime
    tasks: list[Done] = []


@dataclass(frozen=True, slots=True)
class Past:
    """A conversation that was: its turns in order of time, and what was done at which time."""

    id: str
    channel: Channel
    name: str
    contact_id: str | None
    turns: Sequence[Spoke]
    done: Sequence[tuple[datetime, Done]] = ()


class Answer(BaseModel):
    """What the draft answered instead of turn number `turn`, and what is not as it was."""

    turn: int
    text: str
    tasks: list[Done] = []
    sources: list[str] = []
    needs_person: str = ""
    faults: list[str] = []


def as_test(past: Past) -> list[Spoke]:
    """The turns of a test: an agent's words in a row are one answer, each with what it did.

    Raises NothingToTest where the agent answered nobody.
    """
    told: list[Spoke] = []
    for turn in past.turns[:MAX_TURNS]:
        before = told[-1] if told else None
        if before is not None and before.speaker is turn.speaker is Speaker.AGENT:
            before.text = f"{before.text} {turn.text}"
        else:
            told.append(turn.model_copy(deep=True))
    for at, done in past.done:
        answer = _answer_to(told, at)
        if answer is not None:
            answer.tasks.append(done)
    if not judged(told):
        raise NothingToTest(
            "The agent answered nobody in this conversation.",
            remedy="Choose one in which it was asked something.",
        )
    return told


def _answer_to(told: Sequence[Spoke], at: datetime) -> Spoke | None:
    """The agent's answer to what was said last before `at`."""
    asked = [place for place, turn in enumerate(told) if _asks(turn) and turn.at <= at]
    if not asked:
        return None
    return next((turn for turn in told[asked[-1] :] if turn.speaker is Speaker.AGENT), None)


def _asks(turn: Spoke) -> bool:
    return turn.speaker is Speaker.CALLER


def judged(turns: Sequence[Spoke]) -> list[int]:
    """The places of the agent's answers to something that was said."""
    return [
        place
        for place, turn in enumerate(turns)
        if turn.speaker is Speaker.AGENT and place and _asks(turns[place - 1])
    ]


def history(turns: Sequence[Spoke], place: int) -> list[Said]:
    """What had been said before the turn at `place`."""
    return [Said(turn.speaker, turn.text) for turn in turns[:place]]


def verdict(answers: Iterable[Answer]) -> State:
    return State.FAILED if any(answer.faults for answer in answers) else State.PASSED


def faults(then: Spoke, now: Answer, alike: float, *, is_shown: bool = False) -> list[str]:
    """What is not as it was, each in a sentence; empty when all is. `alike`: 0..1. `is_shown`: an
    effect was shown and not done, so that there is nothing to say of what came of it.
    """
    if is_shown:
        return _other_tasks(then.tasks, now.tasks)
    found = _lost_facts(then.text, now.text)
    if not found and not facts(then.text) and not then.tasks and alike < ALIKE:
        found = [f"It says something else: {alike:.0%} alike."]
    return [*found, *_other_tasks(then.tasks, now.tasks)]


def _lost_facts(then: str, now: str) -> list[str]:
    stated = set(facts(now)) | set(facts(digits(now)))
    lost = [written for fact, written in facts(then).items() if not _forms(fact) & stated]
    return [f"It no longer says {', '.join(lost)}."] if lost else []


def _forms(fact: str) -> set[str]:
    """A full hour is said with and without its minutes."""
    hour = re.fullmatch(r"(\d+)(:00)?", fact)
    return {fact, hour[1], f"{hour[1]}:00"} if hour else {fact}


def _other_tasks(then: Sequence[Done], now: Sequence[Done]) -> list[str]:
    left = list(now)
    found: list[str] = []
    for wanted in then:
        same = next((done for done in left if done.task_id == wanted.task_id), None)
        if same is None:
            found.append(f"It no longer does “{wanted.title}”.")
            continue
        left.remove(same)
        if other := _differing(wanted.inputs, same.inputs):
            found.append(f"“{wanted.title}” has other inputs: {other}.")
    return found + [f"It does “{done.title}”, which it did not." for done in left]


def _differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    told = (f"{name} is {now.get(name, 'empty')}, was {then.get(name, 'empty')}" for name in names)
    return "; ".join(told)


_ADDRESS = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_PHONE = re.compile(r"\+\d[\d ()/.-]{6,}\d")
_HOUR = re.compile(
    r"\b(\d{1,2})(?:[:.](\d{2}))?\s*([ap])\.?\s?m\b\.?|\b(\d{1,2}):(\d{2})\b|\b(noon|midnight)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?")


def facts(text: str) -> dict[str, str]:
    """The facts that a text states, in one form for all ways to write them, each as it is written.

    >>> facts("Rye is $4.20, Tuesday from 7 a.m.")
    {'7:00': '7 a.m.', '4.2': '4.20', 'Tuesday': 'Tuesday'}
    """
    found: dict[str, str] = {}
    for pattern, in_one_form in _FACTS:
        for match in pattern.finditer(text):
            found.setdefault(in_one_form(match), match[0].strip())
        text = pattern.sub(" ", text)
    return found | {DAYS[day]: DAYS[day] for day in sorted(days_in(text))}


def _address(match: re.Match[str]) -> str:
    return match[0].rstrip(".,;!?)").lower()


def _phone(match: re.Match[str]) -> str:
    return re.sub(r"\D", "", match[0])


def _hour(match: re.Match[str]) -> str:
    half, noon = (match[3] or "").lower(), (match[6] or "").lower()
    if noon:
        return "12:00" if noon == "noon" else "0:00"
    hour, minute = int(match[1] or match[4]), match[2] or match[5] or "00"
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour}:{minute}"


def _number(match: re.Match[str]) -> str:
    grouped = re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", match[0])
    plain = match[0].replace(",", "") if grouped else match[0].replace(",", ".")
    return f"{Decimal(plain).normalize():f}"


_FACTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_ADDRESS, _address),
    (_PHONE, _phone),
    (_HOUR, _hour),
    (_NUMBER, _number),
)
"""Each kind of fact as it is written, and its one form; what one finds the next does not see."""
