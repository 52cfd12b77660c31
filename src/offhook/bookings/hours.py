"""When a calendar is open: spans of each weekday, and special days that replace them. Pure.

Times are those of the wall clock where the calendar is. A span that closes no later than it opens
ends on the following day (18:00 to 02:00; 00:00 to 00:00 is the whole day). Knows no zone: `slots`
turns wall times into instants.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from offhook.errors import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MAX_SPANS = 6
MAX_SPECIAL = 200
MAX_NOTE = 80
_CLOSED = frozenset({"", "closed", "-", "–", "none"})
_SPAN = re.compile(
    r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?\s*(?:-|–|—|to)\s*(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?",
    re.IGNORECASE | re.ASCII,
)
_SPECIAL = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:\s*(?:to|-|–|until)\s*(\d{4}-\d{2}-\d{2}))?\s+(.+)", re.ASCII
)
_NOON_H = 12
_MIDNIGHT_H = 24


class HoursInvalid(Invalid):
    code = "hours_invalid"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Open from `opens` to `closes`; no later than `opens`: on the following day."""

    opens: time
    closes: time

    @property
    def over_midnight(self) -> bool:
        return self.closes <= self.opens

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}–{self.closes:%H:%M}"


@dataclass(frozen=True, slots=True)
class Special:
    """Days, the first and the last included, with hours of their own; none: closed."""

    first: date
    last: date
    spans: tuple[Span, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """The opening hours of a calendar: seven weekdays from Monday, and special days."""

    week: tuple[tuple[Span, ...], ...]
    special: tuple[Special, ...] = ()

    def special_on(self, day: date) -> Special | None:
        return next((each for each in self.special if each.first <= day <= each.last), None)

    def on(self, day: date) -> tuple[Span, ...]:
        """The spans that begin on `day`; a special day's instead of the weekday's."""
        special = self.special_on(day)
        return special.spans if special is not None else self.week[day.weekday()]


WORKING_DAYS = Hours(
    week=((Span(time(9), time(17)),),) * 5 + ((), ()),
)
"""What a new calendar begins with: Monday to Friday, 9:00 to 17:00."""


def check(hours: Hours) -> Hours:
    """The same, in order. Raises HoursInvalid with everything that is wrong."""
    faults: list[str] = []
    if len(hours.week) != len(DAYS):
        faults.append(f"A week has seven days, not {len(hours.week)}.")
    week = tuple(tuple(sorted(spans)) for spans in hours.week)
    for name, spans in zip(DAY_NAMES, week, strict=False):
        faults += _faults(name, spans)
    if len(hours.special) > MAX_SPECIAL:
        faults.append(f"{len(hours.special)} special days are more than {MAX_SPECIAL}.")
    special = sorted(hours.special, key=lambda each: (each.first, each.last))
    for each in special:
        faults += _faults(f"{each.first:%Y-%m-%d}", each.spans)
        if each.last < each.first:
            faults.append(f"{each.last} is before {each.first}.")
        if len(each.note) > MAX_NOTE:
            faults.append(f"The note of {each.first} is longer than {MAX_NOTE} characters.")
    for before, after in itertools.pairwise(special):
        if after.first <= before.last:
            faults.append(f"{after.first} is named twice among the special days.")
    if faults:
        raise HoursInvalid(" ".join(faults), remedy="Write for example 09:00-12:00, 14:00-18:00.")
    return Hours(week, tuple(special))


def _faults(name: str, spans: Sequence[Span]) -> list[str]:
    if len(spans) > MAX_SPANS:
        return [f"{name} has more than {MAX_SPANS} spans."]
    ordered = sorted(spans)
    return [
        f"{name}: {before} and {after} overlap."
        for before, after in itertools.pairwise(ordered)
        if before.over_midnight or after.opens < before.closes
    ]


def parse(text: str) -> tuple[Span, ...]:
    """Spans as a person types them: `9-12, 14:00–18:00`, `9am to 5pm`; empty or `closed`: none."""
    if text.strip().lower() in _CLOSED:
        return ()
    found: list[Span] = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        opens = _time(match.group(1, 2, 3)) if match else None
        closes = _time(match.group(4, 5, 6)) if match else None
        if opens is None or closes is None:
            raise HoursInvalid(
                f"“{part.strip()[:40]}” is no span of hours.",
                remedy="Write for example 09:00-12:00, 14:00-18:00.",
            )
        found.append(Span(opens, closes))
    return tuple(found)


def parse_special(text: str) -> tuple[Special, ...]:
    """Special days as a person types them, a line each: `2026-12-31 09:00-12:00`,
    `2026-12-24 to 2026-12-26 closed`.
    """
    return tuple(_special(line.strip()) for line in text.splitlines() if line.strip())


def _special(line: str) -> Special:
    match = _SPECIAL.fullmatch(line)
    try:
        first = date.fromisoformat(match[1]) if match else None
        last = date.fromisoformat(match[2]) if match and match[2] else first
    except ValueError:
        first = last = None
    if match is None or first is None or last is None:
        raise HoursInvalid(
            f"“{line[:40]}” names no day.",
            remedy="Write for example 2026-12-24 to 2026-12-26 closed.",
        )
    return Special(first, last, parse(match[3]))


def written_special(special: Sequence[Special]) -> str:
    """As `parse_special` reads it."""
    return "\n".join(
        f"{each.first}{f' to {each.last}' if each.last != each.first else ''} "
        f"{written(each.spans) or 'closed'}"
        for each in special
    )


def _time(parts: Sequence[str | None]) -> time | None:
    hour, minute, half = int(parts[0] or 0), int(parts[1] or 0), (parts[2] or "").lower()
    if half:
        if not 1 <= hour <= _NOON_H:
            return None
        hour = hour % _NOON_H + (_NOON_H if half == "pm" else 0)
    if (hour, minute) == (_MIDNIGHT_H, 0):
        hour = 0
    return time(hour, minute) if hour < _MIDNIGHT_H and minute < 60 else None  # noqa: PLR2004 - a clock's face


def written(spans: Sequence[Span]) -> str:
    """As `parse` reads it: `09:00–12:00, 14:00–18:00`."""
    return ", ".join(str(span) for span in spans)


def to_json(hours: Hours) -> dict[str, Any]:
    """As it is stored."""
    return {
        "week": {day: _pairs(spans) for day, spans in zip(DAYS, hours.week, strict=True)},
        "special": [
            {
                "first": each.first.isoformat(),
                "last": each.last.isoformat(),
                "spans": _pairs(each.spans),
                "note": each.note,
            }
            for each in hours.special
        ],
    }


def from_json(stored: Mapping[str, Any]) -> Hours:
    """What `to_json` wrote."""
    return Hours(
        week=tuple(_spans(stored["week"][day]) for day in DAYS),
        special=tuple(
            Special(
                date.fromisoformat(each["first"]),
                date.fromisoformat(each["last"]),
                _spans(each["spans"]),
                each["note"],
            )
            for each in stored["special"]
        ),
    )


def _pairs(spans: Sequence[Span]) -> list[list[str]]:
    return [[f"{span.opens:%H:%M}", f"{span.closes:%H:%M}"] for span in spans]


def _spans(pairs: Sequence[Sequence[str]]) -> tuple[Span, ...]:
    return tuple(Span(time.fromisoformat(a), time.fromisoformat(b)) for a, b in pairs)
