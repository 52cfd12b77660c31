"""Typed inputs: their definition, what a brain gave for them, and how they are said (T1). Pure.

Whatever a brain gives is checked here, whoever wrote it: a model under somebody else's influence
sends what it likes (SEC9). A refusal is a sentence that can be said to the other side.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from typing import Any

from offhook import phone
from offhook.errors import Problem
from offhook.tasks.toolbox import Input, InputType

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_INPUTS = 20
MAX_TEXT = 500
MAX_SHOWN = 60
MAX_NUMBER = 1_000_000_000
YEARS = range(1900, 2101)
TRUE = frozenset({"true", "yes", "y", "1", "on"})
FALSE = frozenset({"false", "no", "n", "0", "off"})
EMAIL = re.compile(r"[^\s@<>\",;]{1,64}@[^\s@<>\",;]+\.[^\s@<>\".,;]{2,}")


@dataclass(frozen=True, slots=True)
class Checked:
    """The usable values in the order of the definition, and what is wrong with the others."""

    values: dict[str, Any]
    problems: dict[str, str] = field(default_factory=dict[str, str])
    missing: tuple[Input, ...] = ()
    """Required and without a usable value, in order."""

    @property
    def ask(self) -> Input | None:
        return self.missing[0] if self.missing else None


class _Unusable(Exception):  # noqa: N818 - not a defect: a sentence for the other side
    """Why a value cannot be used."""


def check(defined: Sequence[Input], given: Mapping[str, Any], country: str = "US") -> Checked:
    """Read what was given for each input; names that are not defined are passed over.

    An unusable value of an optional input is asked for as well: it was meant.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for each in defined:
        value = given.get(each.name)
        if value is None or value == "":
            continue
        try:
            values[each.name] = _read(each, value, country)
        except _Unusable as unusable:
            problems[each.name] = str(unusable)
    missing = tuple(
        each
        for each in defined
        if each.name not in values and (each.required or each.name in problems)
    )
    return Checked(values, problems, missing)


def spoken(values: Mapping[str, Any], defined: Sequence[Input], today: date) -> dict[str, str]:
    """Each value in the words of a read-back: `Friday, 15 May`, `19:00`, `yes`."""
    return {
        each.name: _said(each.type, values[each.name], today)
        for each in defined
        if each.name in values
    }


def money(defined: Sequence[Input], values: Mapping[str, Any]) -> float:
    """The sum of the amounts among the values."""
    names = [each.name for each in defined if each.type is InputType.MONEY]
    return sum(float(values.get(name, 0)) for name in names)


def label(each: Input) -> str:
    """What an input is called in a sentence: its name without the underscores."""
    return each.name.replace("_", " ")


def with_question(each: Input) -> Input:
    """The input with a question that asks for it."""
    return each if each.question else replace(each, question=f"What is the {label(each)}?")


def from_json(rows: Sequence[Mapping[str, Any]]) -> tuple[Input, ...]:
    """The definitions as they are stored; what an older version did not know has its default."""
    read: list[dict[str, Any]] = [
        {**row, "type": InputType(row["type"]), "choices": tuple(row.get("choices", ()))}
        for row in rows
    ]
    return tuple(Input(**each) for each in read)


def to_json(defined: Sequence[Input]) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "type": each.type.value,
            "required": each.required,
            "description": each.description,
            "question": each.question,
            "choices": list(each.choices),
            "minimum": each.minimum,
            "maximum": each.maximum,
            "proof": each.proof,
        }
        for each in defined
    ]


def _read(each: Input, value: Any, country: str) -> Any:
    if each.type is InputType.PHONE:
        return _phone(_shown(value), country)
    return READERS[each.type](each, value)


def _shown(value: Any) -> str:
    """A scalar as text, cut; a list or an object is no value at all."""
    if isinstance(value, str | int | float):
        return " ".join(str(value).split())[: MAX_TEXT + 1]
    raise _Unusable("That cannot be used.")


def _text(_: Input, value: Any) -> str:
    text = str(value) if isinstance(value, str | int | float) else _shown(value)
    kept = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    if not kept:
        raise _Unusable("That is empty.")
    if len(kept) > MAX_TEXT:
        raise _Unusable(f"That is longer than {MAX_TEXT} characters.")
    return kept


def _number(each: Input, value: Any) -> int | float:
    shown = _shown(value)[:MAX_SHOWN]
    try:
        number = float(shown.replace(",", "")) if not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    whole = each.type is InputType.INTEGER
    if not math.isfinite(number) or (whole and number != int(number)):
        raise _Unusable(f"“{shown}” is not a {'whole ' if whole else ''}number.")
    low = -MAX_NUMBER if each.minimum is None else each.minimum
    high = MAX_NUMBER if each.maximum is None else each.maximum
    if not low <= number <= high:
        raise _Unusable(f"{shown} is not between {low:,g} and {high:,g}.")
    return int(number) if whole else number


def _money(each: Input, value: Any) -> float:
    """A number from 0 with at most two decimals; a sign of a currency is passed over."""
    plain = value.strip().strip("$€£ ") if isinstance(value, str) else value
    number = _number(replace(each, minimum=max(0.0, each.minimum or 0.0)), plain)
    if round(number, 2) != number:
        raise _Unusable(f"{number} has more than two decimals.")
    return float(number)


def _boolean(_: Input, value: Any) -> bool:
    text = _shown(value).casefold()
    if text not in TRUE | FALSE:
        raise _Unusable(f"“{text[:MAX_SHOWN]}” is neither yes nor no.")
    return text in TRUE


def _date(_: Input, value: Any) -> str:
    text = _shown(value)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise _Unusable(f"There is no day “{text[:MAX_SHOWN]}”.") from None
    if found.year not in YEARS:
        raise _Unusable(f"The year {found.year} cannot be meant.")
    return found.isoformat()


def _time(_: Input, value: Any) -> str:
    text = _shown(value)
    try:
        found = time.fromisoformat(text)
    except ValueError:
        raise _Unusable(f"There is no time “{text[:MAX_SHOWN]}”.") from None
    return f"{found:%H:%M}"


def _email(_: Input, value: Any) -> str:
    text = _shown(value)
    if not EMAIL.fullmatch(text):
        raise _Unusable(f"“{text[:MAX_SHOWN]}” is not an email address.")
    return text


def _choice(each: Input, value: Any) -> str:
    text = _shown(value)
    for choice in each.choices:
        if choice.casefold() == text.casefold():
            return choice
    raise _Unusable(f"“{text[:MAX_SHOWN]}” is not one of {', '.join(each.choices)}.")


def _phone(text: str, country: str) -> str:
    try:
        return str(phone.parse(text, country))
    except Problem as problem:
        raise _Unusable(problem.sentence) from None


READERS: Mapping[InputType, Callable[[Input, Any], Any]] = {
    InputType.TEXT: _text,
    InputType.INTEGER: _number,
    InputType.NUMBER: _number,
    InputType.MONEY: _money,
    InputType.BOOLEAN: _boolean,
    InputType.DATE: _date,
    InputType.TIME: _time,
    InputType.EMAIL: _email,
    InputType.CHOICE: _choice,
}


def _said(kind: InputType, value: Any, today: date) -> str:
    if kind is InputType.DATE:
        day = date.fromisoformat(value)
        year = "" if day.year == today.year else f" {day.year}"
        return f"{day:%A}, {day.day} {day:%B}{year}"
    if kind is InputType.PHONE:
        return phone.international(phone.E164(value))
    if kind is InputType.BOOLEAN:
        return "yes" if value else "no"
    if kind is InputType.NUMBER:
        return f"{value:,g}"
    if kind is InputType.MONEY:
        return f"{value:,.2f}"
    return str(value)
