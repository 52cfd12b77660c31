"""Calendars on CalDAV servers: connected, read, followed; what a server was not told is told here.

Each is read every few minutes by a job, and whenever somebody asks. Others' events take a place;
ours that somebody moved or deleted there are moved or cancelled here: the server has the truth.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, select

from offhook.bookings import calendars, feed, service, slots
from offhook.bookings.calendars import TOPIC
from offhook.bookings.desk import SERVER_PROBLEMS, Desk
from offhook.bookings.models import Appointment, AppointmentState, Busy, Calendar
from offhook.bookings.problems import CalendarInvalid, CalendarServerFailed
from offhook.bookings.rules import HELD
from offhook.bookings.server import Account, Event, Server
from offhook.db import Jobs, Session, enqueue, now, seal, touch
from offhook.outgoing import OutgoingProblem

READ_JOB = "bookings.read"
ROUND_EVERY_S = 15.0
READ_EVERY = timedelta(minutes=5)
UNTOLD_AFTER = timedelta(seconds=30)
"""Whoever makes a change tells the server at once; what is untold after this is told by a job."""


def register(jobs: Jobs, desk: Desk) -> None:
    """Let a worker read the calendars on servers."""

    async def one(team_id: str, calendar_id: str) -> None:
        await read(desk, team_id, calendar_id)

    async def rounds() -> None:
        async with desk.database.system() as session:
            for calendar in await _due(session):
                key = f"{READ_JOB} {calendar.id}"
                await enqueue(
                    session,
                    READ_JOB,
                    lock=key,
                    queueing_lock=key,
                    team_id=calendar.team_id,
                    calendar_id=calendar.id,
                )

    jobs.add(READ_JOB, one)
    jobs.every(ROUND_EVERY_S, "bookings.rounds", rounds)


async def connect(desk: Desk, team_id: str, calendar_id: str, account: Account) -> None:
    """Keep the calendar on this server from now on; what is booked is told to it.

    `account.url` may be that of a calendar, or of a server or user with one calendar. Raises
    CalendarInvalid with the calendars to choose from, and what a server's answer may be.
    """
    async with desk.database.team(team_id) as session:
        await calendars.get(session, team_id, calendar_id)
    url = await _calendar_url(desk, account)
    async with desk.database.team(team_id) as session:
        calendar = await calendars.get(session, team_id, calendar_id, lock=True)
        moved = calendar.server_url != url
        calendar.server_url, calendar.server_user = url, account.username
        calendar.server_password = seal(
            desk.vault, calendar, "server_password", account.password.encode()
        )
        if moved:
            await _forget(session, calendar)
        await touch(session, team_id, TOPIC)
    await read(desk, team_id, calendar_id)


async def disconnect(session: Session, team_id: str, calendar_id: str) -> Calendar:
    """Keep the calendar here; nothing is changed on the server."""
    calendar = await calendars.get(session, team_id, calendar_id, lock=True)
    calendar.server_url, calendar.server_user, calendar.server_password = "", "", None
    calendar.read_at, calendar.asked_at, calendar.read_error = None, None, ""
    await _forget(session, calendar)
    await touch(session, team_id, TOPIC)
    return calendar


async def read(desk: Desk, team_id: str, calendar_id: str) -> None:
    """Tell the server what it was not told, read what is in it, and follow it.

    A server that cannot be asked leaves what is known, with the reason in `read_error`.
    """
    async with desk.database.team(team_id) as session:
        calendar = await calendars.get(session, team_id, calendar_id)
        began = await now(session)
        untold = await _untold(session, calendar)
    if not calendar.server_url:
        return
    start = began - slots.ONE_DAY
    end = began + timedelta(days=calendar.horizon_days + 2)
    events: Sequence[Event] | None = None
    fault = ""
    try:
        for appointment_id in untold:
            try:
                await desk.tell(calendar, appointment_id)
            except CalendarServerFailed as problem:  # this one; what is there counts all the same
                fault = problem.sentence
        events = await desk.server(calendar).events(start, end, ZoneInfo(calendar.zone))
    except SERVER_PROBLEMS as problem:
        fault = problem.sentence
    async with desk.database.team(team_id) as session:
        locked = await calendars.get(session, team_id, calendar_id, lock=True)
        if locked.server_url != calendar.server_url:
            return  # connected elsewhere meanwhile
        locked.asked_at, locked.read_error = began, fault
        if events is not None:
            locked.read_at = began
            await _follow(session, locked, events, start, end)
        await touch(session, team_id, TOPIC)


async def _follow(
    session: Session, calendar: Calendar, events: Sequence[Event], start: datetime, end: datetime
) -> None:
    """Others' events take a place; ours are where the server has them, or gone with theirs."""
    await session.execute(
        delete(Busy).where(Busy.team_id == calendar.team_id, Busy.calendar_id == calendar.id)
    )
    known = await service.held(session, calendar, start, end)
    ours = {feed.uid(row): row for row in known}
    there = {event.uid: event for event in events if event.uid in ours}
    session.add_all(
        Busy(
            team_id=calendar.team_id,
            calendar_id=calendar.id,
            uid=event.uid[:400],
            summary=event.summary,
            starts_at=event.start,
            ends_at=event.end,
        )
        for event in events
        if event.uid not in ours
    )
    began = calendar.asked_at
    for uid, row in ours.items():
        settled = row.told_revision == row.revision
        if not settled or row.told_at is None or began is None or row.told_at >= began:
            continue  # told while the server was read, or not yet
        event = there.get(uid)
        if event is None:
            row.state = AppointmentState.CANCELLED
        elif (event.start, event.end) != (row.starts_at, row.ends_at):
            row.moved_from, row.starts_at, row.ends_at = row.starts_at, event.start, event.end
            row.occupied_until = event.end + timedelta(minutes=calendar.buffer_minutes)
            row.state = AppointmentState.MOVED
        else:
            continue
        row.revision += 1
        row.told_revision = row.revision
        row.updated_at = began
    await session.flush()


async def _calendar_url(desk: Desk, account: Account) -> str:
    """The calendar that the account's address means."""
    try:
        desk.outgoing.check_url(account.url)
    except OutgoingProblem as problem:
        errors = [{"field": "url", "sentence": problem.sentence}]
        raise CalendarInvalid(problem.sentence, remedy=problem.remedy, errors=errors) from None
    found = await Server(desk.outgoing, account).calendars()
    wanted = account.url.rstrip("/")
    for each in found:
        if each.url.rstrip("/") == wanted:
            return each.url
    if len(found) == 1:
        return found[0].url
    listed = ", ".join(f"{each.name} ({each.url})" for each in found[:10])
    sentence = f"The account has {len(found)} calendars: {listed}." if found else "There is none."
    raise CalendarInvalid(
        sentence,
        remedy="Enter the address of one of them." if found else "Make one on the server first.",
        errors=[{"field": "url", "sentence": "Not the address of one calendar."}],
        calendars=[{"url": each.url, "name": each.name} for each in found],
    )


async def _forget(session: Session, calendar: Calendar) -> None:
    """What was read from a server, and what it was told: another one knows nothing of it."""
    mine = (Busy.team_id == calendar.team_id, Busy.calendar_id == calendar.id)
    await session.execute(delete(Busy).where(*mine))
    for row in await session.scalars(service.listed(calendar.team_id, calendar_id=calendar.id)):
        row.told_revision, row.told_at = 0, None
    await session.flush()


async def _untold(session: Session, calendar: Calendar) -> Sequence[str]:
    """Appointments ahead that the server does not have as we do, the oldest change first."""
    moment = await now(session)
    rows = await session.scalars(
        service.listed(calendar.team_id, calendar_id=calendar.id, start=moment)
        .where(
            Appointment.told_revision < Appointment.revision,
            or_(Appointment.told_revision > 0, Appointment.state.in_(HELD)),
            Appointment.updated_at <= moment - UNTOLD_AFTER,
        )
        .order_by(Appointment.updated_at)
        .with_only_columns(Appointment.id)
    )
    return rows.all()


async def _due(session: Session) -> Sequence[Calendar]:
    """Calendars on servers that are to be read or told something, over all teams."""
    moment = await now(session)
    untold = (
        select(Appointment.id)
        .where(
            Appointment.calendar_id == Calendar.id,
            Appointment.told_revision < Appointment.revision,
            Appointment.updated_at <= moment - UNTOLD_AFTER,
            Appointment.ends_at > moment,
        )
        .exists()
    )
    rows = await session.scalars(
        select(Calendar).where(
            Calendar.server_url != "",
            Calendar.deleted_at.is_(None),
            or_(Calendar.asked_at.is_(None), Calendar.asked_at < moment - READ_EVERY, untold),
        )
    )
    return rows.all()
