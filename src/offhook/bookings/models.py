"""Tables of bookings: calendars and the appointments in them.

Contacts and conversations live in rooms that this one does not know, so their ids stand here
without a foreign key. A cancelled appointment keeps its row.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, Sealed, TeamKeyed, TeamOwned, one_of, primary_key

ID_CHARS = 40
KEY_CHARS = 255


class AppointmentState(StrEnum):
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"


class Calendar(TeamOwned, Base):
    """Something that can be booked: a table, a chair, a doctor.

    With `counts_people` every person of a party takes one of the `places`, else a party takes one.
    """

    __tablename__ = "booking_calendars"
    __audit__ = Marks(
        "calendar",
        label="name",
        without=("asked_at", "read_at", "read_error"),
        page="/calendars/{}",
    )
    id: Mapped[str] = primary_key("cal")
    name: Mapped[str] = mapped_column(String(80))
    zone: Mapped[str] = mapped_column(String(64))
    hours: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """As `hours.to_json` writes it."""
    slot_minutes: Mapped[int]
    step_minutes: Mapped[int]
    buffer_minutes: Mapped[int]
    lead_minutes: Mapped[int]
    horizon_days: Mapped[int]
    places: Mapped[int]
    counts_people: Mapped[bool]
    feed_version: Mapped[int] = mapped_column(default=0)
    """Of the feed's secret link; 0: there is none."""
    server_url: Mapped[str] = mapped_column(String(500), default="", server_default="")
    """Of the calendar on a CalDAV server that has the truth; empty: it is kept here."""
    server_user: Mapped[str] = mapped_column(String(200), default="", server_default="")
    server_password: Mapped[str | None] = mapped_column(Sealed())
    asked_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    read_error: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Appointment(TeamKeyed, Base):
    """A booking: from `starts_at` until `ends_at`, taking `places` until `occupied_until`."""

    __tablename__ = "booking_appointments"
    __audit__ = Marks(
        "appointment",
        private=True,
        by_hand=True,
        without=("told_revision", "told_at"),
        page="/appointments/{}",
    )
    __table_args__ = (
        UniqueConstraint("team_id", "key"),
        UniqueConstraint("team_id", "changed_key"),
        Index("ix_booking_appointments_time", "calendar_id", "starts_at"),
        Index("ix_booking_appointments_contact", "team_id", "contact_id"),
    )
    id: Mapped[str] = primary_key("apt")
    calendar_id: Mapped[str] = mapped_column(ForeignKey("booking_calendars.id"))
    state: Mapped[AppointmentState] = mapped_column(one_of(AppointmentState))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    occupied_until: Mapped[datetime]
    party_size: Mapped[int]
    places: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    phone: Mapped[str] = mapped_column(String(20), default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    contact_id: Mapped[str | None] = mapped_column(String(ID_CHARS))
    conversation_id: Mapped[str | None] = mapped_column(String(ID_CHARS))
    booked_by: Mapped[str] = mapped_column(String(ID_CHARS))
    """A user, an API key, or an agent."""
    key: Mapped[str | None] = mapped_column(String(KEY_CHARS))
    changed_key: Mapped[str | None] = mapped_column(String(KEY_CHARS))
    """Under which key it was last moved or cancelled, so that a repetition finds it done."""
    revision: Mapped[int] = mapped_column(default=1)
    """Counts changes; the SEQUENCE of the feed (RFC 5545, 3.8.7.4)."""
    told_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    """What the calendar's server was told last; where there is one."""
    told_at: Mapped[datetime | None]
    moved_from: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Busy(TeamOwned, Base):
    """Something that others have in the calendar on its server: it takes one place."""

    __tablename__ = "booking_busy"
    __table_args__ = (Index("ix_booking_busy_time", "calendar_id", "starts_at"),)
    id: Mapped[str] = primary_key("bsy")
    calendar_id: Mapped[str] = mapped_column(ForeignKey("booking_calendars.id"))
    uid: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(String(200))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
