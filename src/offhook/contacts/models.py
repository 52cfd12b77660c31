"""The table of contacts: one row per team and number."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, TeamOwned, primary_key


class Contact(TeamOwned, Base):
    """A person, known by their number; `name` is what a member of the team wrote, or empty."""

    __tablename__ = "contacts"
    __table_args__ = (UniqueConstraint("team_id", "e164"),)
    id: Mapped[str] = primary_key("con")
    e164: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
