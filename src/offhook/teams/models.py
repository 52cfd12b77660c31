"""Tables of teams, their members, and what lets somebody in.

A token or key is stored as its SHA-256 and never in the clear (SEC5, SEC6).
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ARRAY, ForeignKey, Index, String, false, func
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, TeamOwned, primary_key

HASH_LENGTH = 64


class Role(StrEnum):
    """From the least to the most; see `rules.allows`."""

    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"


class Team(Base):
    """The tenant. `timezone` is an IANA name; months begin and end in it (U2).

    A new zone waits in `next_timezone` until `next_timezone_from`, the running month's end.
    """

    __tablename__ = "teams"
    __audit__ = Marks("team", label="name", team="id")
    id: Mapped[str] = primary_key("team")
    name: Mapped[str] = mapped_column(String(80))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    next_timezone: Mapped[str | None] = mapped_column(String(64))
    next_timezone_from: Mapped[datetime | None]
    country: Mapped[str] = mapped_column(String(2), default="US")
    mask_numbers: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Hide card and social security numbers in what is kept of conversations (SEC20)."""
    created_at: Mapped[datetime]


class User(Base):
    """A person, who may be a member of several teams. An operator runs the installation."""

    __tablename__ = "users"
    __audit__ = Marks("person", label="email", without=("password_changed_at",), team="")
    id: Mapped[str] = primary_key("usr")
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(200))
    password_changed_at: Mapped[datetime]
    created_at: Mapped[datetime]
    is_operator: Mapped[bool] = mapped_column(default=False, server_default=false())
    __table_args__ = (Index("uq_users_email", func.lower(email), unique=True),)


class Membership(Base):
    __tablename__ = "memberships"
    __audit__ = Marks("member", key="user_id")
    team_id: Mapped[str] = mapped_column(String(40), ForeignKey("teams.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        String(40), ForeignKey("users.id"), primary_key=True, index=True
    )
    role: Mapped[Role] = mapped_column(String(10))
    created_at: Mapped[datetime]


class SignIn(TeamOwned, Base):
    """One browser that is signed in; gone when it signs out or the password changes."""

    __tablename__ = "sign_ins"
    token_hash: Mapped[str] = mapped_column(String(HASH_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(40), ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class SignInFailure(Base):
    """A wrong password, counted for a while against guessing (SEC5)."""

    __tablename__ = "sign_in_failures"
    id: Mapped[str] = primary_key("fail")
    who: Mapped[str] = mapped_column(String(HASH_LENGTH), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class PasswordReset(Base):
    """Somebody asked for a new password, by an address that may be nobody's.

    A worker looks whose it is, so that asking takes as long for either; then there is a token.
    """

    __tablename__ = "password_resets"
    id: Mapped[str] = primary_key("rst")
    email: Mapped[str] = mapped_column(String(254))
    user_id: Mapped[str | None] = mapped_column(String(40), ForeignKey("users.id"), index=True)
    token_hash: Mapped[str | None] = mapped_column(String(HASH_LENGTH), unique=True)
    asked_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]


class Invitation(TeamOwned, Base):
    """A link that makes its opener a member, once."""

    __tablename__ = "invitations"
    __audit__ = Marks("invitation", label="email", without=("created_by",))
    id: Mapped[str] = primary_key("inv")
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(String(10))
    token_hash: Mapped[str] = mapped_column(String(HASH_LENGTH), unique=True)
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]


class ApiKey(TeamOwned, Base):
    """A program's way in. `shown` is the key's beginning, to tell keys apart."""

    __tablename__ = "api_keys"
    __audit__ = Marks("API key", label="name", without=("last_used_at", "created_by"))
    id: Mapped[str] = primary_key("key")
    name: Mapped[str] = mapped_column(String(80))
    shown: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(HASH_LENGTH), unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
