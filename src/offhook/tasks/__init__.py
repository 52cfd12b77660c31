"""Tasks: what an agent can do during a conversation besides speaking.

A brain is handed a `Toolbox` with its briefing: it proposes a task, the other side confirms, the
task runs and leaves a record. Knows no conversation but by its id.
"""

from offhook.tasks.toolbox import (
    Completed,
    Failed,
    HandingOver,
    Incomplete,
    Input,
    InputType,
    News,
    NoTasks,
    Offer,
    Refused,
    Step,
    Toolbox,
    Unconfirmed,
)

__all__ = [
    "Completed",
    "Failed",
    "HandingOver",
    "Incomplete",
    "Input",
    "InputType",
    "News",
    "NoTasks",
    "Offer",
    "Refused",
    "Step",
    "Toolbox",
    "Unconfirmed",
]
