"""Tables of knowledge: sources, the passages cut from them, and which agents use which source.

A source belongs to a team and is linked to any number of its agents. Agents live in a room above
this one, so their ids stand here without a foreign key; `agents` takes its links back when an
agent is deleted. Passages are replaced together, never one by one.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import Computed, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, TeamOwned, primary_key
from offhook.knowledge.embedding import DIMENSIONS

ID_CHARS = 40


class SourceKind(StrEnum):
    TEXT = "text"
    PAIR = "pair"
    FILE = "file"


class SourceState(StrEnum):
    READING = "reading"
    READY = "ready"
    FAILED = "failed"


class Source(TeamOwned, Base):
    """A text, a question with its answer, or a file. Of a pair, `title` is the question."""

    __tablename__ = "knowledge_sources"
    id: Mapped[str] = primary_key("src")
    kind: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text, deferred=True)
    state: Mapped[str] = mapped_column(String(10), default=SourceState.READING)
    error: Mapped[str] = mapped_column(Text, default="")
    size_bytes: Mapped[int] = mapped_column(default=0)
    passage_count: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    """Counts replacements: a reading that finishes for an older one is thrown away."""
    created_at: Mapped[datetime]
    synced_at: Mapped[datetime | None]


class SourceAgent(TeamOwned, Base):
    """An agent that uses a source."""

    __tablename__ = "knowledge_source_agents"
    source_id: Mapped[str] = mapped_column(
        ForeignKey("knowledge_sources.id", ondelete="CASCADE"), primary_key=True
    )
    agent_id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True, index=True)


class Passage(TeamOwned, Base):
    """One thing that can be asked for, with what is needed to find it by words and by meaning.

    No approximate index on the vectors: a search is always within one team's passages, where the
    exact scan takes milliseconds and never misses one.
    """

    __tablename__ = "knowledge_passages"
    __table_args__ = (
        Index("ix_knowledge_passages_words", "words", postgresql_using="gin"),
        Index("ix_knowledge_passages_source", "source_id", "position"),
    )
    id: Mapped[str] = primary_key("psg")
    source_id: Mapped[str] = mapped_column(ForeignKey("knowledge_sources.id", ondelete="CASCADE"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    headings: Mapped[list[str]] = mapped_column(ARRAY(Text))
    heading: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    cells: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    words: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('english', heading), 'B')"
            " || setweight(to_tsvector('english', text), 'A')",
            persisted=True,
        ),
        deferred=True,
    )
    meaning: Mapped[Any | None] = mapped_column(VECTOR(DIMENSIONS), deferred=True)
    """Of the text under its headings; None where the embedding model is not installed."""
    own_meaning: Mapped[Any | None] = mapped_column(VECTOR(DIMENSIONS), deferred=True)
    """Of the text alone; of a pair's question."""
