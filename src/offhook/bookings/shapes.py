"""What REST takes and gives of bookings: hours, calendars, slots, appointments."""

from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
)

from offhook.bookings import calendars
from offhook.bookings.hours import DAYS, WORKING_DAYS, Hours, Span, Special
from offhook.bookings.models import Appointment, AppointmentState, Calendar
from offhook.web import shapes

PartySize = Annotated[int, Field(ge=1, le=1_000)]
Length = Annotated[int, shapes.told(minimum=5, maximum=1_440)]
Buffer = Annotated[int, shapes.told(minimum=0, maximum=480)]
Lead = Annotated[int, shapes.told(minimum=0, maximum=43_200)]
Horizon = Annotated[int, shapes.told(minimum=1, maximum=730)]
Places = Annotated[int, shapes.told(minimum=1, maximum=1_000)]


class SpanShape(shapes.Exact):
    """Open from `opens` to `closes` on the wall clock; no later than `opens`: on the next day."""

    opens: shapes.Clock = Field(examples=["09:00"])
    closes: shapes.Clock = Field(examples=["17:00"])


class SpecialShape(shapes.Exact):
    """Days, `first` and `last` included, with hours of their own; without spans they are closed."""

    first: shapes.Day
    last: shapes.Day
    spans: list[SpanShape] = Field(default=[], max_length=6)
    note: str = Field(default="", max_length=80)


def _shapes(spans: tuple[Span, ...]) -> list[SpanShape]:
    return [SpanShape(opens=each.opens, closes=each.closes) for each in spans]


def _spans(shapes: list[SpanShape]) -> tuple[Span, ...]:
    return tuple(Span(_minute(each.opens), _minute(each.closes)) for each in shapes)


def _minute(clock: time) -> time:
    return clock.replace(second=0, microsecond=0, tzinfo=None)


Spans = Annotated[list[SpanShape], shapes.told(maxItems=6)]


class HoursShape(shapes.Exact):
    """Opening hours: spans of each weekday, and special days that replace them."""

    mon: Spans = Field(default=[])
    tue: Spans = Field(default=[])
    wed: Spans = Field(default=[])
    thu: Spans = Field(default=[])
    fri: Spans = Field(default=[])
    sat: Spans = Field(default=[])
    sun: Spans = Field(default=[])
    special: list[SpecialShape] = Field(default=[], max_length=200)

    @classmethod
    def of(cls, hours: Hours) -> "HoursShape":
        week = {day: _shapes(spans) for day, spans in zip(DAYS, hours.week, strict=True)}
        special = [
            SpecialShape(
                first=each.first, last=each.last, spans=_shapes(each.spans), note=each.note
            )
            for each in hours.special
        ]
        return cls.model_validate({**week, "special": special})

    def hours(self) -> Hours:
        return Hours(
            week=tuple(_spans(getattr(self, day)) for day in DAYS),
            special=tuple(
                Special(each.first, each.last, _spans(each.spans), each.note.strip())
                for each in self.special
            ),
        )


class CalendarIn(shapes.Exact):
    name: shapes.Name
    zone: shapes.Zone | Literal[""] = Field(default="", description="Empty: the team's.")
    hours: HoursShape = HoursShape.of(WORKING_DAYS)
    slot_minutes: Length = Field(default=30, description="How long an appointment lasts.")
    step_minutes: Length = Field(default=30, description="A slot begins this often.")
    buffer_minutes: Buffer = Field(default=0, description="Kept free after each.")
    lead_minutes: Lead = Field(default=60, description="The shortest notice.")
    horizon_days: Horizon = Field(default=60, description="How far ahead it can be booked.")
    places: Places = Field(default=1, description="What can be booked at the same time.")
    counts_people: bool = Field(
        default=False, description="Each person of a party takes a place; else a party takes one."
    )


class CalendarChange(shapes.Exact):
    """What is given is changed; hours are replaced as a whole."""

    name: shapes.Name | None = None
    zone: shapes.Zone | None = None
    hours: HoursShape | None = None
    slot_minutes: Length | None = None
    step_minutes: Length | None = None
    buffer_minutes: Buffer | None = None
    lead_minutes: Lead | None = None
    horizon_days: Horizon | None = None
    places: Places | None = None
    counts_people: bool | None = None


class ServerIn(shapes.Exact):
    url: shapes.Url = Field(
        description="Of the calendar, or of a server or user that has one calendar.",
    )
    username: Annotated[shapes.Text, Field(max_length=200)]
    password: SecretStr = Field(
        min_length=1, max_length=200, description="Many providers make one for an app."
    )


class ServerOut(BaseModel):
    """The CalDAV server that keeps a calendar. The password is never told again."""

    url: str
    username: str
    read_at: datetime | None
    error: str = Field(description="Why it could not be read last; empty where it could.")


class CalendarOut(BaseModel):
    id: str
    name: str
    zone: str
    hours: HoursShape
    slot_minutes: int
    step_minutes: int
    buffer_minutes: int
    lead_minutes: int
    horizon_days: int
    places: int
    counts_people: bool
    server: ServerOut | None = Field(description="null: it is kept here.")
    created_at: datetime

    @classmethod
    def of(cls, calendar: Calendar) -> "CalendarOut":
        made = {"hours", "server"}
        plain = {name: getattr(calendar, name) for name in cls.model_fields if name not in made}
        hours = HoursShape.of(calendars.definition(calendar).hours)
        server = ServerOut(
            url=calendar.server_url,
            username=calendar.server_user,
            read_at=calendar.read_at,
            error=calendar.read_error,
        )
        where = server if calendar.server_url else None
        return cls.model_validate({**plain, "hours": hours, "server": where})


class FeedOut(BaseModel):
    url: str = Field(description="Whoever has it reads the calendar. Empty: there is no feed.")


class SlotOut(BaseModel):
    starts_at: datetime
    ends_at: datetime
    free: int = Field(description="How many places are free.")


class AppointmentIn(shapes.Exact):
    """`key` makes a repetition harmless: the same key gives the same appointment."""

    calendar_id: str = Field(max_length=40)
    starts_at: shapes.Instant = Field(
        description="With its offset, such as 2026-05-15T19:00+02:00."
    )
    name: shapes.Name = Field(description="For whom it is.")
    party_size: PartySize = 1
    phone: shapes.Phone | Literal[""] = Field(
        default="", description="A number of the team's country."
    )
    notes: str = Field(default="", max_length=4_000)
    contact_id: str | None = Field(default=None, max_length=40)
    key: str | None = Field(default=None, min_length=1, max_length=200)
    by_hand: bool = Field(
        default=False,
        description="Not held to opening hours, steps, notice and horizon; never overbooked.",
    )


class MoveIn(shapes.Exact):
    starts_at: shapes.Instant
    by_hand: bool = False


class GuestChange(shapes.Exact):
    name: str | None = Field(default=None, max_length=200)
    phone: str | None = Field(default=None, max_length=40)
    notes: str | None = Field(default=None, max_length=4_000)


class AppointmentOut(BaseModel):
    id: str
    calendar_id: str
    state: AppointmentState = Field(description="`moved` is booked, at another time than first.")
    starts_at: datetime
    ends_at: datetime
    party_size: int
    name: str
    phone: str
    notes: str
    contact_id: str | None
    conversation_id: str | None
    booked_by: str
    moved_from: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, appointment: Appointment) -> "AppointmentOut":
        return cls.model_validate(appointment, from_attributes=True)
