"""The table of a number's manners by text; a number without a row has the defaults."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, TeamOwned


class TextManners(TeamOwned, Base):
    """What `rules.Manners` holds, as it is stored."""

    __tablename__ = "text_manners"
    __audit__ = Marks("manners by text", key="number_id", without=("updated_at",))
    number_id: Mapped[str] = mapped_column(ForeignKey("numbers.id"), primary_key=True)
    settle_ms: Mapped[int | None]
    replies_per_hour: Mapped[int]
    replies_per_day: Mapped[int]
    new_senders_per_hour: Mapped[int]
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text))
    stops_loops: Mapped[bool]
    updated_at: Mapped[datetime]
