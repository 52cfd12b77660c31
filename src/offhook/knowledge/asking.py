"""What kind of thing a question asks for, and what kind of thing a passage can tell.

"How much is the rye?" wants an amount, "are you open on Sunday?" a time on that day; a passage
that cannot tell it does not answer, however alike the words are. Pure, English.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from offhook.knowledge.passages import Cells
from offhook.knowledge.seasons import months_in
from offhook.knowledge.words import fold

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK = frozenset(range(7))
_UNDEMANDED = (
    "time times day days hours is are was do does did can could happens happened about else if "
    "should would will the kind sort way must has have you your for one ones of"
)
UNDEMANDED = frozenset(_UNDEMANDED.split())
_DAY = r"(mon|tues?|wednes|wed|thurs?|thu|fri|satur|sat|sun)(?:days?)?"
_JOIN = r"\s*(?:-|–|—|to|till|until|through|thru)\s*"


class Wants(StrEnum):
    PRICE = "price"
    OPENING = "opening"
    TIME = "time"
    PLACE = "place"
    PERSON = "person"
    WEIGHT = "weight"
    CONTACT = "contact"


_ASKS = {
    Wants.PRICE: (
        r"\bhow much(?! (?:time|notice))\b",
        r"\b(?:prices?|costs?|fees?|expensive|pay for)\b",
        r"\bcharges?\b(?! (?:my|the|an?)\b)",
        r"\bwhat do (?:you|i) (?:take|pay|ask|charge)\b",
    ),
    Wants.OPENING: (
        r"\b(?:open|opening|opens|close|closes|closed|closing|hours)\b",
        r"\b(?:are|is) (?:you|anybody|anyone|somebody|the \w+) (?:there|in|around)\b",
        r"\bhow (?:late|early|long) (?:do|are|can) you (?:work|there|open)\b",
    ),
    Wants.TIME: (
        r"\b(?:when|what time|at what times?|by what time|how late|how early|until when)\b",
        r"\b(?:till when|which days?|what days?|how far ahead|how long)\b",
    ),
    Wants.PLACE: (
        r"\bwhere(?: is| are|'s| do| can)?\b",
        r"\b(?:address|directions|located)\b",
        r"\bhow (?:do|can) (?:i|we) (?:get|come|find)\b",
        r"\bwh(?:at|ich) floor\b",
    ),
    Wants.PERSON: (r"^(?:and |so )?who(?:m|'s|se)?\b",),
    Wants.WEIGHT: (r"\b(?:how heavy|weigh|weight|how big)\b",),
    Wants.CONTACT: (r"\b(?:e-?mail(?: address)?|fax|phone number|telephone number|website)\b",),
}

_TELLS = {
    Wants.PRICE: (
        r"[$€£]\s?\d",
        r"\d\s?(?:[$€£]|eur\b|euros?\b|dollars?\b|pounds?\b|cents?\b)",
        r"\b\d+[.,]\d\d\b(?!\s*(?:am|pm|h\b))",
        r"\b(?:free|no (?:extra )?charge|surcharge|included|half price|price)\b",
        r"\bwithout (?:cost|interest)\b",
        r"\b(?:costs?|charged?s?(?: at)?|fee(?: of)?|deposit of|from|extra)\s+\d+\b",
    ),
    Wants.TIME: (
        r"\b\d{1,2}:\d\d\b",
        r"\b\d{1,2}\s?(?:am|pm|a\.m|p\.m|o'clock|noon|h)\b",
        r"\b(?:noon|midnight|closed|daily|hours?|days?|weeks?|months?|years?|minutes?)\b",
        r"\b(?:january|february|march|april|june|july|august)\b",
        r"\b(?:september|october|november|december)\b",
        r"\b(?:19|20)\d\d\b",
    ),
    Wants.WEIGHT: (
        r"\b\d+(?:[.,]\d+)?\s?(?:kg|g|kilos?|grams?|lb|oz|pounds?|cm|m|metres?|meters?)\b",
    ),
    Wants.CONTACT: (r"\S@\S", r"\bhttps?:", r"\bwww\.", r"\+?\d[\d ()/-]{5,}\d"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    wants: frozenset[Wants]
    days: frozenset[int]
    """Monday 0 to Sunday 6."""
    months: frozenset[int] = frozenset()
    """January 1 to December 12."""


def asked(question: str) -> Asked:
    """What `question` wants to hear, and of which days."""
    folded = fold(question).strip()
    wants = _kinds(_ASKS, folded)
    days = days_in(folded)
    months = months_in(folded)
    if (
        (days or months)
        and not wants & {Wants.PRICE, Wants.PERSON, Wants.CONTACT}
        and _presence(folded)
    ):
        wants.add(Wants.OPENING)
    return Asked(frozenset(wants), days, months)


def demanded(question: str) -> list[str]:
    """The noun that a question counts or picks from: `how many calories`, `which team`.

    A passage that has nothing of it does not answer.
    """
    found = re.findall(
        r"\b(?:how many|what kinds? of|what sorts? of|which|what) ([a-z]{3,})", fold(question)
    )
    return [each for each in found if each not in UNDEMANDED]


def _kinds(table: dict[Wants, tuple[str, ...]], folded: str) -> set[Wants]:
    return {
        kind
        for kind, patterns in table.items()
        if any(re.search(pattern, folded) for pattern in patterns)
    }


def _presence(folded: str) -> bool:
    """`can I come by on Sunday`, `and on Sunday?`: being there asks for the hours."""
    return bool(
        re.search(r"\b(?:are you there|come (?:by|in|over)|drop (?:by|in)|visit|stop by)\b", folded)
        or re.fullmatch(rf"(?:(?:and|what|how|about|on|the|for|then|of)\s+)*{_DAY}\W*", folded)
    )


def tells(text: str, cells: Cells = (), heading: str = "") -> frozenset[Wants]:
    """What kinds of thing the passage holds."""
    folded = fold(text)
    found = _kinds(_TELLS, folded)
    if is_opening(text, heading):
        found.add(Wants.OPENING)
    if price_cell(cells):
        found.add(Wants.PRICE)
    return frozenset(found)


def is_opening(text: str, heading: str) -> bool:
    """Whether it tells hours of opening: days with clock times, said or headed to be such."""
    folded = fold(text)
    headed = re.search(r"\b(?:hours?|opening|open|times|timetable)\b", fold(heading))
    said = re.search(r"\b(?:open|opens|opening|closed|closes|closing|shut)\b", folded)
    when = days_in(folded) or months_in(folded) or re.search(r"\bholidays?\b", folded)
    clock = re.search(r"\d{1,2}(?::\d\d|\s?(?:am|pm|h|noon|o'clock))", folded)
    return bool(when and (headed or said) and (clock or said))


def price_cell(cells: Cells) -> str:
    """The amount of a row: its column is headed so, or its only figure is a bare one."""
    for head, value in cells[1:]:
        if re.search(r"price|cost|fee|rate|charge|amount|€|\$|£|eur|usd|gbp", fold(head)):
            return value
    bare = [value for head, value in cells[1:] if not head and is_amount(value)]
    return bare[0] if len(cells) == 2 and bare else ""  # noqa: PLR2004 - a label and its value


def is_amount(value: str) -> bool:
    return bool(
        re.fullmatch(
            r"(?:from |ca\.? |about )?[$€£]?\s?\d{1,6}(?:[.,]\d{2,3})*"
            r"(?:\s?(?:[$€£]|eur|euros?|usd|dollars?|gbp|pounds?))?(?:,?-)?"
            r"|free(?: of charge)?",
            fold(value).strip(),
        )
    )


def day_name(day: int) -> str:
    """Monday is 0."""
    return DAYS[day].capitalize()


def days_in(text: str) -> frozenset[int]:
    """The days of the week that a text names: `Tue-Fri`, `weekends`, `every day`, `Sundays`."""
    folded = fold(text)
    found: set[int] = set()
    for first, last in re.findall(rf"\b{_DAY}{_JOIN}{_DAY}\b", folded):
        start, end = _index(first), _index(last)
        found |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    found |= {_index(each) for each in re.findall(rf"\b{_DAY}\b", folded) if _is_day(each, folded)}
    if re.search(r"\bweekends?\b", folded):
        found |= {5, 6}
    if re.search(r"\b(?:weekdays?|working days? only)\b", folded):
        found |= set(range(5))
    if re.search(r"\b(?:daily|every ?day|seven days|all week|24/7)\b", folded):
        found |= WEEK
    return frozenset(found)


def _index(name: str) -> int:
    return next(at for at, day in enumerate(DAYS) if day.startswith(name[:3]))


def _is_day(name: str, folded: str) -> bool:
    """`sun` and `sat` are also words: alone they count only beside a figure or another day."""
    if name not in {"sun", "sat", "wed", "mon", "fri"}:
        return True
    beside = r"\.?\s*(?:[-–,:&/]|\d|and\b|to\b)"
    return bool(re.search(rf"\b{name}(?:days?\b|\b{beside})|[-–,&/]\s*{name}\b", folded))
