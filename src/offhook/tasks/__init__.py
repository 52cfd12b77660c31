"""Tasks: what an agent can do during a conversation besides speaking.

A brain is handed a `Toolbox` with its briefing: it proposes a task, the other side confirms, the
task runs and leaves a record. The code that holds the conversation opens it for each reply:

    runner = tasks.Runner(tasks.Means(database, vault, outgoing))       # once per process
    scope = tasks.Scope(team_id, agent_id, conversation_id, "call", number_id, contact_id,
                        caller="+1…", attestation="A", language="en", timezone="Europe/Paris")
    turns = [tasks.Turn(position, by_caller, text), …]                  # as heard, in order
    toolbox = await tasks.open_toolbox(runner, scope, turns)

Trying an agent out has `tasks.open_rehearsal(runner, scope, turns, tasks.Rehearsal())`: the same
decisions, kept nowhere, and effects are shown instead of done.

A room above adds a kind with `tasks.register(tasks.Kind(...))` in app.join_rooms, hears of ends
with `tasks.when_ended(hook)`, shows `tasks.runs_of(session, team_id, [conversation_id])`, and
ends with `tasks.finish(...)` what was handed to it. `tasks.texts_codes_by(sender)` joins who texts
the codes by which people prove their number. Knows no conversation and no agent but by id.
"""

from offhook.tasks import booking_kind, email_kind, http_kind, mcp_kind, secure_kind
from offhook.tasks.box import open_toolbox
from offhook.tasks.consent import affirms
from offhook.tasks.contact_keeping import Runs
from offhook.tasks.jobs import register as register_jobs
from offhook.tasks.keypads import Keypad, Keypads, Wanted
from offhook.tasks.kinds import (
    Done,
    Kind,
    Means,
    NotDone,
    Order,
    Outcome,
    PutThrough,
    register,
)
from offhook.tasks.models import Task, TaskRun
from offhook.tasks.proving import Sender as CodeSender
from offhook.tasks.proving import texts_codes_by
from offhook.tasks.records import finish, runs_of, topic, when_ended
from offhook.tasks.rehearsing import Rehearsal, open_rehearsal, rehearsal_scope
from offhook.tasks.rules import Effect, RunState, Trust
from offhook.tasks.running import Runner
from offhook.tasks.scope import CALL, SMS, Scope, Turn
from offhook.tasks.service import create, forget_agent, listed, of_agent, update, use, uses
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

BUILT_IN = (
    booking_kind.KIND,
    http_kind.KIND,
    email_kind.KIND,
    secure_kind.KIND,
    mcp_kind.KIND,
)
"""The kinds that need no other room; app.join_rooms registers them with the others."""

__all__ = [
    "BUILT_IN",
    "CALL",
    "SMS",
    "CodeSender",
    "Completed",
    "Done",
    "Effect",
    "Failed",
    "HandingOver",
    "Incomplete",
    "Input",
    "InputType",
    "Keypad",
    "Keypads",
    "Kind",
    "Means",
    "News",
    "NoTasks",
    "NotDone",
    "Offer",
    "Order",
    "Outcome",
    "PutThrough",
    "Refused",
    "Rehearsal",
    "RunState",
    "Runner",
    "Runs",
    "Scope",
    "Step",
    "Task",
    "TaskRun",
    "Toolbox",
    "Trust",
    "Turn",
    "Unconfirmed",
    "Wanted",
    "affirms",
    "create",
    "finish",
    "forget_agent",
    "listed",
    "of_agent",
    "open_rehearsal",
    "open_toolbox",
    "register",
    "register_jobs",
    "rehearsal_scope",
    "runs_of",
    "texts_codes_by",
    "topic",
    "update",
    "use",
    "uses",
    "when_ended",
]
