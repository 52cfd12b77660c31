"""Tables of the audit log: its entries, and the head of each chain.

Entries are only ever added: the database refuses to change, delete or truncate them, whoever asks.
The head is what a new entry is chained to, and whose row lock makes entries follow one another.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit.actor import Kind
from offhook.audit.chain import Link, written
from offhook.db import Base, one_of, primary_key

INSTALLATION = "installation"
"""The chain of what belongs to no team: prices, vendor rates, people."""


class Entry(Base):
    """One recorded act. `changes` is canonical JSON: {field: [before, after]}."""

    __tablename__ = "audit_entries"
    id: Mapped[str] = primary_key("aud")
    chain: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    team_id: Mapped[str | None] = mapped_column(String(40), ForeignKey("teams.id"))
    at: Mapped[datetime]
    actor_kind: Mapped[Kind] = mapped_column(one_of(Kind))
    actor_id: Mapped[str] = mapped_column(String(40))
    actor_name: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(80))
    label: Mapped[str] = mapped_column(String(254))
    changes: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        Index("uq_audit_entries_position", "chain", "position", unique=True),
        Index("ix_audit_entries_subject", "chain", "subject", "subject_id", "position"),
        Index("ix_audit_entries_actor", "chain", "actor_id", "position"),
    )

    @property
    def changed(self) -> dict[str, list[Any]]:
        return json.loads(self.changes)

    def link(self) -> Link:
        """What the chain is made of."""
        return Link(self.position, self.previous, self.digest, self.content())

    def content(self) -> dict[str, Any]:
        """Everything that the digest covers."""
        return {
            "id": self.id,
            "chain": self.chain,
            "position": self.position,
            "at": written(self.at),
            "actor_kind": self.actor_kind.value,
            "actor_id": self.actor_id,
            "actor_name": self.actor_name,
            "action": self.action,
            "subject": self.subject,
            "subject_id": self.subject_id,
            "label": self.label,
            "changes": self.changes,
        }


class Head(Base):
    """Where a chain ends."""

    __tablename__ = "audit_heads"
    chain: Mapped[str] = mapped_column(String(40), primary_key=True)
    position: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
