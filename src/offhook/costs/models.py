"""Tables of costs: what was used, what carriers charged, the operator's rates.

A line holds what one conversation used of one model in one month under one rate; its cost follows
from the two and is stored nowhere.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, TeamKeyed, primary_key

ID = String(80)


class CostLine(TeamKeyed, Base):
    """Units of one kind. `rate_id` is empty where no rate was set: it costs nothing then."""

    __tablename__ = "cost_lines"
    __table_args__ = (
        Index(
            "uq_cost_lines_what",
            "team_id",
            "conversation_id",
            "period_start",
            "vendor",
            "model",
            "kind",
            "rate_id",
            unique=True,
        ),
        Index("ix_cost_lines_month", "team_id", "period_start"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ID)
    number_id: Mapped[str] = mapped_column(ID)
    period_start: Mapped[datetime]
    vendor: Mapped[str] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    rate_id: Mapped[str] = mapped_column(String(40))
    amount: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime]


class CarrierCost(TeamKeyed, Base):
    """What a carrier charged for one of its calls or messages, by the carrier's own id."""

    __tablename__ = "cost_carrier"
    __table_args__ = (
        Index("uq_cost_carrier_record", "team_id", "carrier_id", unique=True),
        Index("ix_cost_carrier_month", "team_id", "period_start"),
        Index("ix_cost_carrier_conversation", "team_id", "conversation_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    carrier_id: Mapped[str] = mapped_column(ID)
    conversation_id: Mapped[str | None] = mapped_column(ID)
    number_id: Mapped[str] = mapped_column(ID)
    period_start: Mapped[datetime]
    at: Mapped[datetime]
    micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))


class RateVersion(Base):
    """A rate of the operator's; never changed, withdrawn while it is to come."""

    __tablename__ = "cost_rates"
    __audit__ = Marks("vendor rate", label="model", without=("created_by", "withdrawn_by"), team="")
    __table_args__ = (
        Index(
            "uq_cost_rates_start",
            "vendor",
            "model",
            "kind",
            "valid_from",
            unique=True,
            postgresql_where="withdrawn_at IS NULL",
        ),
    )
    id: Mapped[str] = primary_key("rate")
    vendor: Mapped[str] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    currency: Mapped[str] = mapped_column(String(3))
    micros: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(40))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(40))
