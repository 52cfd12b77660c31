"""Tables of teams and their members."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, primary_key


class Team(Base):
    """The tenant. `timezone` is an IANA name; months begin and end in it (U2)."""

    __tablename__ = "teams"
    id: Mapped[str] = primary_key("team")
    name: Mapped[str] = mapped_column(String(80))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    country: Mapped[str] = mapped_column(String(2), default="US")
    created_at: Mapped[datetime]
