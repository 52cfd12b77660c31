"""A person's appointments: followed at a merge, told, erased once nobody is expected (P7)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from offhook import bookings
from offhook.bookings import Appointment, AppointmentState, Definition, Guest, Wish, service
from offhook.bookings.contact_keeping import Appointments, AppointmentToCome
from offhook.db import Database, Session

TEN = datetime(2026, 5, 15, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Ann:
    contact_ids: tuple[str, ...] = ("con_ann",)
    numbers: tuple[str, ...] = ("+16502530000",)


async def booked(session: Session, team_id: str) -> list[Appointment]:
    """By contact, by number alone, and somebody else's."""
    calendar = await bookings.create_calendar(session, team_id, Definition("C", "UTC", places=3))
    wish = Wish(calendar.id, TEN, Guest("Ann Lee", "", "Gluten", "con_ann"))
    return [
        await bookings.book(session, team_id, wish),
        await bookings.book(session, team_id, replace(wish, guest=Guest("A", "+16502530000"))),
        await bookings.book(session, team_id, replace(wish, guest=Guest("Bob", "+16502530001"))),
    ]


async def test_a_merged_contacts_appointments_are_the_others(
    clocked: Database, team_id: str
) -> None:
    async with clocked.team(team_id) as session:
        first, *_ = await booked(session, team_id)
        await Appointments().moved(session, team_id, "con_ann", "con_zoe")
        await session.refresh(first)
        assert first.contact_id == "con_zoe"


async def test_all_of_a_person_is_told_and_nothing_of_others(
    clocked: Database, team_id: str
) -> None:
    async with clocked.team(team_id) as session:
        first, second, _ = await booked(session, team_id)
        told = (await Appointments().told(session, team_id, Ann()))["appointments"]
        assert sorted(each["id"] for each in told) == sorted([first.id, second.id])
        assert "Gluten" in {each["notes"] for each in told}


async def test_who_is_expected_is_not_erased(clocked: Database, team_id: str) -> None:
    """Booked or moved: people decide first; cancelled or past: nothing of the person is left."""
    async with clocked.team(team_id) as session:
        first, second, other = await booked(session, team_id)
        await bookings.cancel(session, team_id, second.id)
        await bookings.move(session, team_id, first.id, TEN.replace(hour=11))
        with pytest.raises(AppointmentToCome):
            await Appointments().erased(session, team_id, Ann())
        await bookings.cancel(session, team_id, first.id)
        assert await Appointments().erased(session, team_id, Ann()) == {"appointments": 2}
        for each in (first, second):
            row = await service.get(session, team_id, each.id)
            assert (row.name, row.phone, row.notes, row.contact_id) == ("Erased", "", "", None)
            assert row.state is AppointmentState.CANCELLED
        assert (await service.get(session, team_id, other.id)).name == "Bob"
        assert await Appointments().erased(session, team_id, Ann()) == {"appointments": 0}
