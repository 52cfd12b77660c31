"""Tables of knowledge: sources, the passages cut from them, and which agents use which source.

A source belongs to a team and is linked to any number of its agents. Agents live in a room above
this one, so their ids stand here without a foreign key; `agents` takes its links back when an
agent is deleted. Passages are replaced together; one that says the same as before keeps its id,
so that what cites it still finds it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, TeamOwned, primary_key
from offhook.knowledge.embedding import DIMENSIONS

ID_CHARS = 40


class SourceKind(StrEnum):
    TEXT = "text"
    PAIR = "pair"
    FILE = "file"
    PAGE = "page"
    SITE = "site"


WEB = (SourceKind.PAGE, SourceKind.SITE)
"""Read from an address, and again from time to time."""


class SourceState(StrEnum):
    """A source that is read anew is quoted again when that is done; FAILED has nothing to quote."""

    READING = "reading"
    READY = "ready"
    FAILED = "failed"
    KEPT = "kept"
    """The newest reading was no good: the text before it is kept and quoted, and a person asked."""


QUOTED = (SourceState.READY, SourceState.KEPT)


READING = (
    "content",
    "state",
    "error",
    "note",
    "size_bytes",
    "passage_count",
    "synced_at",
    "sync_at",
    "sync_began_at",
    "dismissed",
)
"""What a source's reading changes, and its text: neither is a setting."""


class Source(TeamOwned, Base):
    """A text, a question with its answer, a file, a web page or a site.

    Of a pair, `title` is the question; what web sources say stands in their pages.
    """

    __tablename__ = "knowledge_sources"
    __audit__ = Marks("knowledge source", label="title", without=READING, page="/knowledge/{}")
    id: Mapped[str] = primary_key("src")
    kind: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text, deferred=True)
    state: Mapped[str] = mapped_column(String(10), default=SourceState.READING)
    error: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What a person should know although it was read: pages that are pictures."""
    size_bytes: Mapped[int] = mapped_column(default=0)
    passage_count: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    """Counts replacements: a reading that finishes for an older one is thrown away."""
    created_at: Mapped[datetime]
    synced_at: Mapped[datetime | None]
    url: Mapped[str] = mapped_column(Text, default="", server_default="")
    every_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often a web source is read anew; 0: only when somebody wishes."""
    sync_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it is due to be read anew."""
    sync_began_at: Mapped[datetime | None]
    """Since when it is being read anew; None when it is not."""
    dismissed: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Digest of the reading that a person did not want, so as not to ask again."""


class Upload(TeamOwned, Base):
    """A file between its upload and its reading, which takes it away."""

    __tablename__ = "knowledge_uploads"
    source_id: Mapped[str] = mapped_column(
        ForeignKey("knowledge_sources.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(200))
    data: Mapped[bytes]


class WebPage(TeamOwned, Base):
    """A page of a web source: what it says, or why it was not read.

    `proposed` ones were read last and are no good; a person may have them in place of the others.
    """

    __tablename__ = "knowledge_pages"
    __table_args__ = (Index("ix_knowledge_pages_source", "source_id", "proposed", "position"),)
    id: Mapped[str] = primary_key("kpg")
    source_id: Mapped[str] = mapped_column(ForeignKey("knowledge_sources.id", ondelete="CASCADE"))
    proposed: Mapped[bool]
    position: Mapped[int]
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text, deferred=True)
    etag: Mapped[str] = mapped_column(Text)
    last_modified: Mapped[str] = mapped_column(Text)


class SourceAgent(TeamOwned, Base):
    """An agent that uses a source."""

    __tablename__ = "knowledge_source_agents"
    __audit__ = Marks("knowledge of an agent", key="source_id")
    source_id: Mapped[str] = mapped_column(
        ForeignKey("knowledge_sources.id", ondelete="CASCADE"), primary_key=True
    )
    agent_id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True, index=True)


class Passage(TeamOwned, Base):
    """One thing that can be asked for, with what is needed to find it by words and by meaning.

    The indexes of meanings are of all teams; searching.py says when they are read.
    """

    __tablename__ = "knowledge_passages"
    __table_args__ = (
        Index("ix_knowledge_passages_source", "source_id", "position"),
        *(
            Index(
                f"ix_knowledge_passages_{column}",
                column,
                postgresql_using="hnsw",
                postgresql_ops={column: "halfvec_cosine_ops"},
            )
            for column in ("meaning", "own_meaning")
        ),
    )
    id: Mapped[str] = primary_key("psg")
    source_id: Mapped[str] = mapped_column(ForeignKey("knowledge_sources.id", ondelete="CASCADE"))
    position: Mapped[int]
    url: Mapped[str] = mapped_column(Text, default="", server_default="")
    """The web page that it is from."""
    kind: Mapped[str] = mapped_column(String(10))
    headings: Mapped[list[str]] = mapped_column(ARRAY(Text))
    heading: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    cells: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    meaning: Mapped[Any | None] = mapped_column(HALFVEC(DIMENSIONS), deferred=True)
    """Of the text under its headings; None where the embedding model is not installed."""
    own_meaning: Mapped[Any | None] = mapped_column(HALFVEC(DIMENSIONS), deferred=True)
    """Of the text alone; of a pair's question."""


class PassageWords(Base):
    """The words of a passage, those of its heading weighed less, and its team's (db/finding.py)."""

    __tablename__ = "knowledge_words"
    __table_args__ = (Index("ix_knowledge_words", "words", postgresql_using="gin"),)
    passage_id: Mapped[str] = mapped_column(
        ForeignKey("knowledge_passages.id", ondelete="CASCADE"), primary_key=True
    )
    words: Mapped[str] = mapped_column(TSVECTOR)
