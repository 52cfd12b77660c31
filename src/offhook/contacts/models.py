"""Tables of contacts: people, their numbers, what is known of them, and who is blocked."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.contacts.rules import Source, Type
from offhook.db import Base, TeamKeyed, TeamOwned, one_of, primary_key


class Contact(TeamKeyed, Base):
    """A person. `e164` is their first number, `name` what pages and agents call them.

    `name` follows from the values (`rules.display_name`). A contact that was merged into another
    stays as a signpost, `merged_into`, without number and values: whoever holds its id finds the
    other.
    """

    __tablename__ = "contacts"
    __audit__ = Marks("contact", private=True, by_hand=True, page="/contacts/{}")
    __table_args__ = (
        Index("ix_contacts_list", "team_id", "created_at", "id"),
        Index("ix_contacts_merged_into", "merged_into", postgresql_where="merged_into IS NOT NULL"),
    )
    id: Mapped[str] = primary_key("con")
    e164: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80), default="")
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ContactNumber(TeamKeyed, Base):
    """A number of a contact, in one team at most one contact's.

    `canonical` is the same for every national spelling (P6); `e164` is the one that was told
    first, which is the one to call and to text.
    """

    __audit__ = Marks("contact number", key="contact_id", private=True, by_hand=True)
    __tablename__ = "contact_numbers"
    __table_args__ = (UniqueConstraint("team_id", "canonical"),)
    id: Mapped[str] = primary_key("cnr")
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    canonical: Mapped[str] = mapped_column(String(20))
    e164: Mapped[str] = mapped_column(String(20))
    extension: Mapped[str] = mapped_column(String(7), default="")
    created_at: Mapped[datetime]


class AttributeRow(TeamKeyed, Base):
    """An attribute of the team's own, or what the team changed about a standard one (P3)."""

    __tablename__ = "contact_attributes"
    __audit__ = Marks("contact attribute", label="label")
    __table_args__ = (UniqueConstraint("team_id", "key"),)
    id: Mapped[str] = primary_key("att")
    key: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(60))
    type: Mapped[Type] = mapped_column(one_of(Type))
    choices: Mapped[list[str]] = mapped_column(JSONB, default=list)
    description: Mapped[str] = mapped_column(String(300), default="")
    agent_fills: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Value(TeamKeyed, Base):
    """What is known of a contact under one key, and from where (P2).

    Empty text set by hand says that it is not known, and is as much a decision as a value. From
    an agent it names the conversation and turn in which it was said; from a person who set it.
    """

    __tablename__ = "contact_values"
    __audit__ = Marks("contact value", label="key", key="contact_id", private=True, by_hand=True)
    __table_args__ = (
        UniqueConstraint("contact_id", "key"),
        Index("ix_contact_values_key", "team_id", "key"),
    )
    id: Mapped[str] = primary_key("val")
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"))
    key: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(500))
    source: Mapped[Source] = mapped_column(one_of(Source))
    set_by: Mapped[str] = mapped_column(String(40), default="")
    conversation_id: Mapped[str | None] = mapped_column(String(40))
    turn_id: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime]


class Note(TeamOwned, Base):
    """A sentence about a contact, by a member of the team or by an agent for its memory (P4)."""

    __tablename__ = "contact_notes"
    __audit__ = Marks("contact note", key="contact_id", private=True, by_hand=True)
    id: Mapped[str] = primary_key("cno")
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    source: Mapped[Source] = mapped_column(one_of(Source))
    written_by: Mapped[str] = mapped_column(String(254), default="")
    conversation_id: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime]


class BlockedNumber(TeamKeyed, Base):
    """A number that is not answered (P7). It is the number's: it outlives contact and merge."""

    __tablename__ = "blocked_numbers"
    __audit__ = Marks("block", private=True, by_hand=True)
    __table_args__ = (UniqueConstraint("team_id", "canonical"),)
    id: Mapped[str] = primary_key("blk")
    canonical: Mapped[str] = mapped_column(String(20))
    e164: Mapped[str] = mapped_column(String(20))
    blocked_by: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class Screening(TeamKeyed, Base):
    """How a team screens: one row, made with the first change."""

    __tablename__ = "contact_screening"
    __audit__ = Marks("screening", without=("changed_by", "changed_at"))
    __table_args__ = (UniqueConstraint("team_id"),)
    id: Mapped[str] = primary_key("scr")
    refuse_hidden: Mapped[bool] = mapped_column(default=False)
    changed_by: Mapped[str] = mapped_column(String(40))
    changed_at: Mapped[datetime]


class Erasure(TeamKeyed, Base):
    """The receipt of an erasure: what was erased by kind and number, and the digest of it all.

    Holds nothing of the person: `contact_ids` are random, `digest` is the SHA-256 of the export
    as it would have been given at that instant.
    """

    __tablename__ = "contact_erasures"
    __audit__ = Marks("erasure", page="/contacts/erased/{}")
    __table_args__ = (Index("ix_contact_erasures_list", "team_id", "at", "id"),)
    id: Mapped[str] = primary_key("era")
    contact_ids: Mapped[list[str]] = mapped_column(JSONB)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    kept: Mapped[list[str]] = mapped_column(JSONB)
    digest: Mapped[str] = mapped_column(String(64))
    erased_by: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
