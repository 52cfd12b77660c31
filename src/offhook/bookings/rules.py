"""What a calendar and a booking may be, and the life of an appointment. Pure.

    booked     --move-->    moved
    moved      --move-->    moved
    booked     --cancel-->  cancelled
    moved      --cancel-->  cancelled

A moved appointment is held as a booked one is; a cancelled one takes no place and ends there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, available_timezones

from offhook.bookings.hours import WORKING_DAYS, Hours, check
from offhook.bookings.models import AppointmentState
from offhook.bookings.problems import AppointmentInvalid, CalendarInvalid
from offhook.bookings.slots import Plan

MAX_NAME = 80
MAX_NOTES = 2_000
MAX_PARTY = 1_000
EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 1, 1)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Step(StrEnum):
    MOVE = "move"
    CANCEL = "cancel"


NEXT: dict[tuple[AppointmentState, Step], AppointmentState] = {
    (AppointmentState.BOOKED, Step.MOVE): AppointmentState.MOVED,
    (AppointmentState.MOVED, Step.MOVE): AppointmentState.MOVED,
    (AppointmentState.BOOKED, Step.CANCEL): AppointmentState.CANCELLED,
    (AppointmentState.MOVED, Step.CANCEL): AppointmentState.CANCELLED,
}
HELD = frozenset(state for state, _ in NEXT)
"""The states in which an appointment takes its places."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything that a team sets of a calendar."""

    name: str
    zone: str
    hours: Hours = WORKING_DAYS
    slot_minutes: int = 30
    step_minutes: int = 30
    buffer_minutes: int = 0
    lead_minutes: int = 60
    horizon_days: int = 60
    places: int = 1
    counts_people: bool = False

    @property
    def plan(self) -> Plan:
        return Plan(
            zone=ZoneInfo(self.zone),
            hours=self.hours,
            length=timedelta(minutes=self.slot_minutes),
            step=timedelta(minutes=self.step_minutes),
            buffer=timedelta(minutes=self.buffer_minutes),
            lead=timedelta(minutes=self.lead_minutes),
            horizon_days=self.horizon_days,
            places=self.places,
        )

    def places_for(self, party_size: int) -> int:
        """How many places a party takes."""
        return party_size if self.counts_people else 1


NUMBERS: Mapping[str, tuple[str, int, int]] = {
    "slot_minutes": ("An appointment lasts", 5, 1_440),
    "step_minutes": ("The time between two starts is", 5, 1_440),
    "buffer_minutes": ("The time kept free afterwards is", 0, 480),
    "lead_minutes": ("The shortest notice is", 0, 43_200),
    "horizon_days": ("It can be booked ahead for", 1, 730),
    "places": ("The places at the same time are", 1, 1_000),
}


def checked(wanted: Definition) -> Definition:
    """The same, tidy. Raises CalendarInvalid with every fault by its field, or HoursInvalid."""
    errors: list[dict[str, str]] = []

    def wrong(field: str, sentence: str) -> None:
        errors.append({"field": field, "sentence": sentence})

    name = tidy(wanted.name)
    if not 1 <= len(name) <= MAX_NAME:
        wrong("name", f"A name has 1 to {MAX_NAME} characters, not {len(name)}.")
    if wanted.zone not in available_timezones():
        wrong("zone", f"“{wanted.zone[:60]}” is no time zone.")
    for field, (label, least, most) in NUMBERS.items():
        value = getattr(wanted, field)
        if not least <= value <= most:
            wrong(field, f"{label} {least:,} to {most:,}, not {value:,}.")
    if errors:
        raise CalendarInvalid(
            " ".join(each["sentence"] for each in errors),
            remedy="Correct it and save again.",
            errors=errors,
        )
    return replace(wanted, name=name, hours=check(wanted.hours))


@dataclass(frozen=True, slots=True)
class Guest:
    """For whom it is: a name, and where known a number and a contact."""

    name: str
    phone: str = ""
    notes: str = ""
    contact_id: str | None = None


def checked_guest(guest: Guest, party_size: int) -> Guest:
    """The same, tidy. Raises AppointmentInvalid with every fault by its field."""
    name, notes = tidy(guest.name), _INVISIBLE.sub("", guest.notes).strip()
    errors: list[dict[str, str]] = []
    if not 1 <= len(name) <= MAX_NAME:
        sentence = f"A name has 1 to {MAX_NAME} characters, not {len(name)}."
        errors.append({"field": "name", "sentence": sentence})
    if len(notes) > MAX_NOTES:
        sentence = f"The notes have {len(notes):,} characters, more than {MAX_NOTES:,}."
        errors.append({"field": "notes", "sentence": sentence})
    if not 1 <= party_size <= MAX_PARTY:
        sentence = f"A party has 1 to {MAX_PARTY:,} people, not {party_size:,}."
        errors.append({"field": "party_size", "sentence": sentence})
    if errors:
        raise AppointmentInvalid(
            " ".join(each["sentence"] for each in errors),
            remedy="Correct it and book again.",
            errors=errors,
        )
    return Guest(name, guest.phone, notes, guest.contact_id)


def checked_start(start: datetime) -> datetime:
    """The instant in UTC, to the minute. Raises AppointmentInvalid far from our century."""
    checked_day(start.date())
    return start.astimezone(UTC).replace(second=0, microsecond=0)


def checked_day(day: date) -> date:
    """The same. Raises AppointmentInvalid far from our century."""
    if not EARLIEST <= day < LATEST:
        raise AppointmentInvalid(
            f"{day} cannot be booked.", remedy="Take a day of the coming months."
        )
    return day


def tidy(text: str) -> str:
    return " ".join(_INVISIBLE.sub("", text).split())
