"""What bookings keep of a person: their appointments; moved, told and erased (P7).

Implements the `Keeper` of contacts, which this room does not know; app.py joins the two. An erased
person's appointments stay in the calendar's past without name, number and notes.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import or_, select, update
from sqlalchemy.sql import ColumnElement

from offhook.bookings.models import Appointment
from offhook.bookings.rules import HELD
from offhook.db import Session, for_change, now
from offhook.errors import Conflict

ERASED = "Erased"


class Person(Protocol):
    """Whom it is about, as contacts tells it."""

    @property
    def contact_ids(self) -> tuple[str, ...]: ...

    @property
    def numbers(self) -> tuple[str, ...]: ...


class AppointmentToCome(Conflict):
    code = "appointment_to_come"


class Appointments:
    async def moved(self, session: Session, team_id: str, source: str, target: str) -> None:
        await session.execute(
            update(Appointment)
            .where(Appointment.team_id == team_id, Appointment.contact_id == source)
            .values(contact_id=target)
        )

    async def told(
        self, session: Session, team_id: str, person: Person
    ) -> Mapping[str, list[dict[str, Any]]]:
        rows = await session.scalars(
            select(Appointment)
            .where(_theirs(team_id, person))
            .order_by(Appointment.starts_at, Appointment.id)
        )
        return {
            "appointments": [
                {
                    "id": each.id,
                    "calendar_id": each.calendar_id,
                    "state": each.state,
                    "starts_at": each.starts_at,
                    "ends_at": each.ends_at,
                    "party_size": each.party_size,
                    "name": each.name,
                    "phone": each.phone,
                    "notes": each.notes,
                    "conversation_id": each.conversation_id,
                }
                for each in rows
            ]
        }

    async def erased(self, session: Session, team_id: str, person: Person) -> Mapping[str, int]:
        """Raises AppointmentToCome: whether somebody is expected is for people to decide."""
        rows = await session.scalars(
            for_change(select(Appointment).where(_theirs(team_id, person)).order_by(Appointment.id))
        )
        found, instant = rows.all(), await now(session)
        for each in found:
            if each.state in HELD and each.ends_at > instant:
                raise AppointmentToCome(
                    "This contact has an appointment that is still to come.",
                    remedy="Cancel it in the calendar, then erase the contact.",
                )
        for each in found:
            each.name, each.phone, each.notes, each.contact_id = ERASED, "", "", None
        await session.flush()
        return {"appointments": len(found)}


def _theirs(team_id: str, person: Person) -> ColumnElement[bool]:
    whose = or_(
        Appointment.contact_id.in_(person.contact_ids), Appointment.phone.in_(person.numbers)
    )
    return (Appointment.team_id == team_id) & whose
