"""Tables of the HTTP toolkit: answers kept for repeated requests."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base


class KeptAnswer(Base):
    """The answer to a request that carried an `Idempotency-Key`, for a day."""

    __tablename__ = "kept_answers"
    team_id: Mapped[str] = mapped_column(String(40), ForeignKey("teams.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    route: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[Any] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(index=True)
