"""The kind "Booking": book a time in a calendar of the team, move or cancel one's own (T2).

Who asks is who the conversation is with: a booking is found only for the contact or number that it
was made for, and only by whoever names its day and time, which is what they know besides their
number (SEC10). A run's id is the booking's key, so a run that is repeated books nothing twice.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from offhook import bookings
from offhook.bookings import (
    Appointment,
    AppointmentState,
    Calendar,
    CalendarNotFound,
    Desk,
    Guest,
    NotFree,
    Wish,
    words,
)
from offhook.db import Session
from offhook.tasks.kinds import Done, Kind, Means, NotDone, Order, Outcome
from offhook.tasks.rules import REACHABLE, Effect
from offhook.tasks.toolbox import Input, InputType

log = logging.getLogger(__name__)
MAX_PARTY = 1_000
NOT_FOUND = "not_found"
NOT_REACHED = "I am sorry, I cannot reach the calendar at the moment."
NO_CALENDAR = "I am sorry, I cannot book that any more."


class Action(StrEnum):
    BOOK = "book"
    MOVE = "move"
    CANCEL = "cancel"


class BookingConfig(BaseModel):
    """Which calendar, and what is done in it."""

    model_config = ConfigDict(extra="forbid")
    calendar_id: str = Field(min_length=1, max_length=40, title="Calendar")
    action: Action = Field(default=Action.BOOK, title="What it does")
    party: bool = Field(
        default=False, title="Ask for how many", description="People who come, in the booking."
    )


DATE = Input("date", InputType.DATE, description="The day.", question="For which day?")
TIME = Input("time", InputType.TIME, description="When it begins.", question="At what time?")
PARTY = Input(
    "party_size",
    InputType.INTEGER,
    description="How many people.",
    question="For how many people?",
    minimum=1,
    maximum=MAX_PARTY,
)
NAME = Input(
    "name",
    InputType.TEXT,
    description="For whom it is booked.",
    question="What name shall I put it under?",
)
BOOKED_DATE = Input(
    "date",
    InputType.DATE,
    description="The day of their booking, as they say it.",
    question="On which day is your booking?",
    proof=True,
)
BOOKED_TIME = Input(
    "time",
    InputType.TIME,
    description="The time of their booking, as they say it.",
    question="At what time is your booking?",
    proof=True,
)
NEW_DATE = Input(
    "new_date", InputType.DATE, description="The new day.", question="To which day shall I move it?"
)
NEW_TIME = Input(
    "new_time", InputType.TIME, description="The new time.", question="And to what time?"
)


def inputs(config: BookingConfig) -> Sequence[Input]:
    """What is asked for, in this order."""
    match config.action:
        case Action.BOOK:
            return (DATE, TIME, *((PARTY,) if config.party else ()), NAME)
        case Action.MOVE:
            return (BOOKED_DATE, BOOKED_TIME, NEW_DATE, NEW_TIME)
        case Action.CANCEL:
            return (BOOKED_DATE, BOOKED_TIME)


def readback(order: Order) -> str:
    """What is said before it is done."""
    given = order.inputs
    config: BookingConfig = order.config
    when = _spoken(given["date"], given["time"])
    match config.action:
        case Action.BOOK:
            party = f"for {words.people(given['party_size'])} " if "party_size" in given else ""
            return f"I would book {party}on {when}, under the name {given['name']}"
        case Action.MOVE:
            new = _spoken(given["new_date"], given["new_time"])
            return f"I would move your booking from {when} to {new}"
        case Action.CANCEL:
            return f"I would cancel your booking on {when}"


async def examine(session: Session, order: Order) -> Mapping[str, str]:
    """What speaks against it before anything is read back: a full slot with what is free instead,
    a booking that is not theirs.
    """
    config: BookingConfig = order.config
    try:
        calendar = await bookings.calendar(session, order.scope.team_id, config.calendar_id)
    except CalendarNotFound:
        return {"": NO_CALENDAR}
    day, clock = ("date", "time") if config.action is Action.BOOK else ("new_date", "new_time")
    own: Appointment | None = None
    if config.action is not Action.BOOK:
        start = _instant(calendar, order, "date", "time")
        own = await _own(session, order, start) if start is not None else None
        if own is None:
            return {"time": _none_of_theirs(order)}
    if config.action is Action.CANCEL:
        return {}
    wanted = _instant(calendar, order, day, clock)
    if wanted is None:
        return {clock: _skipped(order, day, clock)}
    try:
        await bookings.check_free(
            session, calendar, wanted, party_size=order.inputs.get("party_size", 1), but=own
        )
    except NotFree as full:
        return {_field(full, config, day, clock): full.sentence}
    return {}


async def act(means: Means, order: Order) -> Outcome:
    """Do it where the calendar is kept."""
    config: BookingConfig = order.config
    team_id = order.scope.team_id
    desk = bookings.Desk(means.database, means.vault, means.outgoing)
    try:
        async with means.database.team(team_id) as session:
            calendar = await bookings.calendar(session, team_id, config.calendar_id)
        match config.action:
            case Action.BOOK:
                return await _book(desk, order, calendar)
            case Action.MOVE:
                return await _move(desk, order, calendar)
            case Action.CANCEL:
                return await _cancel(desk, order, calendar)
    except NotFree as full:
        return NotDone(full.sentence, code=full.code, sent=False)
    except CalendarNotFound as gone:
        return NotDone(NO_CALENDAR, code=gone.code, sent=False)
    except bookings.SERVER_PROBLEMS as problem:  # it was undone, here and there
        log.warning("run %s: %s", order.run_id, problem.sentence)
        return NotDone(NOT_REACHED, code=problem.code, sent=False, passing=True)


async def _book(desk: Desk, order: Order, calendar: Calendar) -> Outcome:
    scope, given = order.scope, order.inputs
    start = _instant(calendar, order, "date", "time")
    if start is None:
        return NotDone(_skipped(order, "date", "time"), code="no_such_time", sent=False)
    wish = Wish(
        calendar_id=calendar.id,
        start=start,
        guest=Guest(given["name"], scope.caller, contact_id=scope.contact_id or None),
        party_size=given.get("party_size", 1),
        by=scope.agent_id,
        key=order.run_id,
        conversation_id=scope.conversation_id,
    )
    made = await desk.book(scope.team_id, wish)
    if made.state is AppointmentState.CANCELLED:  # by somebody, before a repetition of this run
        return NotDone("That booking was cancelled meanwhile.", code="cancelled", sent=False)
    party = f"for {words.people(made.party_size)} " if "party_size" in given else ""
    when = words.moment(made.starts_at, ZoneInfo(calendar.zone))
    return _done(f"You are booked {party}on {when}, under the name {made.name}.", made, calendar)


async def _move(desk: Desk, order: Order, calendar: Calendar) -> Outcome:
    wanted = _instant(calendar, order, "new_date", "new_time")
    if wanted is None:
        return NotDone(_skipped(order, "new_date", "new_time"), code="no_such_time", sent=False)
    own = await _found(desk, order, calendar)
    if own is None:
        return NotDone(_none_of_theirs(order), code=NOT_FOUND, sent=False)
    moved = await desk.move(order.scope.team_id, own.id, wanted, key=order.run_id)
    when = words.moment(moved.starts_at, ZoneInfo(calendar.zone))
    return _done(f"Your booking is now on {when}.", moved, calendar)


async def _cancel(desk: Desk, order: Order, calendar: Calendar) -> Outcome:
    own = await _found(desk, order, calendar)
    if own is None:
        return NotDone(_none_of_theirs(order), code=NOT_FOUND, sent=False)
    if own.state is not AppointmentState.CANCELLED:
        own = await desk.cancel(order.scope.team_id, own.id, key=order.run_id)
    when = words.moment(own.starts_at, ZoneInfo(calendar.zone))
    return _done(f"Your booking on {when} is cancelled.", own, calendar)


async def _found(desk: Desk, order: Order, calendar: Calendar) -> Appointment | None:
    """What an earlier attempt of this very run has changed already; else theirs at that time."""
    async with desk.database.team(order.scope.team_id) as session:
        changed = await bookings.changed_by(session, order.scope.team_id, order.run_id)
        return changed or await _own(session, order, _instant(calendar, order, "date", "time"))


async def _own(session: Session, order: Order, start: datetime | None) -> Appointment | None:
    """Their booking at this instant; none for who hides or fakes their number."""
    scope = order.scope
    if start is None or scope.trust not in REACHABLE:
        return None
    return await bookings.own_at(
        session,
        scope.team_id,
        order.config.calendar_id,
        start,
        contact_id=scope.contact_id or None,
        phone=scope.caller,
    )


def _done(answer: str, appointment: Appointment, calendar: Calendar) -> Done:
    references = {"appointment_id": appointment.id, "calendar_id": calendar.id}
    data = {
        "state": appointment.state.value,
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "party_size": appointment.party_size,
        "name": appointment.name,
    }
    return Done(answer, data=data, references=references)


def _field(full: NotFree, config: BookingConfig, day: str, clock: str) -> str:
    """Which input to ask for anew: the time, unless the whole day or the party is the matter."""
    if full.refusal == "too_many" and config.party:
        return PARTY.name
    return clock if full.same_day else day


def _instant(calendar: Calendar, order: Order, day: str, clock: str) -> datetime | None:
    wall = datetime.combine(
        date.fromisoformat(order.inputs[day]), time.fromisoformat(order.inputs[clock])
    )
    return bookings.at(ZoneInfo(calendar.zone), wall)


def _spoken(day: str, clock: str) -> str:
    return f"{words.day_name(date.fromisoformat(day))} at {clock}"


def _skipped(order: Order, day: str, clock: str) -> str:
    named = words.day_name(date.fromisoformat(order.inputs[day]))
    return f"There is no {order.inputs[clock]} on {named}: the clock is put forward."


def _none_of_theirs(order: Order) -> str:
    when = _spoken(order.inputs["date"], order.inputs["time"])
    return f"I find no booking of yours on {when}."


async def choices(session: Session, team_id: str) -> Mapping[str, Sequence[tuple[str, str]]]:
    """The team's calendars, for the page."""
    calendars = await bookings.calendars_of(session, team_id)
    return {"calendar_id": [(each.id, each.name) for each in calendars]}


KIND = Kind(
    name="booking",
    title="Booking",
    description="Books a time in a calendar, or moves or cancels the caller’s own booking.",
    icon="calendar-days",
    config=BookingConfig,
    effect=lambda _: Effect.ACT,
    outside=act,
    repeatable=lambda _: True,
    inputs=inputs,
    examine=examine,
    readback=readback,
    choices=choices,
)
