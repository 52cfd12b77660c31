"""The table of a number's manners on calls; a number without a row has the defaults."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.calls.manners.rules import CALLER_LINES, WhenClosed
from offhook.db import Base, TeamOwned, one_of


class CallManners(TeamOwned, Base):
    """What `rules.Manners` holds, as it is stored."""

    __tablename__ = "call_manners"
    __audit__ = Marks("call manners", key="number_id")
    number_id: Mapped[str] = mapped_column(ForeignKey("numbers.id"), primary_key=True)
    hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    when_closed: Mapped[WhenClosed] = mapped_column(one_of(WhenClosed), default=WhenClosed.SAY)
    closed_sentence: Mapped[str] = mapped_column(Text, default="")
    fallback_target_id: Mapped[str | None] = mapped_column(String(40))
    refuse_hidden: Mapped[bool | None]
    refuse_failed: Mapped[bool] = mapped_column(default=False)
    max_calls_an_hour: Mapped[int | None]
    caller_lines: Mapped[int] = mapped_column(default=CALLER_LINES)
    number_lines: Mapped[int | None]
    says_ai: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime]
