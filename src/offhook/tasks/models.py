"""Tables of tasks: what a team's agents can do, which agent may, each run, and the secrets.

A run is the record of one intent: its inputs, what was sent, what came back. Its id is the one
idempotency key of all its attempts. States and their table are in rules.py.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, Sealed, TeamKeyed, TeamOwned, one_of, primary_key
from offhook.tasks.rules import DEFAULT_MONEY, RunState

ID_CHARS = 40


class Task(TeamKeyed, Base):
    """Something that agents of the team can do. `name` is the slug by which a brain calls it."""

    __tablename__ = "tasks"
    __audit__ = Marks("task", label="title", without=("revision",), page="/tasks/{}")
    __table_args__ = (UniqueConstraint("team_id", "name"),)
    id: Mapped[str] = primary_key("tsk")
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text, default="")
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The kind's own settings, as its model writes them."""
    inputs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    phrases: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    readback: Mapped[str] = mapped_column(Text, default="")
    """A template of the sentence that is said before it runs; empty: made from the inputs."""
    confirm: Mapped[bool] = mapped_column(default=True)
    personal: Mapped[bool] = mapped_column(default=False)
    """Tells or changes a person's own data: needs a second factor (SEC10)."""
    by_code: Mapped[bool] = mapped_column(default=False, server_default=false())
    """That factor is a code that we text to the number; else a proof among its inputs."""
    timeout_s: Mapped[int] = mapped_column(default=15)
    max_runs: Mapped[int] = mapped_column(default=3)
    """Of this task in one conversation within a day (T4)."""
    max_money: Mapped[int] = mapped_column(
        default=DEFAULT_MONEY, server_default=text(str(DEFAULT_MONEY))
    )
    """What its amounts may come to in one conversation within a day (T4)."""
    revision: Mapped[int] = mapped_column(default=1)
    """Counts changes: what was read back is what runs, or it is read back again."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AgentTask(TeamOwned, Base):
    """A task that an agent may do, and on which channels (T4)."""

    __tablename__ = "agent_tasks"
    __audit__ = Marks("task of an agent", key="task_id")
    task_id: Mapped[str] = mapped_column(
        ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True
    )
    agent_id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True, index=True)
    channels: Mapped[list[str]] = mapped_column(ARRAY(String(10)))


class TaskRun(TeamKeyed, Base):
    """One proposal of a task in a conversation, and what became of it (T3).

    `definition` is the task as it was when it was confirmed: later attempts do the same.
    `lease_until`: until then the process that took it is at work; afterwards the sweeper decides.
    """

    __tablename__ = "task_runs"
    __table_args__ = (
        Index(
            "uq_task_runs_proposed",
            "conversation_id",
            unique=True,
            postgresql_where="state = 'proposed'",
        ),
        Index("ix_task_runs_conversation", "team_id", "conversation_id", "proposed_at"),
        Index("ix_task_runs_task", "team_id", "task_id", "proposed_at"),
        Index(
            "ix_task_runs_lease",
            "lease_until",
            postgresql_where="state IN ('confirmed', 'running')",
        ),
    )
    id: Mapped[str] = primary_key("run")
    task_id: Mapped[str] = mapped_column(String(ID_CHARS))
    task_name: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    revision: Mapped[int]
    conversation_id: Mapped[str] = mapped_column(String(ID_CHARS))
    channel: Mapped[str] = mapped_column(String(10))
    agent_id: Mapped[str] = mapped_column(String(ID_CHARS))
    scope: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Whom it may reach: set by code when the conversation was opened (SEC9)."""
    state: Mapped[RunState] = mapped_column(one_of(RunState, length=16))
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[str] = mapped_column(String(64), default="")
    """Of task and inputs: the same intent has the same one."""
    readback: Mapped[str] = mapped_column(Text, default="")
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    request: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """What was sent, without secrets."""
    response: Mapped[str] = mapped_column(Text, default="")
    """The first kB of what the other system answered, without secrets."""
    data: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    answer: Mapped[str] = mapped_column(Text, default="")
    """What can be said: the result, or why it failed."""
    error: Mapped[str] = mapped_column(String(80), default="")
    """A code, for programs."""
    proposed_at: Mapped[datetime]
    proposed_turn: Mapped[int]
    confirmed_at: Mapped[datetime | None]
    confirmed_turn: Mapped[int | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]


class TextedCode(TeamKeyed, Base):
    """A code that was texted to a number in a conversation, to be told back (proving.py).

    `looked_turn`: up to there it was looked for. Forgotten after a day.
    """

    __tablename__ = "texted_codes"
    __table_args__ = (
        Index("ix_texted_codes_conversation", "team_id", "conversation_id", "sent_at"),
        Index("ix_texted_codes_remote", "team_id", "remote", "sent_at"),
    )
    id: Mapped[str] = primary_key("cod")
    conversation_id: Mapped[str] = mapped_column(String(ID_CHARS))
    remote: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[datetime]
    looked_turn: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)
    proven_at: Mapped[datetime | None]


class TeamSecret(TeamKeyed, Base):
    """A secret that requests carry as `{{secret:NAME}}`; sealed, and never shown again."""

    __tablename__ = "team_secrets"
    __audit__ = Marks("secret", label="name")
    __table_args__ = (UniqueConstraint("team_id", "name"),)
    id: Mapped[str] = primary_key("sec")
    name: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(Sealed())
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
