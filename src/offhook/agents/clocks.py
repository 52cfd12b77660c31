"""Times of day as people say them: "seven thirty", "half past six", "noon". Pure, English.

Reads what `numerals.digits` made. Without a word for the part of the day, an hour is taken for the
one at which people do business: 7 is in the evening, 8 in the morning; the read-back tells.
"""

import re
from collections.abc import Callable

from offhook.agents.finds import Found, longest

_FIRST_MORNING_HOUR = 8
_NOON = 12
_HOURS = 24
_MINUTES = 60

Clock = tuple[int, int, str]
"""Hour, minute and `a`, `p`, or "" where nothing was said about it."""

_HOUR = r"(?P<hour>\d{1,2})"
_MINUTE = r"(?P<minute>\d{2})"
_HALF = r"(?:\s?(?P<half>[ap])\.?\s?m\b\.?)"
_AT = r"\b(?:at|around|about|by|until|from|after|before|make it|say)(?: about| around)?"
_NO_COUNT = (
    r"(?!\d|[:.]\d|/|\s?(?:people|persons?|guests?|adults?|kids?|children|of us|hours?|minutes?"
    r"|days?|weeks?|st|nd|rd|th|dollars?|percent|%)\b)"
)
_PART = r"(?P<part>half|(?:a )?quarter|(?P<minutes>\d{1,2})(?: minutes)?)"
_SIDE = r"(?P<side>past|after|to|before|till|of)"
_NAMED = {"noon": (12, "p"), "midday": (12, "p"), "midnight": (0, "a")}
_PARTS = {"half": 30, "quarter": 15, "a quarter": 15}


def times(text: str, *, evening: bool = False, bare: bool = False) -> list[Found]:
    """The times of day in `text`, `HH:MM`.

    `evening`: an hour without more is in the evening (a table for dinner); `bare`: a lone number
    is an hour, since a time was asked for.
    """
    part = _part_of_day(text)
    found: list[Found] = []
    for pattern, make in [*_TIMES, *(_BARE if bare else ())]:
        for match in re.finditer(pattern, text):
            clock = make(match)
            if clock is not None:
                found.append(Found(_written(clock, part, evening=evening), *match.span()))
    return longest(found)


def _plain(match: re.Match[str]) -> Clock | None:
    said = match.groupdict()
    hour, minute, half = int(said["hour"]), int(said.get("minute") or 0), said.get("half") or ""
    if hour >= _HOURS or minute >= _MINUTES or (half and not 1 <= hour <= _NOON):
        return None
    if said["hour"].startswith("0") and hour:
        half = half or "a"  # 07:30 is written by who counts to 24
    return hour, minute, half


def _half_hour(match: re.Match[str]) -> Clock | None:
    hour = int(match["hour"])
    return (hour, 30, "") if 1 <= hour <= _NOON else None


def _named(match: re.Match[str]) -> Clock:
    hour, half = _NAMED[match[0]]
    return hour, 0, half


def _beside(match: re.Match[str]) -> Clock | None:
    """`half past 6`, `20 to 9`, `a quarter to noon`."""
    minutes = _PARTS.get(match["part"]) or int(match["minutes"] or 0)
    name = match["of"]
    hour, half = _NAMED[name] if name in _NAMED else (int(name), "")
    if hour > _NOON or minutes >= _MINUTES:
        return None
    if match["side"] in {"past", "after"}:
        return hour, minutes, half
    total = (hour % _NOON or _NOON) * _MINUTES - minutes
    return total // _MINUTES, total % _MINUTES, {"p": "a", "a": "p"}.get(half, "")


Maker = Callable[[re.Match[str]], Clock | None]
_TIMES: tuple[tuple[str, Maker], ...] = (
    (rf"\b{_HOUR}:{_MINUTE}\b{_HALF}?", _plain),
    (rf"\b{_HOUR}[. ]{_MINUTE}{_HALF}", _plain),
    (rf"{_AT} {_HOUR}[. ]{_MINUTE}\b{_HALF}?", _plain),
    (rf"\b{_HOUR}{_HALF}", _plain),
    (rf"\b{_HOUR}(?: {_MINUTE})? ?o'?clock\b{_HALF}?", _plain),
    (rf"\b{_PART} {_SIDE} (?P<of>\d{{1,2}}|noon|midday|midnight)\b", _beside),
    (rf"\bhalf {_HOUR}\b", _half_hour),
    (r"\b(?:noon|midday|midnight)\b", _named),
    (rf"{_AT} {_HOUR}(?:ish)?\b{_NO_COUNT}", _plain),
)
_BARE: tuple[tuple[str, Maker], ...] = (
    (rf"\b{_HOUR}[. ]{_MINUTE}\b", _plain),
    (rf"\b{_HOUR}(?:ish)?\b{_NO_COUNT}", _plain),
)


def _part_of_day(text: str) -> str:
    if re.search(r"\b(?:morning|breakfast)\b", text):
        return "a"
    if re.search(r"\b(?:afternoon|evening|tonight|night|lunch|dinner|supper)\b", text):
        return "p"
    return ""


def _written(clock: Clock, part: str, *, evening: bool) -> str:
    hour, minute, half = clock
    if half or 1 <= hour < _NOON:
        late = evening or 1 <= hour < _FIRST_MORNING_HOUR
        half = half or part or ("p" if late else "a")
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    return f"{hour:02}:{minute:02}"
