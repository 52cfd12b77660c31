"""The operator's own prices: versions that stand beside the shipped list and win over it.

A version's prices are never changed. One that is not in force yet can be withdrawn, which is
written beside them.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, primary_key


class PriceVersion(Base):
    """One price from `valid_from` on, in micros of `currency`.

    `created_by`, `withdrawn_by`: a user's or key's id; empty before there was an editor.
    """

    __tablename__ = "price_versions"
    __audit__ = Marks("price", label="country", without=("created_by", "withdrawn_by"), team="")
    __table_args__ = (
        Index(
            "uq_price_versions_start",
            "carrier",
            "country",
            "number_type",
            "valid_from",
            unique=True,
            postgresql_where="withdrawn_at IS NULL",
        ),
    )
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
    created_by: Mapped[str] = mapped_column(String(40), default="", server_default="")
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(40))
