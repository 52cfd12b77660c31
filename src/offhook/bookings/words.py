"""How times, refusals and bookings are said: sentences for callers, texters and pages alike. Pure.

English, as every fixed sentence of the product; times are those of the calendar's wall clock.
"""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from offhook.bookings.slots import Refusal, Slot, day_of


def day_name(day: date, today: date | None = None) -> str:
    """`Friday, 15 May`; with the year where it is not this one."""
    year = f" {day.year}" if today is not None and day.year != today.year else ""
    return f"{day:%A}, {day.day} {day:%B}{year}"


def clock(instant: datetime, zone: ZoneInfo) -> str:
    """`19:00`."""
    return f"{instant.astimezone(zone):%H:%M}"


def moment(instant: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """`Friday, 15 May at 19:00`."""
    today = day_of(zone, now) if now is not None else None
    return f"{day_name(day_of(zone, instant), today)} at {clock(instant, zone)}"


def joined(parts: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def offered(slots: Sequence[Slot], wanted: datetime, zone: ZoneInfo) -> str:
    """`18:30 and 20:00 are free`, naming the day where it is another; empty when nothing is."""
    if not slots:
        return ""
    day = day_of(zone, wanted)
    if all(day_of(zone, slot.start) == day for slot in slots):
        named = [clock(slot.start, zone) for slot in slots]
    else:
        named = [moment(slot.start, zone) for slot in slots]
    return f"{joined(named)} {'is' if len(named) == 1 else 'are'} free"


def refused(why: Refusal, wanted: datetime, zone: ZoneInfo, *, most: int = 1) -> str:
    """Why a time cannot be booked, without an end mark: `Friday, 15 May at 19:00 is full`."""
    when = moment(wanted, zone)
    return {
        Refusal.TOO_MANY: f"There is room for {most} at most",
        Refusal.PAST: f"{when} is in the past",
        Refusal.TOO_SOON: f"{when} is too soon to be booked",
        Refusal.TOO_FAR: f"{when} is too far ahead to be booked",
        Refusal.CLOSED: f"We are not open for that on {day_name(day_of(zone, wanted))}"
        f" at {clock(wanted, zone)}",
        Refusal.OFF_GRID: f"Nothing begins at {clock(wanted, zone)}"
        f" on {day_name(day_of(zone, wanted))}",
        Refusal.FULL: f"{when} is full",
    }[why]


def answer(why: str, slots: Sequence[Slot], wanted: datetime, zone: ZoneInfo) -> str:
    """A refusal and what is free instead: `Friday, 15 May at 19:00 is full; 18:30 is free.`"""
    instead = offered(slots, wanted, zone)
    return f"{why}; {instead}." if instead else f"{why}."
