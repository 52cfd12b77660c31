"""The table of mails: what is to be sent to whom, and what became of it.

A letter's plain fields are kept for 30 days; its secret ones are sealed, and gone once it has left.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, Sealed, TeamKeyed, one_of, primary_key


class State(StrEnum):
    """What became of a mail.

    waiting -> handing -> sent
                       -> unknown    the line broke after the text: never sent again
            -> kept                  no mail server is set
            -> refused               the server will not take it
            -> late                  of no use any more
    """

    WAITING = "waiting"
    HANDING = "handing"
    SENT = "sent"
    UNKNOWN = "unknown"
    KEPT = "kept"
    REFUSED = "refused"
    LATE = "late"


class Mail(TeamKeyed, Base):
    """One letter to one address. `key` is unique in its team: what is told once is mailed once."""

    __tablename__ = "mails"
    id: Mapped[str] = primary_key("mail")
    key: Mapped[str] = mapped_column(String(200))
    letter: Mapped[str] = mapped_column(String(60))
    recipient: Mapped[str] = mapped_column(String(254))
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    secrets: Mapped[str | None] = mapped_column(Sealed())
    state: Mapped[State] = mapped_column(one_of(State), default=State.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    __table_args__ = (Index("uq_mails_key", "team_id", "key", unique=True),)
