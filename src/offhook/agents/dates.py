"""Days as people say them: "next Friday", "the 15th", "a week from Monday". Pure, English.

Reads what `numerals.digits` made. A day that does not exist is found with the sentence that says
so. The libraries that read dates find less of what is said at a telephone (decision 17).
"""

import calendar
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from offhook.agents.finds import Found, longest

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = tuple(each.lower() for each in calendar.month_name[1:])
_WEEKDAY = r"(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?\b"
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (\d{4}))?"
_NOT_TIME = r"(?!\d|[:.]\d| ?[ap]\.?m| o'?clock)"
_WHICH = r"(?:this |next |the following |coming )"
_UNITS = {"day": 1, "week": 7}

Made = date | str
"""A day, or the sentence that says why there is none."""


def days(text: str, today: date) -> list[Found]:
    """The days in `text`, ISO 8601; those without a year are the next of their kind."""
    found: list[Found] = []
    for pattern, make in _DAYS:
        for match in pattern.finditer(text):
            made = make(match, today)
            if isinstance(made, str):
                found.append(Found(None, *match.span(), made))
            else:
                found.append(Found(made.isoformat(), *match.span()))
    return _with_weekdays(text, longest(found))


def _dated(day: int, month: int, year: int | None, today: date) -> Made:
    most = calendar.monthrange(year or 2024, month)[1]
    if not 1 <= day <= most:
        return f"{MONTHS[month - 1].capitalize()} has only {most} days."
    if year == 0:
        return "There is no year 0."
    if year is not None:
        return date(year, month, day)
    for candidate in range(today.year, today.year + 9):
        if day <= calendar.monthrange(candidate, month)[1]:
            when = date(candidate, month, day)
            if when >= today:
                return when
    return f"There is no such day as {day} {MONTHS[month - 1].capitalize()}."


def _month(name: str) -> int:
    return next(at for at, each in enumerate(MONTHS, 1) if each.startswith(name[:3]))


def _day_month(match: re.Match[str], today: date) -> Made:
    year = int(match[3]) if match[3] else None
    return _dated(int(match[1]), _month(match[2]), year, today)


def _month_day(match: re.Match[str], today: date) -> Made:
    year = int(match[3]) if match[3] else None
    return _dated(int(match[2]), _month(match[1]), year, today)


def _iso(match: re.Match[str], today: date) -> Made:
    month = int(match[2])
    if not 1 <= month <= len(MONTHS):
        return f"There is no month {month}."
    return _dated(int(match[3]), month, int(match[1]), today)


def _slashed(match: re.Match[str], today: date) -> Made:
    """Month first, as in the United States, unless that cannot be; with dots the day is first."""
    first, second = int(match[1]), int(match[3])
    day_first = match[2] == "." or first > len(MONTHS)
    day, month = (first, second) if day_first else (second, first)
    if not 1 <= month <= len(MONTHS):
        return f"There is no day {match[0].strip()}."
    year = int(match[4]) if match[4] else None
    if year is not None and year < 100:  # noqa: PLR2004 - two digits of a year
        year += 2000
    return _dated(day, month, year, today)


def _numbered(match: re.Match[str], today: date) -> Made:
    """`the 15th`: of this month, or of the next that has it."""
    day = int(match[1])
    first = today.replace(day=1)
    for _ in range(4):
        most = calendar.monthrange(first.year, first.month)[1]
        if 1 <= day <= most and (when := first.replace(day=day)) >= today:
            return when
        first = first.replace(day=most) + timedelta(days=1)
    return f"No month has a day {day}."


def _named(match: re.Match[str], today: date) -> date:
    """`next Friday` is of the week that follows; `Friday` is the coming one."""
    which = match[1] or ""
    ahead = (_weekday(match[2]) - today.weekday()) % 7
    if not which and ahead == 0:
        ahead = 7
    of_next_week = "next" in which or "following" in which or "next" in (match[3] or "")
    if of_next_week and ahead < 7 - today.weekday():
        ahead += 7
    return today + timedelta(days=ahead)


def _weekday(name: str) -> int:
    return next(at for at, each in enumerate(WEEK) if each.startswith(name[:3]))


def _in(match: re.Match[str], today: date) -> date:
    count = 1 if match[1] in {"a", "one"} else int(match[1])
    return today + timedelta(days=min(count, 1_000) * _UNITS[match[2]])


def _week_from(match: re.Match[str], today: date) -> date:
    if "tomorrow" in match[0]:
        return today + timedelta(days=8)
    if "today" in match[0]:
        return today + timedelta(days=7)
    ahead = (_weekday(match[1]) - today.weekday()) % 7 or 7
    return today + timedelta(days=ahead + 7)


def _ahead(count: int) -> Callable[[re.Match[str], date], date]:
    return lambda _, today: today + timedelta(days=count)


def _of_next_week(match: re.Match[str], today: date) -> date:
    monday = today + timedelta(days=7 - today.weekday())
    return monday + timedelta(days=_weekday(match[1]))


_DAYS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Made]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", _iso),
        (rf"\b(?:the )?{_DAY}(?: day)?(?: of)? {_MONTH}{_YEAR}", _day_month),
        (rf"\b{_MONTH} (?:the )?{_DAY}\b{_NOT_TIME}{_YEAR}", _month_day),
        (r"\b(\d{1,2})([/.])(\d{1,2})(?:[/.](\d{4}|\d{2})|\.|(?<=/\d)|(?<=/\d\d))(?!\d)", _slashed),
        (
            r"\b(?:the )?(\d{1,2})(?:st|nd|rd|th)\b(?! (?:one|time|floor|choice|option)\b)",
            _numbered,
        ),
        (rf"\b({_WHICH}{{0,2}}){_WEEKDAY}( (?:of )?(?:next|this) week)?", _named),
        (rf"\bnext week (?:on )?{_WEEKDAY}", _of_next_week),
        (r"\b(?:in )?(a|\d{1,3}) (day|week)s?(?:'s)?(?: time| from now)\b", _in),
        (r"\bin (a|\d{1,3}) (day|week)s?\b", _in),
        (rf"\ba week (?:from|on) (?:today|tomorrow|{_WEEKDAY})", _week_from),
        (rf"\b{_WEEKDAY} week\b", _week_from),
        (r"\b(?:the )?day after tomorrow\b", _ahead(2)),
        (r"\b(?:tomorrow|tmrw|tmr)\b", _ahead(1)),
        (r"\b(?:today|tonight|this (?:morning|afternoon|evening))\b", _ahead(0)),
    )
)


def _with_weekdays(text: str, found: Sequence[Found]) -> list[Found]:
    """`Friday the 15th` is one day; where the two do not agree that is said."""
    merged: list[Found] = []
    for each in found:
        last = merged[-1] if merged else None
        between = text[last.end : each.start] if last else ""
        if last is None or not re.fullmatch(r"[,\s]*(?:the|on|a)?[,\s]*", between):
            merged.append(each)
            continue
        first, second = _weekday_in(text, last), _weekday_in(text, each)
        if (first is None) == (second is None):
            merged.append(each)
            continue
        named, exact = (last, each) if second is None else (each, last)
        merged[-1] = _agreed(text, named, exact, last.start, each.end)
    return merged


def _weekday_in(text: str, found: Found) -> int | None:
    match = re.fullmatch(rf"(?:(?:this|next|coming) )*{_WEEKDAY}", text[found.start : found.end])
    return _weekday(match[1]) if match else None


def _agreed(text: str, named: Found, exact: Found, start: int, end: int) -> Found:
    if exact.value is None:
        return Found(None, start, end, exact.problem)
    when = date.fromisoformat(exact.value)
    weekday = _weekday_in(text, named)
    if weekday == when.weekday():
        return Found(exact.value, start, end)
    return Found(
        None,
        start,
        end,
        f"{when.day} {MONTHS[when.month - 1].capitalize()} is a "
        f"{WEEK[when.weekday()].capitalize()}, not a {WEEK[weekday or 0].capitalize()}.",
    )
