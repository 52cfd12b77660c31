"""Pages of bookings: a calendar's week or day, booking by hand, an appointment, the settings."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import phone
from offhook.bookings import board, calendars, hours, mirror, rules, service, slots, words
from offhook.bookings.hours import DAY_NAMES, DAYS
from offhook.bookings.models import Appointment, Calendar
from offhook.bookings.problems import AppointmentInvalid
from offhook.bookings.rules import Definition, Guest
from offhook.bookings.server import Account
from offhook.bookings.service import Wish
from offhook.bookings.web import CurrentDesk
from offhook.db import Session, now
from offhook.teams import Actor, AdminActor, CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
View = Annotated[str, Query(pattern="^(week|day)$")]
Count = Annotated[int, Form()]


@router.get("/calendars")
async def index(request: Request, actor: CurrentActor, session: TeamSession) -> Response:
    """The first calendar, or what one is for."""
    known = await calendars.listed(session, actor.team_id)
    if known:
        return redirect(request, f"/calendars/{known[0].id}")
    return render(request, "bookings/empty.html", actor=actor)


@router.get("/calendars/add")
async def add_page(request: Request, actor: AdminActor) -> HTMLResponse:
    wanted = Definition("", actor.timezone)
    return render(request, "bookings/add.html", wanted=wanted, zones=_zones(), **_week(wanted))


@router.post("/calendars/add")
async def add(
    request: Request, actor: AdminActor, session: TeamSession, name: Text, zone: Text,
    slot_minutes: Count, step_minutes: Count, places: Count,
    counts_people: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    form = await request.form()
    wanted = Definition(
        name=name,
        zone=zone,
        hours=hours.Hours(_typed_week(form)),
        slot_minutes=slot_minutes,
        step_minutes=step_minutes,
        places=places,
        counts_people=counts_people,
    )
    calendar = await calendars.create(session, actor.team_id, wanted)
    return redirect(request, f"/calendars/{calendar.id}", toast="The calendar is there")


@router.get("/calendars/{calendar_id}")
async def show(
    request: Request, calendar_id: str, actor: CurrentActor, session: TeamSession,
    day: date | None = None, view: View = "week",
) -> HTMLResponse:  # fmt: skip
    """A week, or one day of it."""
    context = await _shown(session, actor, calendar_id, day, view)
    return render(request, "bookings/calendar.html", **context)


@router.get("/calendars/{calendar_id}/board")
async def board_fragment(
    request: Request, calendar_id: str, actor: CurrentActor, session: TeamSession,
    day: date | None = None, view: View = "week",
) -> HTMLResponse:  # fmt: skip
    """The part of it that news reload."""
    context = await _shown(session, actor, calendar_id, day, view)
    return render(request, "bookings/calendar.html", block="board", **context)


@router.get("/calendars/{calendar_id}/book")
async def book_page(
    request: Request, calendar_id: str, actor: CurrentActor, session: TeamSession,
    day: date | None = None, time: Annotated[str, Query(max_length=5)] = "",
) -> HTMLResponse:  # fmt: skip
    calendar = await calendars.get(session, actor.team_id, calendar_id)
    context = await _times(session, calendar, day, 1)
    return render(request, "bookings/book.html", chosen=time, **context)


@router.get("/calendars/{calendar_id}/times")
async def times_fragment(
    request: Request, calendar_id: str, actor: CurrentActor, session: TeamSession,
    day: date | None = None, party_size: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> HTMLResponse:  # fmt: skip
    """The free times of a day, for the forms that book and move."""
    calendar = await calendars.get(session, actor.team_id, calendar_id)
    context = await _times(session, calendar, day, party_size)
    return render(request, "bookings/times.html", chosen="", **context)


@router.post("/calendars/{calendar_id}/book")
async def book(
    request: Request, calendar_id: str, actor: CurrentActor, desk: CurrentDesk, *,
    day: Annotated[date, Form()], time: Text = "", other: Text = "", name: Text = "",
    party_size: Count = 1, number: Text = "", notes: Text = "",
) -> Response:  # fmt: skip
    async with desk.database.team(actor.team_id) as session:
        calendar = await calendars.get(session, actor.team_id, calendar_id)
    given = phone.parse(number, actor.country) if number.strip() else ""
    wish = Wish(
        calendar_id=calendar.id,
        start=_start(calendar, day, other or time),
        guest=Guest(name, given, notes),
        party_size=party_size,
        by=actor.who,
        by_hand=True,
    )
    made = await desk.book(actor.team_id, wish)
    said = words.moment(made.starts_at, ZoneInfo(calendar.zone))
    return redirect(request, _day_of(calendar, made), toast=f"Booked for {said}")


@router.get("/calendars/{calendar_id}/settings")
async def settings_page(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession
) -> HTMLResponse:
    calendar = await calendars.get(session, actor.team_id, calendar_id)
    wanted = calendars.definition(calendar)
    return render(
        request,
        "bookings/settings.html",
        calendar=calendar,
        wanted=wanted,
        zones=_zones(),
        written=hours.written,
        feed=calendars.feed_url(request.app.state.web, calendar),
        **_week(wanted),
    )


@router.post("/calendars/{calendar_id}/settings")
async def save(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession, *,
    name: Text, zone: Text, slot_minutes: Count, step_minutes: Count, buffer_minutes: Count,
    lead_minutes: Count, horizon_days: Count, places: Count,
    counts_people: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    before = calendars.definition(await calendars.get(session, actor.team_id, calendar_id))
    form = await request.form()
    wanted = Definition(
        name=name,
        zone=zone,
        hours=hours.Hours(_typed_week(form), before.hours.special),
        slot_minutes=slot_minutes,
        step_minutes=step_minutes,
        buffer_minutes=buffer_minutes,
        lead_minutes=lead_minutes,
        horizon_days=horizon_days,
        places=places,
        counts_people=counts_people,
    )
    await calendars.change(session, actor.team_id, calendar_id, wanted)
    return redirect(request, f"/calendars/{calendar_id}/settings", toast="Saved")


@router.post("/calendars/{calendar_id}/special")
async def add_special(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession, *,
    first: Annotated[date, Form()], last: Text = "", spans: Text = "", note: Text = "",
) -> Response:  # fmt: skip
    """Days with hours of their own, or closed."""
    added = hours.Special(first, _last(last, first), hours.parse(spans), rules.tidy(note))
    await calendars.add_special(session, actor.team_id, calendar_id, added)
    return redirect(request, f"/calendars/{calendar_id}/settings", toast="Added")


@router.post("/calendars/{calendar_id}/special/{first}/remove")
async def remove_special(
    request: Request, calendar_id: str, first: date, actor: AdminActor, session: TeamSession
) -> Response:
    await calendars.remove_special(session, actor.team_id, calendar_id, first)
    return redirect(request, f"/calendars/{calendar_id}/settings", toast="Removed")


@router.post("/calendars/{calendar_id}/feed")
async def renew_feed(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await calendars.renew_feed(session, actor.team_id, calendar_id)
    return redirect(request, f"/calendars/{calendar_id}/settings", toast="A new link is there")


@router.post("/calendars/{calendar_id}/feed/end")
async def end_feed(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await calendars.end_feed(session, actor.team_id, calendar_id)
    return redirect(request, f"/calendars/{calendar_id}/settings", toast="The link has ended")


@router.post("/calendars/{calendar_id}/server")
async def connect_server(
    request: Request, calendar_id: str, actor: AdminActor, desk: CurrentDesk, *,
    url: Text = "", username: Text = "", password: Text = "",
) -> Response:  # fmt: skip
    """Keep it on a CalDAV server, which is asked now."""
    account = Account(url.strip()[:500], username.strip()[:200], password)
    await mirror.connect(desk, actor.team_id, calendar_id, account)
    return redirect(request, f"/calendars/{calendar_id}/settings", toast="The server answers")


@router.post("/calendars/{calendar_id}/server/read")
async def read_server(
    request: Request, calendar_id: str, actor: CurrentActor, desk: CurrentDesk
) -> Response:
    await mirror.read(desk, actor.team_id, calendar_id)
    return redirect(request, f"/calendars/{calendar_id}/settings", toast="Read")


@router.post("/calendars/{calendar_id}/server/end")
async def disconnect_server(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await mirror.disconnect(session, actor.team_id, calendar_id)
    return redirect(request, f"/calendars/{calendar_id}/settings", toast="It is kept here now")


@router.post("/calendars/{calendar_id}/delete")
async def delete(
    request: Request, calendar_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await calendars.delete(session, actor.team_id, calendar_id)
    return redirect(request, "/calendars", toast="Deleted")


@router.get("/appointments/{appointment_id}")
async def appointment_page(
    request: Request, appointment_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    found = await service.get(session, actor.team_id, appointment_id)
    calendar = await calendars.get(session, actor.team_id, found.calendar_id, deleted_too=True)
    zone = ZoneInfo(calendar.zone)
    day = slots.day_of(zone, found.starts_at)
    context = await _times(session, calendar, day, found.party_size)
    return render(
        request,
        "bookings/appointment.html",
        appointment=found,
        held=found.state in rules.HELD,
        words=words,
        chosen="",
        back=_day_of(calendar, found),
        **context,
    )


@router.post("/appointments/{appointment_id}")
async def describe(
    request: Request, appointment_id: str, actor: CurrentActor, desk: CurrentDesk, *,
    name: Text = "", number: Text = "", notes: Text = "",
) -> Response:  # fmt: skip
    given = phone.parse(number, actor.country) if number.strip() else ""
    await desk.describe(actor.team_id, appointment_id, Guest(name, given, notes))
    return redirect(request, f"/appointments/{appointment_id}", toast="Saved")


@router.post("/appointments/{appointment_id}/move")
async def move(
    request: Request, appointment_id: str, actor: CurrentActor, desk: CurrentDesk, *,
    day: Annotated[date, Form()], time: Text = "", other: Text = "",
) -> Response:  # fmt: skip
    async with desk.database.team(actor.team_id) as session:
        found = await service.get(session, actor.team_id, appointment_id)
        calendar = await calendars.get(session, actor.team_id, found.calendar_id)
    start = _start(calendar, day, other or time)
    moved = await desk.move(actor.team_id, appointment_id, start, by_hand=True)
    said = words.moment(moved.starts_at, ZoneInfo(calendar.zone))
    return redirect(request, f"/appointments/{appointment_id}", toast=f"Moved to {said}")


@router.post("/appointments/{appointment_id}/cancel")
async def cancel(
    request: Request, appointment_id: str, actor: CurrentActor, desk: CurrentDesk
) -> Response:
    found = await desk.cancel(actor.team_id, appointment_id)
    async with desk.database.team(actor.team_id) as session:
        calendar = await calendars.get(session, actor.team_id, found.calendar_id, deleted_too=True)
    return redirect(request, _day_of(calendar, found), toast="Cancelled")


async def _shown(
    session: Session, actor: Actor, calendar_id: str, day: date | None, view: str
) -> dict[str, Any]:
    calendar = await calendars.get(session, actor.team_id, calendar_id)
    plan = calendars.definition(calendar).plan
    today = slots.day_of(plan.zone, await now(session))
    chosen = rules.checked_day(day or today)
    if view == "week":
        first = board.monday(chosen)
        days = [first + timedelta(days=each) for each in range(board.DAYS_A_WEEK)]
    else:
        days = [chosen]
    start, end = slots.bounds(plan.zone, days[0])[0], slots.bounds(plan.zone, days[-1])[1]
    booked = await service.held(session, calendar, start, end)
    free = await service.free_in(session, calendar, days[0], days[-1])
    busy = await service.busy_in(session, calendar, start, end)
    step = timedelta(days=board.DAYS_A_WEEK if view == "week" else 1)
    return {
        "actor": actor,
        "calendar": calendar,
        "others": await calendars.listed(session, actor.team_id),
        "board": board.board(plan, days, booked, free, busy),
        "view": view,
        "today": today,
        "chosen": chosen,
        "before": chosen - step,
        "after": chosen + step,
        "title": _title(days),
        "clock": partial(words.clock, zone=plan.zone),
        "day_name": words.day_name,
    }


async def _times(
    session: Session, calendar: Calendar, day: date | None, party_size: int
) -> dict[str, Any]:
    """The free times of a day, today where none is given."""
    plan = calendars.definition(calendar).plan
    today = slots.day_of(plan.zone, await now(session))
    chosen = rules.checked_day(day or today)
    free = await service.free_in(session, calendar, chosen, chosen, party_size)
    return {
        "calendar": calendar,
        "plan": plan,
        "day": chosen,
        "today": today,
        "party_size": party_size,
        "day_name": words.day_name,
        "free": [(words.clock(slot.start, plan.zone), slot.free) for slot in free],
    }


def _last(text: str, first: date) -> date:
    """The last of some days, where one is written. Raises HoursInvalid."""
    try:
        return date.fromisoformat(text) if text else first
    except ValueError:
        raise hours.HoursInvalid(
            f"“{text[:40]}” is no day.",
            remedy="Choose the last day, or leave it empty.",
            errors=[{"field": "last", "sentence": "Choose a day."}],
        ) from None


def _title(days: list[date]) -> str:
    first, last = days[0], days[-1]
    if first == last:
        return f"{words.day_name(first)} {first.year}"
    begin = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
    if first.year != last.year:
        begin += f" {first.year}"
    return f"{begin} – {last.day} {last:%b} {last.year}"


def _start(calendar: Calendar, day: date, clock: str) -> datetime:
    """The instant that a form means. Raises AppointmentInvalid."""
    remedy = "Choose one of the free times, or write one such as 19:30."
    rules.checked_day(day)
    try:
        wall = datetime.combine(day, datetime.strptime(clock, "%H:%M").time())  # noqa: DTZ007 - a wall time
    except ValueError:
        errors = [{"field": "time", "sentence": "Choose a time."}]
        raise AppointmentInvalid(
            f"“{clock[:20]}” is no time.", remedy=remedy, errors=errors
        ) from None
    instant = slots.at(ZoneInfo(calendar.zone), wall)
    if instant is None:
        raise AppointmentInvalid(
            f"{clock} does not exist on {words.day_name(day)}: the clock is put forward.",
            remedy=remedy,
        )
    return instant


def _day_of(calendar: Calendar, appointment: Appointment) -> str:
    day = slots.day_of(ZoneInfo(calendar.zone), appointment.starts_at)
    return f"/calendars/{calendar.id}?day={day}"


def _typed_week(form: Any) -> tuple[tuple[hours.Span, ...], ...]:
    return tuple(hours.parse(str(form.get(day, ""))[:200]) for day in DAYS)


def _week(wanted: Definition) -> dict[str, Any]:
    spans = [hours.written(each) for each in wanted.hours.week]
    return {"week": list(zip(DAYS, DAY_NAMES, spans, strict=True))}


def _zones() -> list[tuple[str, str]]:
    names = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    return [(name, name.replace("_", " ")) for name in names]
