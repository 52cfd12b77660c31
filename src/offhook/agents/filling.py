"""What a turn says about the inputs of a task: several in one sentence, in any order.

Pure. Read in English, into which tongues.py puts what is said in other languages. Finds are taken
from the most telling kind to the least (an e-mail address, a phone number, a day, a time, a choice,
a count, a name, any text), and what one was made of is blanked out, so that the 7 of "at 7 pm" is
no number of people.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from offhook.agents import clocks, dates, numerals, tongues, values
from offhook.agents.finds import Found
from offhook.knowledge import fold, stem
from offhook.tasks import Input, InputType, Offer

_EVENING = re.compile(r"\b(?:dinner|table|restaurant|evening|show|concert|movie|film)s?\b")
_YES = re.compile(r"\b(?:yes|yeah|yep|sure|of course|definitely|i do|we do|i am|right|correct)\b")
_NO = re.compile(r"\b(?:no|nope|not|none|i don't|we don't|never)\b")
_CORRECTED = re.compile(
    r"[,.\s-]+(?:no wait|no|sorry|i mean|or rather|actually|make that)[,.\s]+(?=\S)", re.IGNORECASE
)
_ORDER = (
    InputType.EMAIL,
    InputType.PHONE,
    InputType.DATE,
    InputType.TIME,
    InputType.CHOICE,
    InputType.INTEGER,
    InputType.NUMBER,
    InputType.MONEY,
    InputType.BOOLEAN,
    InputType.TEXT,
)


@dataclass(slots=True)
class Filling:
    """Values by input name, and for what was said and cannot be used the sentence why."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    problems: dict[str, str] = field(default_factory=dict[str, str])

    def __bool__(self) -> bool:
        return bool(self.values or self.problems)


def fill(
    offer: Offer, text: str, *, today: date, asked: Input | None = None, language: str = "en"
) -> Filling:
    """The inputs of `offer` that `text` tells. `asked` is what was just asked for: it takes an
    answer in fewer words. Of several values of one kind the last said counts, and what follows a
    correction is of the kind that it corrects ("at six, no, seven").
    """
    filling = Filling()
    for part in _CORRECTED.split(text):
        turn = _Turn(offer, part, today, asked, language)
        for kind in _ORDER:
            for each in _first_asked(offer.inputs, asked):
                if each.type is kind:
                    turn.take(each)
        filling.values |= turn.filling.values
        filling.problems |= turn.filling.problems
        asked = turn.said_last or asked
    return filling


def _first_asked(inputs: Sequence[Input], asked: Input | None) -> list[Input]:
    return sorted(inputs, key=lambda each: asked is None or each.name != asked.name)


class _Turn:
    """One turn that is being read; `read` loses what was taken."""

    def __init__(
        self, offer: Offer, text: str, today: date, asked: Input | None, language: str
    ) -> None:
        self.filling = Filling()
        self._offer = offer
        self._text = text
        self._today = today
        self._asked = asked
        self._read = numerals.digits(tongues.english(text, language))
        self._spoken = tongues.introduced(text, language)  # as written, for names and texts
        words = tongues.english(
            " ".join([offer.title, offer.description, *offer.phrases]), language
        )
        self._evening = bool(_EVENING.search(words.lower()))
        self.said_last: Input | None = None
        """The input whose value stands last in the turn: what a correction is of."""
        self._last_at = -1

    def take(self, wanted: Input) -> None:
        asked = self._asked is not None and self._asked.name == wanted.name
        found = _FIND[wanted.type](self, wanted, asked)
        if found is None:
            return
        self._blank(found)
        if found.end > self._last_at:
            self.said_last, self._last_at = wanted, found.end
        if found.problem:
            self.filling.problems[wanted.name] = found.problem
        else:
            self.filling.values[wanted.name] = found.value

    def _blank(self, found: Found) -> None:
        length = found.end - found.start
        self._read = self._read[: found.start] + " " * length + self._read[found.end :]

    def _pick(self, found: Sequence[Found], wanted: Input) -> Found | None:
        """Of several finds the one named beside the input, else the last or the first."""
        if not found:
            return None
        alike = [each for each in self._offer.inputs if each.type is wanted.type]
        if len(alike) > 1:
            named = [each for each in found if self._names(wanted, each)]
            if named:
                return named[0]
            if self._asked is None or self._asked.name != wanted.name:
                at = alike.index(wanted)
                left = [each for each in alike[:at] if each.name in self.filling.values]
                return found[0] if len(left) == at and len(found) == len(alike) - at else None
        return found[-1]

    def _names(self, wanted: Input, found: Found) -> bool:
        """Whether a word of the input stands just before or after the find; a new day or time is
        the one to which something is moved.
        """
        if "new" in label(wanted).split() and re.search(r"\bto\s*$", self._read[: found.start]):
            return True
        around = f"{self._read[max(0, found.start - 25) : found.start]} "
        around += self._read[found.end : found.end + 20]
        near = {stem(each) for each in re.findall(r"[a-z]+", around)}
        return bool(near & {stem(each) for each in label(wanted).split()})

    # --- one for each type ---

    def email(self, wanted: Input, asked: bool) -> Found | None:
        found = self._pick(values.emails(self._text), wanted)
        if found is None:
            return None
        self._spoken = self._spoken.replace(self._text[found.start : found.end], " ")
        self._read = re.sub(r"\S*\d\S*", _spaces, self._read) if asked else self._read
        return Found(found.value, 0, 0)

    def phone(self, wanted: Input, asked: bool) -> Found | None:
        return self._pick(values.phones(self._read), wanted)

    def day(self, wanted: Input, asked: bool) -> Found | None:
        return self._pick(dates.days(self._read, self._today), wanted)

    def time(self, wanted: Input, asked: bool) -> Found | None:
        found = clocks.times(self._read, evening=self._evening)
        if not found and asked:
            found = clocks.times(self._read, evening=self._evening, bare=True)[:1]
        return self._pick(found, wanted)

    def choice(self, wanted: Input, asked: bool) -> Found | None:
        return values.choice(self._text, wanted.choices, asked=asked)

    def count(self, wanted: Input, asked: bool) -> Found | None:
        named = values.counted_as(self._read, label(wanted).split())
        if named is not None:
            return named
        found = values.counts(self._read)
        if asked and not found:
            alone = values.counts(numerals.alone(self._read))
            found = [Found(each.value, 0, len(self._read)) for each in alone]
        whole = len([each for each in self._offer.inputs if each.type is InputType.INTEGER]) == 1
        if asked or (whole and found and _is_said_as_count(self._read, found[-1])):
            return self._pick(found, wanted)
        return None

    def amount(self, wanted: Input, asked: bool) -> Found | None:
        found = values.amounts(self._read)
        named = [each for each in found if self._names(wanted, each)]
        return self._pick(found if asked else named, wanted)

    def yes_or_no(self, wanted: Input, asked: bool) -> Found | None:
        if not asked:
            return None
        no = _NO.search(self._read)
        if no or _YES.search(self._read):
            return Found(no is None, 0, 0)
        return None

    def any_text(self, wanted: Input, asked: bool) -> Found | None:
        is_name = "name" in label(wanted).split()
        said = values.own_name(self._spoken) if is_name else ""
        said = said or values.called(self._spoken, label(wanted))
        if not said and asked and not self.filling.values:
            said = values.answer(self._spoken)
        if not re.search(r"\w", said):
            return None
        return Found(values.as_name(said) if is_name else said, 0, 0)


_FIND = {
    InputType.EMAIL: _Turn.email,
    InputType.PHONE: _Turn.phone,
    InputType.DATE: _Turn.day,
    InputType.TIME: _Turn.time,
    InputType.CHOICE: _Turn.choice,
    InputType.INTEGER: _Turn.count,
    InputType.NUMBER: _Turn.amount,
    InputType.MONEY: _Turn.amount,
    InputType.BOOLEAN: _Turn.yes_or_no,
    InputType.TEXT: _Turn.any_text,
}


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _is_said_as_count(read: str, found: Found) -> bool:
    """Whether the number is of people or things, and not one that only stands there."""
    before = read[: found.start].rstrip()
    return (
        bool(
            re.search(
                r"\b(?:for|of|are|be|make (?:it|that)|just|no|with|order|like|want)\W*$", before
            )
        )
        or not before.strip(" ,.")
        or bool(re.search(r"[a-z]", read[found.start : found.end]))
    )


def label(wanted: Input) -> str:
    """An input's name as people say it: `party_size` is "party size"."""
    return re.sub(r"[_-]+", " ", fold(wanted.name)).strip()


def question(wanted: Input) -> str:
    """The question that asks for an input; one of our own where the task has none."""
    if wanted.question:
        return wanted.question
    if wanted.type is InputType.CHOICE and wanted.choices:
        return f"Which {label(wanted)}: {_either(wanted.choices)}?"
    if wanted.type is InputType.BOOLEAN:
        return f"{label(wanted).capitalize()}: yes or no?"
    return f"{_ASKS.get(wanted.type, 'What is the')} {label(wanted)}?"


_ASKS: Mapping[InputType, str] = {
    InputType.EMAIL: "What is your",
    InputType.PHONE: "What is your",
    InputType.INTEGER: "What is the",
}


def _either(choices: Sequence[str]) -> str:
    *most, last = choices
    return f"{', '.join(most)} or {last}" if most else last
