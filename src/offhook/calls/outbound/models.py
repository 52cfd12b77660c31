"""Tables of calls that we start: a number's rules for them, and what each has beside its row."""

from datetime import datetime, time

from sqlalchemy import ForeignKey, Index, String, Text, Time
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.calls.outbound.rules import DAILY_CALLS, PER_CONTACT, Hours, Machine
from offhook.db import Base, TeamKeyed, TeamOwned, one_of


class OutboundRules(TeamOwned, Base):
    """When and whom a number may call and begin to text. A number without a row has the defaults.

    `countries`: ISO codes; empty means the number's own. `opening`: the first words of a call,
    where `{agent}` is the agent's name; empty means the usual ones. `daily_per_contact`: calls, and
    texts, that one person gets unasked in a day.
    """

    __tablename__ = "outbound_rules"
    __audit__ = Marks("rules of outbound calls", key="number_id")
    number_id: Mapped[str] = mapped_column(ForeignKey("numbers.id"), primary_key=True)
    quiet_hours: Mapped[bool] = mapped_column(default=True)
    opens: Mapped[time] = mapped_column(Time, default=Hours().opens)
    closes: Mapped[time] = mapped_column(Time, default=Hours().closes)
    countries: Mapped[list[str]] = mapped_column(JSONB, default=list)
    daily_calls: Mapped[int] = mapped_column(default=DAILY_CALLS)
    daily_per_contact: Mapped[int] = mapped_column(
        default=PER_CONTACT, server_default=str(PER_CONTACT)
    )
    machine: Mapped[Machine] = mapped_column(one_of(Machine), default=Machine.HANG_UP)
    opening: Mapped[str] = mapped_column(Text, default="")


class OutboundCall(TeamKeyed, Base):
    """A call that we started, beside its row in `calls`.

    `attempted_at`: from when on the carrier may know of it. `message_due`: a machine's beep was
    heard, and the message is to be left. `asked_by`: a user's, key's or task run's id.
    """

    __tablename__ = "outbound_calls"
    __table_args__ = (
        Index("ix_outbound_calls_day", "number_id", "asked_at"),
        Index("ix_outbound_calls_of_team", "team_id", "asked_at"),
    )
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), primary_key=True)
    number_id: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(Text, default="")
    said: Mapped[str] = mapped_column(Text, default="")
    machine: Mapped[Machine] = mapped_column(one_of(Machine))
    asked_by: Mapped[str] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    attempted_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(30))
    message_due: Mapped[bool] = mapped_column(default=False)
