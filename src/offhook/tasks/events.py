"""What tasks announce."""

from typing import ClassVar

from pydantic import Field

from offhook.db import Event


class TaskCompleted(Event):
    """A task ran; its answer is in the run's record."""

    event: ClassVar[str] = "task.completed"
    run_id: str
    task_id: str
    task: str
    kind: str
    agent_id: str
    contact_id: str | None = None
    references: dict[str, str] = Field(default={})
    """Ids of what it made: a booking, a message."""


class TaskFailed(Event):
    """A task was tried and failed, or nobody knows whether it was done; `error` is a code."""

    event: ClassVar[str] = "task.failed"
    run_id: str
    task_id: str
    task: str
    kind: str
    agent_id: str
    contact_id: str | None = None
    error: str
