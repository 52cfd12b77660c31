"""Bookings: calendars with opening hours and slots, and the appointments in them.

    calendar = await bookings.create_calendar(session, team_id, Definition("Tables", "Europe/Paris",
        slot_minutes=120, places=40, counts_people=True))
    slots = await bookings.free(session, team_id, calendar.id, first_day, last_day, party_size=4)
    made = await bookings.book(session, team_id, Wish(calendar.id, slots[0].start, Guest("Ann Lee"),
        party_size=4, key=run_key))                 # may raise NotFree: "… is full; 18:30 is free."
    await bookings.move(session, team_id, made.id, slots[1].start)
    await bookings.cancel(session, team_id, made.id)

These are of one transaction. A calendar may be kept on a CalDAV server: `Desk` books, moves and
cancels wherever it is, each in transactions of its own. A key never books twice, two never get the
last place. `hours` and `slots` are pure, `words` says times and refusals. Knows no contact and no
conversation but by their ids.
"""

from offhook.bookings import hours, words
from offhook.bookings.calendars import create as create_calendar
from offhook.bookings.calendars import definition
from offhook.bookings.calendars import get as calendar
from offhook.bookings.calendars import listed as calendars_of
from offhook.bookings.contact_keeping import Appointments
from offhook.bookings.desk import SERVER_PROBLEMS, Desk
from offhook.bookings.hours import Hours, Span, Special
from offhook.bookings.mirror import register as register_jobs
from offhook.bookings.models import Appointment, AppointmentState, Calendar
from offhook.bookings.problems import (
    AppointmentInvalid,
    AppointmentNotFound,
    AppointmentStepRefused,
    CalendarNotFound,
    NotFree,
)
from offhook.bookings.rules import Definition, Guest
from offhook.bookings.service import (
    Wish,
    book,
    cancel,
    changed_by,
    check_free,
    free,
    get,
    move,
    own_at,
)
from offhook.bookings.shapes import HoursShape
from offhook.bookings.slots import Slot, at, is_open

__all__ = [
    "SERVER_PROBLEMS",
    "Appointment",
    "AppointmentInvalid",
    "AppointmentNotFound",
    "AppointmentState",
    "AppointmentStepRefused",
    "Appointments",
    "Calendar",
    "CalendarNotFound",
    "Definition",
    "Desk",
    "Guest",
    "Hours",
    "HoursShape",
    "NotFree",
    "Slot",
    "Span",
    "Special",
    "Wish",
    "at",
    "book",
    "calendar",
    "calendars_of",
    "cancel",
    "changed_by",
    "check_free",
    "create_calendar",
    "definition",
    "free",
    "get",
    "hours",
    "is_open",
    "move",
    "own_at",
    "register_jobs",
    "words",
]
