"""Tables of agents: the draft that is edited, and the versions that answer.

An agent's row is its draft; making it live freezes the draft into a version, and conversations
see versions only. `Missing`, statuses and their table are in rules.py.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.agents.rules import AgentStatus
from offhook.agents.snapshot import DEFAULT_FALLBACK, Options, Snapshot, options_from
from offhook.agents.trials.models import Trial
from offhook.audit import Marks
from offhook.db import Base, TeamKeyed, TeamOwned, primary_key

__all__ = ["Agent", "AgentVersion", "BusinessFacts", "Trial"]


class Agent(TeamOwned, Base):
    __tablename__ = "agents"
    __audit__ = Marks("agent", label="name", page="/agents/{}")
    id: Mapped[str] = primary_key("agt")
    name: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(10), default=AgentStatus.DRAFT)
    instructions: Mapped[str] = mapped_column(Text, default="")
    call_instructions: Mapped[str] = mapped_column(Text, default="")
    sms_instructions: Mapped[str] = mapped_column(Text, default="")
    person_when: Mapped[str] = mapped_column(Text, default="")
    greeting: Mapped[str] = mapped_column(Text, default="")
    voice: Mapped[str] = mapped_column(String(80), default="")
    language: Mapped[str] = mapped_column(String(10), default="en")
    model: Mapped[str] = mapped_column(String(120), default="")
    fallback: Mapped[str] = mapped_column(Text, default=DEFAULT_FALLBACK)
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    version: Mapped[int] = mapped_column(default=0)
    """The last published version; 0 when there is none."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def behaviour(self) -> Options:
        return options_from(self.options)

    def draft(self) -> Snapshot:
        """The draft as a conversation would see it; version 0."""
        return Snapshot(
            agent_id=self.id,
            version=0,
            name=self.name,
            instructions=self.instructions,
            call_instructions=self.call_instructions,
            sms_instructions=self.sms_instructions,
            person_when=self.person_when,
            greeting=self.greeting,
            voice=self.voice,
            language=self.language,
            model=self.model,
            fallback=self.fallback,
            options=self.behaviour,
        )


class AgentVersion(TeamOwned, Base):
    """A published draft; never changed afterwards."""

    __tablename__ = "agent_versions"
    __audit__ = Marks("agent version", label="number", without=("snapshot", "published_by"))
    __table_args__ = (UniqueConstraint("agent_id", "number"),)
    id: Mapped[str] = primary_key("agv")
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    number: Mapped[int]
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    """What is new in it, in the words of who published it."""


class BusinessFacts(TeamKeyed, Base):
    """What all agents of a team know; `source_id` is the same text among the knowledge."""

    __audit__ = Marks("business facts", without=("source_id",))
    __tablename__ = "business_facts"
    __table_args__ = (UniqueConstraint("team_id"),)
    id: Mapped[str] = primary_key("fct")
    text: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str | None] = mapped_column(String(40))
    updated_at: Mapped[datetime]
