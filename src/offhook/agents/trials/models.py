"""The table of an agent's tests."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.agents.brain import Channel
from offhook.agents.trials.rules import State
from offhook.audit import Marks
from offhook.db import Base, TeamOwned, one_of, primary_key


class Trial(TeamOwned, Base):
    """One conversation that is held again. `turns` and `answers` are `rules.Spoke` and
    `rules.Answer`; `draft_at` is when the draft that gave the answers was last changed.
    """

    __tablename__ = "agent_tests"
    __audit__ = Marks(
        "agent test", label="name", without=("turns", "answers", "state", "ran_at", "draft_at")
    )
    __table_args__ = (UniqueConstraint("agent_id", "conversation_id"),)
    id: Mapped[str] = primary_key("tst")
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    channel: Mapped[Channel] = mapped_column(one_of(Channel, length=16))
    conversation_id: Mapped[str] = mapped_column(String(40))
    contact_id: Mapped[str | None] = mapped_column(String(40), index=True)
    turns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[State] = mapped_column(one_of(State, length=16))
    answers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    ran_at: Mapped[datetime | None]
    draft_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
