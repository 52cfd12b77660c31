"""The operator's own prices: versions that stand beside the shipped list and win over it."""

from datetime import datetime

from sqlalchemy import BigInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, primary_key


class PriceVersion(Base):
    """One price from `valid_from` on, in micros of `currency`; rows are never changed."""

    __tablename__ = "price_versions"
    __table_args__ = (UniqueConstraint("carrier", "country", "number_type", "valid_from"),)
    id: Mapped[str] = primary_key("price")
    carrier: Mapped[str] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(2))
    number_type: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    monthly: Mapped[int] = mapped_column(BigInteger)
    minute_inbound: Mapped[int] = mapped_column(BigInteger)
    minute_outbound: Mapped[int] = mapped_column(BigInteger)
    message_inbound: Mapped[int] = mapped_column(BigInteger)
    message_outbound: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[datetime]
    created_at: Mapped[datetime]
