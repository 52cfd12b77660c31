"""A calendar as a feed that calendar programs subscribe to (RFC 5545), behind a secret link.

Read only: programs ask it again every so often. Whoever has the link reads it; another link ends
the old one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from offhook.bookings import calendars, service
from offhook.bookings.models import Appointment, AppointmentState, Calendar
from offhook.bookings.words import people
from offhook.db import now
from offhook.teams import SystemSession

router = APIRouter(include_in_schema=False)
PAST = timedelta(days=90)
MOST = 5_000
REFRESH = timedelta(minutes=15)


@router.get("/feeds/{calendar_id}/{token}.ics")
async def feed(
    request: Request,
    calendar_id: Annotated[str, Path(max_length=40)],
    token: Annotated[str, Path(max_length=80)],
    session: SystemSession,
) -> Response:
    """The appointments of the last 90 days and all that are to come."""
    calendar = await calendars.by_feed(session, request.app.state.web.secret, calendar_id, token)
    query = service.listed(
        calendar.team_id, calendar_id=calendar.id, start=await now(session) - PAST
    )
    rows = await session.scalars(query.order_by(Appointment.starts_at.desc()).limit(MOST))
    return Response(
        written(calendar, rows.all()),
        media_type="text/calendar",
        headers={"Cache-Control": "private, no-cache"},
    )


def written(calendar: Calendar, appointments: Sequence[Appointment]) -> bytes:
    """The feed's octets."""
    return document(
        appointments,
        ("x-wr-calname", calendar.name, {}),
        ("refresh-interval", REFRESH, {"value": "DURATION"}),
    )


def document(
    appointments: Sequence[Appointment], *more: tuple[str, object, dict[str, str]]
) -> bytes:
    """Appointments as an iCalendar object; `more` are its further properties."""
    import icalendar

    whole: Any = icalendar.Calendar()  # its methods are partly untyped
    whole.add("prodid", "-//Offhook//Bookings//EN")
    whole.add("version", "2.0")
    for name, value, parameters in more:
        whole.add(name, value, parameters=parameters)
    for each in appointments:
        whole.add_component(event(each))
    return whole.to_ical()


def event(appointment: Appointment) -> Any:
    """One appointment as a VEVENT."""
    import icalendar

    made: Any = icalendar.Event()
    cancelled = appointment.state is AppointmentState.CANCELLED
    party = f" ({people(appointment.party_size)})" if appointment.party_size > 1 else ""
    made.add("uid", uid(appointment))
    made.add("dtstamp", appointment.updated_at)
    made.add("dtstart", appointment.starts_at)
    made.add("dtend", appointment.ends_at)
    made.add("summary", f"{appointment.name}{party}")
    made.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    made.add("sequence", appointment.revision - 1)
    made.add("created", appointment.created_at)
    made.add("last-modified", appointment.updated_at)
    if described := "\n".join(filter(None, [appointment.phone, appointment.notes])):
        made.add("description", described)
    return made


def uid(appointment: Appointment) -> str:
    """Of the appointment in any calendar program, for good."""
    return f"{appointment.id}@offhook"
