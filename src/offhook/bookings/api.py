"""REST of bookings: calendars, their free slots, appointments."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from offhook import phone
from offhook.bookings import calendars, mirror, service
from offhook.bookings.desk import Desk
from offhook.bookings.models import Appointment, AppointmentState, Calendar
from offhook.bookings.rules import Definition, Guest
from offhook.bookings.server import Account
from offhook.bookings.service import Wish
from offhook.bookings.shapes import (
    AppointmentIn,
    AppointmentOut,
    CalendarChange,
    CalendarIn,
    CalendarOut,
    FeedOut,
    GuestChange,
    MoveIn,
    ServerIn,
    SlotOut,
)
from offhook.bookings.web import CurrentDesk
from offhook.teams import Actor, AdminActor, CurrentActor, OnceOnly, TeamSession
from offhook.web import Page, PagingQuery, paginate, shapes

router = APIRouter(prefix="/api/v1", tags=["bookings"])


@router.get("/calendars")
async def list_calendars(actor: CurrentActor, session: TeamSession) -> list[CalendarOut]:
    """The team's calendars, the oldest first."""
    return [CalendarOut.of(each) for each in await calendars.listed(session, actor.team_id)]


@router.post("/calendars", status_code=HTTPStatus.CREATED, response_model=CalendarOut)
async def create_calendar(
    body: CalendarIn, actor: AdminActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Add a calendar that can be booked from now on."""

    async def work() -> CalendarOut:
        given = body.model_dump(exclude={"hours"})
        given["zone"] = body.zone or actor.timezone
        wanted = Definition(hours=body.hours.hours(), **given)
        return CalendarOut.of(await calendars.create(session, actor.team_id, wanted))

    return await once(work)


@router.get("/calendars/{calendar_id}")
async def get_calendar(calendar_id: str, actor: CurrentActor, session: TeamSession) -> CalendarOut:
    return CalendarOut.of(await calendars.get(session, actor.team_id, calendar_id))


@router.patch("/calendars/{calendar_id}")
async def change_calendar(
    calendar_id: str, body: CalendarChange, actor: AdminActor, session: TeamSession
) -> CalendarOut:
    """Change it; what is booked stays as it was booked."""
    calendar = await calendars.get(session, actor.team_id, calendar_id)
    before = calendars.definition(calendar)
    given = body.model_dump(exclude_none=True, exclude={"hours"})
    kept = {name: getattr(before, name) for name in CalendarChange.model_fields}
    if body.hours is not None:
        given["hours"] = body.hours.hours()
    wanted = Definition(**kept | given)
    return CalendarOut.of(await calendars.change(session, actor.team_id, calendar_id, wanted))


@router.delete("/calendars/{calendar_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_calendar(calendar_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """Delete it; 409 `calendar_in_use` while appointments are still to come."""
    await calendars.delete(session, actor.team_id, calendar_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/calendars/{calendar_id}/feed")
async def get_feed(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession
) -> FeedOut:
    """The secret link under which calendar programs read it; empty where there is none."""
    return _feed(request, await calendars.get(session, actor.team_id, calendar_id))


@router.post("/calendars/{calendar_id}/feed")
async def renew_feed(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession
) -> FeedOut:
    """Make a link, or another one; the old one ends at once."""
    return _feed(request, await calendars.renew_feed(session, actor.team_id, calendar_id))


@router.delete("/calendars/{calendar_id}/feed", status_code=HTTPStatus.NO_CONTENT)
async def end_feed(calendar_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """No link opens it any more."""
    await calendars.end_feed(session, actor.team_id, calendar_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.put("/calendars/{calendar_id}/server")
async def connect_server(
    calendar_id: str, body: ServerIn, actor: AdminActor, desk: CurrentDesk
) -> CalendarOut:
    """Keep it on a CalDAV server, which is asked now; 422 `calendar_invalid` lists its calendars
    where the address is not that of one.
    """
    account = Account(body.url.strip(), body.username.strip(), body.password.get_secret_value())
    await mirror.connect(desk, actor.team_id, calendar_id, account)
    return await _fresh(desk, actor, calendar_id)


@router.post("/calendars/{calendar_id}/server/read")
async def read_server(calendar_id: str, actor: CurrentActor, desk: CurrentDesk) -> CalendarOut:
    """Read its server now; `server.error` says why it could not be read."""
    await mirror.read(desk, actor.team_id, calendar_id)
    return await _fresh(desk, actor, calendar_id)


@router.delete("/calendars/{calendar_id}/server")
async def disconnect_server(
    calendar_id: str, actor: AdminActor, session: TeamSession
) -> CalendarOut:
    """Keep it here from now on; nothing is changed on the server."""
    return CalendarOut.of(await mirror.disconnect(session, actor.team_id, calendar_id))


@router.get("/calendars/{calendar_id}/slots")
async def list_slots(
    calendar_id: str,
    actor: CurrentActor,
    session: TeamSession,
    first: Annotated[shapes.Day, Query(description="The first day, where the calendar is.")],
    last: Annotated[shapes.Day, Query(description="The last day, at most 61 days later.")],
    party_size: Annotated[int, Query(ge=1, le=1_000)] = 1,
) -> list[SlotOut]:
    """The times that can be booked and have room for the party, in order."""
    found = await service.free(session, actor.team_id, calendar_id, first, last, party_size)
    return [SlotOut(starts_at=each.start, ends_at=each.end, free=each.free) for each in found]


@router.get("/appointments")
async def list_appointments(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    calendar_id: Annotated[str | None, Query(max_length=40)] = None,
    contact_id: Annotated[str | None, Query(max_length=40)] = None,
    start: Annotated[shapes.Instant | None, Query(description="Those that end later.")] = None,
    end: Annotated[shapes.Instant | None, Query(description="Those that begin earlier.")] = None,
    state: AppointmentState | None = None,
) -> Page[AppointmentOut]:
    """Appointments, the latest first."""
    query = service.listed(
        actor.team_id,
        calendar_id=calendar_id,
        contact_id=contact_id,
        start=start,
        end=end,
        state=state,
    )
    rows, after = await paginate(session, query, paging, Appointment.starts_at, Appointment.id)
    return Page(items=[AppointmentOut.of(row) for row in rows], next=after)


@router.post("/appointments", status_code=HTTPStatus.CREATED)
async def book(
    body: AppointmentIn,
    actor: CurrentActor,
    desk: CurrentDesk,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> AppointmentOut:
    """Book a time; 409 `time_not_free` says why it cannot be had, with the nearest that can.

    The same `key`, or `Idempotency-Key`, gives the same appointment.
    """
    wish = Wish(
        calendar_id=body.calendar_id,
        start=body.starts_at,
        guest=Guest(body.name, _phone(body.phone, actor.country), body.notes, body.contact_id),
        party_size=body.party_size,
        by=actor.who,
        by_hand=body.by_hand,
        key=body.key or idempotency_key,
    )
    return AppointmentOut.of(await desk.book(actor.team_id, wish))


@router.get("/appointments/{appointment_id}")
async def get_appointment(
    appointment_id: str, actor: CurrentActor, session: TeamSession
) -> AppointmentOut:
    return AppointmentOut.of(await service.get(session, actor.team_id, appointment_id))


@router.patch("/appointments/{appointment_id}")
async def describe(
    appointment_id: str, body: GuestChange, actor: CurrentActor, desk: CurrentDesk
) -> AppointmentOut:
    """Change name, phone and notes; what is not given stays."""
    async with desk.database.team(actor.team_id) as session:
        before = await service.get(session, actor.team_id, appointment_id)
    guest = Guest(
        before.name if body.name is None else body.name,
        before.phone if body.phone is None else _phone(body.phone, actor.country),
        before.notes if body.notes is None else body.notes,
    )
    return AppointmentOut.of(await desk.describe(actor.team_id, appointment_id, guest))


@router.post("/appointments/{appointment_id}/move")
async def move(
    appointment_id: str, body: MoveIn, actor: CurrentActor, desk: CurrentDesk
) -> AppointmentOut:
    """Move it to another time of its calendar; repeated, it changes nothing."""
    moved = await desk.move(actor.team_id, appointment_id, body.starts_at, by_hand=body.by_hand)
    return AppointmentOut.of(moved)


@router.post("/appointments/{appointment_id}/cancel")
async def cancel(appointment_id: str, actor: CurrentActor, desk: CurrentDesk) -> AppointmentOut:
    """Cancel it and give its places back."""
    return AppointmentOut.of(await desk.cancel(actor.team_id, appointment_id))


async def _fresh(desk: Desk, actor: Actor, calendar_id: str) -> CalendarOut:
    async with desk.database.team(actor.team_id) as session:
        return CalendarOut.of(await calendars.get(session, actor.team_id, calendar_id))


def _feed(request: Request, calendar: Calendar) -> FeedOut:
    return FeedOut(url=calendars.feed_url(request.app.state.web, calendar))


def _phone(text: str, country: str) -> str:
    return phone.parse(text, country) if text.strip() else ""
