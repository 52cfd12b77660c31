"""Use cases of appointments: what is free, book, move, cancel. One transaction each.

Whoever books or moves locks the calendar's row first, so of two who want the last place one gets
it and the other hears what is free instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, or_, select

from offhook.bookings import calendars, rules, slots, words
from offhook.bookings.calendars import TOPIC
from offhook.bookings.models import Appointment, AppointmentState, Busy, Calendar
from offhook.bookings.problems import (
    AppointmentNotFound,
    AppointmentStepRefused,
    BookingKeyReused,
    NotFree,
)
from offhook.bookings.rules import HELD, Guest, Step
from offhook.bookings.slots import ONE_DAY, Plan, Refusal, Slot, Taken
from offhook.db import Session, for_change, now, told_time, touch

MAX_DAYS_AT_ONCE = 62


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to book. The same `key` never books twice."""

    calendar_id: str
    start: datetime
    guest: Guest
    party_size: int = 1
    by: str = ""
    """A user, an API key, or an agent."""
    by_hand: bool = False
    """A member of the team: not held to opening hours, steps, lead time and horizon."""
    key: str | None = None
    conversation_id: str | None = None


async def free(
    session: Session,
    team_id: str,
    calendar_id: str,
    first: date,
    last: date,
    party_size: int = 1,
) -> list[Slot]:
    """The slots from `first` to `last` (62 days at most) that have room for the party."""
    calendar = await calendars.get(session, team_id, calendar_id)
    return await free_in(session, calendar, first, last, party_size)


async def free_in(
    session: Session, calendar: Calendar, first: date, last: date, party_size: int = 1
) -> list[Slot]:
    """As `free`, of a calendar that is at hand."""
    wanted = calendars.definition(calendar)
    first = rules.checked_day(first)
    last = min(rules.checked_day(last), first + timedelta(days=MAX_DAYS_AT_ONCE - 1))
    start, _ = slots.bounds(wanted.plan.zone, first - ONE_DAY)
    _, end = slots.bounds(wanted.plan.zone, last + ONE_DAY)
    taken = await _taken(session, calendar, start, end)
    places = wanted.places_for(party_size)
    return slots.free(wanted.plan, taken, first, last, places=places, now=await now(session))


async def book(session: Session, team_id: str, wish: Wish) -> Appointment:
    """Book a time (or give what this key booked before). Raises NotFree with what is free instead,
    CalendarNotFound, AppointmentInvalid, BookingKeyReused.
    """
    guest = rules.checked_guest(wish.guest, wish.party_size)
    start = rules.checked_start(wish.start)
    calendar = await calendars.get(session, team_id, wish.calendar_id, lock=True)
    if wish.key is not None and (before := await by_key(session, team_id, wish.key)) is not None:
        return _same(before, wish, start)
    wanted = calendars.definition(calendar)
    places = wanted.places_for(wish.party_size)
    await _check_places(session, calendar, start, places, by_hand=wish.by_hand)
    moment = await now(session)
    appointment = Appointment(
        team_id=team_id,
        calendar_id=calendar.id,
        state=AppointmentState.BOOKED,
        starts_at=start,
        ends_at=start + wanted.plan.length,
        occupied_until=start + wanted.plan.length + wanted.plan.buffer,
        party_size=wish.party_size,
        places=places,
        name=guest.name,
        phone=guest.phone,
        notes=guest.notes,
        contact_id=guest.contact_id,
        conversation_id=wish.conversation_id,
        booked_by=wish.by,
        key=wish.key,
        created_at=moment,
        updated_at=moment,
    )
    session.add(appointment)
    await session.flush()
    await touch(session, team_id, TOPIC)
    return appointment


async def move(
    session: Session,
    team_id: str,
    appointment_id: str,
    start: datetime,
    *,
    by_hand: bool = False,
    key: str | None = None,
) -> Appointment:
    """To another time of its calendar; its own places count as free. Moving it to where it is
    changes nothing. `key` is found again by `changed_by`. Raises NotFree,
    AppointmentStepRefused, AppointmentNotFound.
    """
    start = rules.checked_start(start)
    found = await get(session, team_id, appointment_id)
    calendar = await calendars.get(session, team_id, found.calendar_id, lock=True)
    appointment = await get(session, team_id, appointment_id, lock=True)
    state = _after(appointment, Step.MOVE)
    if appointment.starts_at == start:
        return appointment
    plan = calendars.definition(calendar).plan
    await _check_places(
        session, calendar, start, appointment.places, by_hand=by_hand, but=appointment.id
    )
    appointment.moved_from, appointment.starts_at = appointment.starts_at, start
    appointment.changed_key = key
    appointment.ends_at = start + plan.length
    appointment.occupied_until = appointment.ends_at + plan.buffer
    await _changed(session, appointment, state)
    return appointment


async def cancel(
    session: Session, team_id: str, appointment_id: str, *, key: str | None = None
) -> Appointment:
    """Give its places back. `key` is found again by `changed_by`. Raises AppointmentStepRefused
    where it is cancelled already.
    """
    appointment = await get(session, team_id, appointment_id, lock=True)
    state = _after(appointment, Step.CANCEL)
    appointment.changed_key = key
    await _changed(session, appointment, state)
    return appointment


async def describe(
    session: Session, team_id: str, appointment_id: str, guest: Guest
) -> Appointment:
    """Change for whom it is and what is noted about it."""
    appointment = await get(session, team_id, appointment_id, lock=True)
    tidy = rules.checked_guest(guest, appointment.party_size)
    appointment.name, appointment.phone, appointment.notes = tidy.name, tidy.phone, tidy.notes
    await _changed(session, appointment, appointment.state)
    return appointment


async def get(
    session: Session, team_id: str, appointment_id: str, *, lock: bool = False
) -> Appointment:
    """Raises AppointmentNotFound, also for another team's (SEC7)."""
    query = select(Appointment).where(
        Appointment.team_id == team_id, Appointment.id == appointment_id
    )
    if lock:
        query = for_change(query)
    appointment = await session.scalar(query)
    if appointment is None:
        raise AppointmentNotFound(
            f"There is no appointment “{appointment_id[:40]}”.", remedy="Take an id from the list."
        )
    return appointment


async def by_key(session: Session, team_id: str, key: str) -> Appointment | None:
    """What this key booked."""
    return await session.scalar(
        select(Appointment).where(Appointment.team_id == team_id, Appointment.key == key)
    )


async def changed_by(session: Session, team_id: str, key: str) -> Appointment | None:
    """What this key moved or cancelled, unless it was changed again since."""
    return await session.scalar(
        select(Appointment).where(Appointment.team_id == team_id, Appointment.changed_key == key)
    )


async def own_at(
    session: Session,
    team_id: str,
    calendar_id: str,
    start: datetime,
    *,
    contact_id: str | None,
    phone: str,
) -> Appointment | None:
    """What this contact, or whoever has this number, has booked at this very time."""
    whose = [Appointment.contact_id == contact_id] if contact_id else []
    whose += [Appointment.phone == phone] if phone else []
    if not whose:
        return None
    query = listed(team_id, calendar_id=calendar_id).where(
        Appointment.starts_at == start, Appointment.state.in_(HELD), or_(*whose)
    )
    return await session.scalar(query.order_by(Appointment.id).limit(1))


def listed(
    team_id: str,
    *,
    calendar_id: str | None = None,
    contact_id: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    state: AppointmentState | None = None,
) -> Select[Appointment]:
    """Appointments that touch the time from `start` until `end`, for `paginate`."""
    query = select(Appointment).where(Appointment.team_id == team_id)
    if calendar_id is not None:
        query = query.where(Appointment.calendar_id == calendar_id)
    if contact_id is not None:
        query = query.where(Appointment.contact_id == contact_id)
    if start is not None:
        query = query.where(Appointment.ends_at > start)
    if end is not None:
        query = query.where(Appointment.starts_at < end)
    if state is not None:
        query = query.where(Appointment.state == state)
    return query


async def held(
    session: Session, calendar: Calendar, start: datetime, end: datetime
) -> Sequence[Appointment]:
    """What is booked in a calendar from `start` until `end`, in order of time."""
    rows = await session.scalars(
        listed(calendar.team_id, calendar_id=calendar.id, start=start, end=end)
        .where(Appointment.state.in_(HELD))
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return rows.all()


async def busy_in(
    session: Session, calendar: Calendar, start: datetime, end: datetime
) -> Sequence[Busy]:
    """What others have on the calendar's server from `start` until `end`, as last read."""
    if not calendar.server_url:
        return ()
    rows = await session.scalars(
        select(Busy)
        .where(
            Busy.team_id == calendar.team_id,
            Busy.calendar_id == calendar.id,
            Busy.starts_at < end,
            Busy.ends_at > start,
        )
        .order_by(Busy.starts_at, Busy.id)
    )
    return rows.all()


async def _taken(
    session: Session, calendar: Calendar, start: datetime, end: datetime, but: str | None = None
) -> list[Taken]:
    query = select(
        Appointment.starts_at, Appointment.occupied_until, Appointment.places, Appointment.id
    ).where(
        Appointment.team_id == calendar.team_id,
        Appointment.calendar_id == calendar.id,
        Appointment.state.in_(HELD),
        Appointment.starts_at < end,
        Appointment.occupied_until > start,
    )
    if (then := told_time(session)) is not None:  # what was booked later was not in the way then
        query = query.where(Appointment.created_at <= then)
    rows = await session.execute(query)
    taken = [Taken(begins, until, places) for begins, until, places, id_ in rows if id_ != but]
    busy = await busy_in(session, calendar, start, end)
    return taken + [Taken(each.starts_at, each.ends_at) for each in busy]


async def check_free(
    session: Session,
    calendar: Calendar,
    start: datetime,
    *,
    party_size: int = 1,
    but: Appointment | None = None,
) -> None:
    """Whether a time can be booked now, or `but` be moved there; holds nothing. Raises NotFree."""
    start = rules.checked_start(start)
    places = but.places if but else calendars.definition(calendar).places_for(party_size)
    await _check_places(
        session, calendar, start, places, by_hand=False, but=but.id if but else None
    )


async def _check_places(
    session: Session,
    calendar: Calendar,
    start: datetime,
    places: int,
    *,
    by_hand: bool,
    but: str | None = None,
) -> None:
    """Raises NotFree, with the nearest times that can be booked."""
    plan, moment = calendars.definition(calendar).plan, await now(session)
    around = slots.SEARCHED_DAYS * ONE_DAY
    taken = await _taken(session, calendar, start - around, start + around, but)
    why = slots.refusal(plan, taken, start, places=places, now=moment, by_hand=by_hand)
    if why is None:
        return
    day = slots.day_of(plan.zone, start)
    reach = timedelta(days=slots.SEARCHED_DAYS - 1)
    found: list[Slot] = []
    if why is not Refusal.TOO_MANY:
        found = slots.free(plan, taken, day - reach, day + reach, places=places, now=moment)
    raise not_free(why, plan, start, slots.alternatives(found, start, plan.zone))


def not_free(why: Refusal, plan: Plan, start: datetime, nearest: Sequence[Slot]) -> NotFree:
    """Why a time cannot be had, and what is free instead."""
    day = slots.day_of(plan.zone, start)
    said = words.refused(why, start, plan.zone, most=plan.places)
    return NotFree(
        words.answer(said, nearest, start, plan.zone),
        remedy="Take another time.",
        refusal=why.value,
        same_day=any(slots.day_of(plan.zone, slot.start) == day for slot in nearest),
        alternatives=[slot.start.isoformat() for slot in nearest],
    )


def _same(before: Appointment, wish: Wish, start: datetime) -> Appointment:
    asked = (wish.calendar_id, wish.party_size, rules.tidy(wish.guest.name))
    if (before.calendar_id, before.party_size, before.name) != asked or start not in {
        before.starts_at,
        before.moved_from,
    }:
        raise BookingKeyReused(
            f"The key “{wish.key}” booked something else.", remedy="Use a new key for a new wish."
        )
    return before


def _after(appointment: Appointment, step: Step) -> AppointmentState:
    state = rules.NEXT.get((appointment.state, step))
    if state is None:
        raise AppointmentStepRefused(
            f"The appointment is {appointment.state} already.", remedy="Book a new one."
        )
    return state


async def _changed(session: Session, appointment: Appointment, state: AppointmentState) -> None:
    appointment.state = state
    appointment.revision += 1
    appointment.updated_at = await now(session)
    await session.flush()
    await touch(session, appointment.team_id, TOPIC)
