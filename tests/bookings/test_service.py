"""Appointments on a real database: booked once, never overbooked, moved, cancelled, found."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import pytest

from offhook import bookings
from offhook.bookings import (
    Appointment,
    AppointmentState,
    Calendar,
    Definition,
    Guest,
    NotFree,
    Wish,
    calendars,
    rules,
    service,
)
from offhook.bookings.problems import (
    AppointmentInvalid,
    AppointmentNotFound,
    AppointmentStepRefused,
    BookingKeyReused,
    CalendarInUse,
    CalendarInvalid,
    CalendarNotFound,
)
from offhook.db import Database
from offhook.teams.models import Team


class Clock(Protocol):
    """The clock that stands until a test moves it."""

    def __call__(self) -> datetime: ...
    def advance(self, **amount: float) -> datetime: ...


FRIDAY = date(2026, 5, 15)
TEN = datetime(2026, 5, 15, 10, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
CHAIR = Definition("The chair", "UTC")
TABLES = Definition(
    "Tables", "Europe/Paris", slot_minutes=120, places=10, counts_people=True, lead_minutes=0
)


async def made(database: Database, team_id: str, wanted: Definition = CHAIR) -> Calendar:
    async with database.team(team_id) as session:
        return await bookings.create_calendar(session, team_id, wanted)


def wish(calendar: Calendar, start: datetime = TEN, **given: object) -> Wish:
    usual = Wish(calendar.id, start, Guest("Ann Lee"), by="usr_1")
    return replace(usual, **given)  # pyright: ignore[reportArgumentType] - named by each test


async def book(database: Database, team_id: str, wanted: Wish) -> Appointment:
    async with database.team(team_id) as session:
        return await bookings.book(session, team_id, wanted)


async def starts(database: Database, team_id: str, calendar: Calendar) -> Sequence[datetime]:
    async with database.team(team_id) as session:
        free = await bookings.free(session, team_id, calendar.id, FRIDAY, FRIDAY)
        return [slot.start for slot in free]


async def test_what_is_booked_is_free_no_more(clocked: Database, team_id: str) -> None:
    calendar = await made(clocked, team_id)
    assert TEN in await starts(clocked, team_id, calendar)
    appointment = await book(clocked, team_id, wish(calendar))
    assert appointment.state is AppointmentState.BOOKED
    assert appointment.ends_at == TEN + HALF_HOUR
    assert TEN not in await starts(clocked, team_id, calendar)


async def test_of_many_who_want_the_last_place_one_gets_it(clocked: Database, team_id: str) -> None:
    """Thirty at once for three places: three are booked, the others hear what is free instead."""
    calendar = await made(clocked, team_id, replace(CHAIR, places=3))
    tries = [book(clocked, team_id, wish(calendar, key=f"key {each}")) for each in range(30)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Appointment) for each in results) == 3
    refused = [each for each in results if isinstance(each, NotFree)]
    assert len(refused) == 27
    assert refused[0].sentence == (
        "Friday, 15 May at 10:00 is full; 09:00, 09:30 and 10:30 are free."
    )
    assert refused[0].details["refusal"] == "full"


async def test_one_key_books_once(clocked: Database, team_id: str) -> None:
    """The same key, twenty times at once, is one appointment; another wish under it is refused."""
    calendar = await made(clocked, team_id)
    same = wish(calendar, key="run 1")
    results = await asyncio.gather(*[book(clocked, team_id, same) for _ in range(20)])
    assert len({each.id for each in results}) == 1
    async with clocked.team(team_id) as session:
        await bookings.move(session, team_id, results[0].id, TEN + HALF_HOUR)
    assert (await book(clocked, team_id, same)).id == results[0].id
    with pytest.raises(BookingKeyReused):
        await book(clocked, team_id, replace(same, start=TEN + 5 * HALF_HOUR))


async def test_people_take_places(clocked: Database, team_id: str) -> None:
    calendar = await made(clocked, team_id, TABLES)
    await book(clocked, team_id, wish(calendar, party_size=6))
    with pytest.raises(NotFree) as refused:
        await book(clocked, team_id, wish(calendar, TEN + HALF_HOUR, party_size=5))
    assert refused.value.sentence.startswith("Friday, 15 May at 12:30 is full; ")
    await book(clocked, team_id, wish(calendar, TEN + HALF_HOUR, party_size=4))
    with pytest.raises(NotFree) as too_many:
        await book(clocked, team_id, wish(calendar, party_size=11))
    assert too_many.value.sentence == "There is room for 10 at most."


async def test_a_move_gives_the_old_time_back_and_repeats_harmlessly(
    clocked: Database, team_id: str
) -> None:
    calendar = await made(clocked, team_id, replace(CHAIR, slot_minutes=60))
    appointment = await book(clocked, team_id, wish(calendar))
    await book(clocked, team_id, wish(calendar, TEN + 4 * HALF_HOUR))
    async with clocked.team(team_id) as session:
        # Its own hour is no obstacle to its next half.
        moved = await bookings.move(session, team_id, appointment.id, TEN + HALF_HOUR)
        assert (moved.state, moved.moved_from) == (AppointmentState.MOVED, TEN)
        again = await bookings.move(session, team_id, appointment.id, TEN + HALF_HOUR)
        assert (again.revision, again.moved_from) == (2, TEN)
    free = await starts(clocked, team_id, calendar)
    assert TEN - 2 * HALF_HOUR in free
    assert not {TEN, TEN + HALF_HOUR} & set(free)
    async with clocked.team(team_id) as session:
        with pytest.raises(NotFree):
            await bookings.move(session, team_id, appointment.id, TEN + 3 * HALF_HOUR)


async def test_two_moves_to_one_place_end_in_one(clocked: Database, team_id: str) -> None:
    calendar = await made(clocked, team_id)
    both = [await book(clocked, team_id, wish(calendar, TEN + each * HALF_HOUR)) for each in (0, 1)]

    async def move(appointment: Appointment) -> Appointment:
        async with clocked.team(team_id) as session:
            return await bookings.move(session, team_id, appointment.id, TEN + 4 * HALF_HOUR)

    results = await asyncio.gather(*map(move, both), return_exceptions=True)
    assert sorted(isinstance(each, NotFree) for each in results) == [False, True]


async def test_a_cancelled_one_gives_its_place_back_once(clocked: Database, team_id: str) -> None:
    calendar = await made(clocked, team_id)
    appointment = await book(clocked, team_id, wish(calendar))
    async with clocked.team(team_id) as session:
        await bookings.cancel(session, team_id, appointment.id)
    assert TEN in await starts(clocked, team_id, calendar)
    async with clocked.team(team_id) as session:
        with pytest.raises(AppointmentStepRefused):
            await bookings.cancel(session, team_id, appointment.id)
        with pytest.raises(AppointmentStepRefused):
            await bookings.move(session, team_id, appointment.id, TEN + HALF_HOUR)


def test_the_table_of_states_has_no_way_out_of_cancelled() -> None:
    assert {state for state, _ in rules.NEXT} == set(AppointmentState) - {
        AppointmentState.CANCELLED
    }
    assert set(rules.NEXT.values()) == {AppointmentState.MOVED, AppointmentState.CANCELLED}


async def test_by_hand_books_outside_the_hours_but_never_twice(
    clocked: Database, team_id: str, clock: Clock
) -> None:
    calendar = await made(clocked, team_id)
    sunday = datetime(2026, 5, 17, 21, 7, tzinfo=UTC)
    with pytest.raises(NotFree, match="not open"):
        await book(clocked, team_id, wish(calendar, sunday))
    await book(clocked, team_id, wish(calendar, sunday, by_hand=True))
    with pytest.raises(NotFree, match="full"):
        await book(clocked, team_id, wish(calendar, sunday, by_hand=True))
    yesterday = clock() - timedelta(days=1)
    await book(clocked, team_id, wish(calendar, yesterday, by_hand=True))


@pytest.mark.parametrize(
    ("guest", "party_size", "start", "told"),
    [
        (Guest("  "), 1, TEN, "1 to 80 characters"),
        (Guest("x" * 81), 1, TEN, "not 81"),
        (Guest("Ann\x00"), 0, TEN, "not 0"),
        (Guest("Ann", notes="x" * 2001), 1, TEN, "2,001 characters"),
        (Guest("Ann"), 1, datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "9999-12-31"),
        (Guest("Ann"), 1, datetime(1, 1, 1, tzinfo=UTC), "cannot be booked"),
    ],
)
async def test_what_cannot_be_a_booking_is_refused(
    clocked: Database, team_id: str, guest: Guest, party_size: int, start: datetime, told: str
) -> None:
    calendar = await made(clocked, team_id)
    unusable = wish(calendar, start, guest=guest, party_size=party_size)
    with pytest.raises(AppointmentInvalid, match=told):
        await book(clocked, team_id, unusable)


@pytest.mark.parametrize(
    "change",
    [
        {"name": " "},
        {"zone": "Mars/Olympus"},
        {"zone": "../etc/passwd"},
        {"slot_minutes": 0},
        {"step_minutes": 1},
        {"places": 0},
        {"places": 10**12},
        {"horizon_days": -1},
    ],
)
async def test_what_cannot_be_a_calendar_is_refused(
    clocked: Database, team_id: str, change: dict[str, object]
) -> None:
    with pytest.raises(CalendarInvalid) as refused:
        await made(clocked, team_id, replace(CHAIR, **change))  # pyright: ignore[reportArgumentType]
    assert [each["field"] for each in refused.value.details["errors"]] == list(change)


async def test_a_calendar_with_appointments_to_come_stays(
    clocked: Database, team_id: str, clock: Clock
) -> None:
    calendar = await made(clocked, team_id)
    appointment = await book(clocked, team_id, wish(calendar))
    async with clocked.team(team_id) as session:
        with pytest.raises(CalendarInUse, match="1 appointment is still to come"):
            await calendars.delete(session, team_id, calendar.id)
    clock.advance(days=2)
    async with clocked.team(team_id) as session:
        await calendars.delete(session, team_id, calendar.id)
        assert await calendars.listed(session, team_id) == []
        assert (await bookings.get(session, team_id, appointment.id)).name == "Ann Lee"
    with pytest.raises(CalendarNotFound):
        await book(clocked, team_id, wish(calendar))


async def test_a_change_of_the_calendar_leaves_what_is_booked(
    clocked: Database, team_id: str
) -> None:
    calendar = await made(clocked, team_id)
    appointment = await book(clocked, team_id, wish(calendar))
    async with clocked.team(team_id) as session:
        await calendars.change(session, team_id, calendar.id, replace(CHAIR, slot_minutes=60))
        assert (await bookings.get(session, team_id, appointment.id)).ends_at == TEN + HALF_HOUR
    free = await starts(clocked, team_id, calendar)
    assert TEN - HALF_HOUR not in free
    assert TEN + HALF_HOUR in free


async def test_another_team_finds_nothing(clocked: Database, team_id: str) -> None:
    """Neither calendar nor appointment, by id or by key (SEC7)."""
    calendar = await made(clocked, team_id)
    appointment = await book(clocked, team_id, wish(calendar, key="theirs"))
    async with clocked.system() as session:
        other = Team(name="Others", created_at=TEN)
        session.add(other)
        await session.flush()
    async with clocked.team(other.id) as session:
        for refused in (
            service.book(session, other.id, wish(calendar)),
            service.free(session, other.id, calendar.id, FRIDAY, FRIDAY),
            calendars.change(session, other.id, calendar.id, CHAIR),
        ):
            with pytest.raises(CalendarNotFound):
                await refused
        for refused in (
            service.cancel(session, other.id, appointment.id),
            service.move(session, other.id, appointment.id, TEN),
        ):
            with pytest.raises(AppointmentNotFound):
                await refused
        assert await service.by_key(session, other.id, "theirs") is None
