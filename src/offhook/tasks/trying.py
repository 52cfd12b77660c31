"""Trying a task out by hand: its request as it would go out, and sending it where asked (T2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.db import new_id
from offhook.errors import Invalid
from offhook.tasks import inputs as typed
from offhook.tasks import kinds, service
from offhook.tasks.kinds import Done, Kind, Order
from offhook.tasks.models import Task
from offhook.tasks.running import Runner
from offhook.tasks.scope import SMS, Scope
from offhook.tasks.templating import TemplateError
from offhook.teams import Actor

TRIED = "trial"
"""Stands for the conversation, number and agent that a trial does not have."""


class CannotBeTried(Invalid):
    code = "task_cannot_be_tried"


@dataclass(slots=True)
class Trial:
    """What came of it."""

    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    sent: bool = False
    completed: bool = False
    answer: str = ""
    response: str = ""
    error: str = ""


async def attempt(
    runner: Runner, task: Task, given: Mapping[str, Any], actor: Actor, *, send: bool
) -> Trial:
    """Render the task's request with these inputs, and send it where asked.

    Leaves no record: there is no conversation. Raises CannotBeTried for kinds that act within one.
    """
    kind = kinds.kind(task.kind)
    if kind.outside is None or kind.live:
        raise CannotBeTried(
            f"A task of the kind “{kind.title}” cannot be tried out alone.",
            remedy="Try it in a conversation: call or text the agent.",
        )
    defined = service.inputs_of(task)
    checked = typed.check(defined, given, actor.country)
    problems = {each.name: "Is needed." for each in checked.missing} | checked.problems
    if problems:
        return Trial(problems)
    order = Order(
        run_id=new_id("run"),
        title=task.title,
        scope=Scope(actor.team_id, TRIED, TRIED, SMS, TRIED, country=actor.country),
        config=kind.config.model_validate(task.config),
        inputs=checked.values,
        timeout_s=float(task.timeout_s),
    )
    if not send:
        return await _shown(runner, kind, order)
    outcome = await runner.try_once(kind, order)
    if isinstance(outcome, Done):
        return Trial(
            request=outcome.request,
            sent=True,
            completed=True,
            answer=outcome.answer,
            response=outcome.response,
        )
    return Trial(
        request=outcome.request,
        sent=True,
        answer=outcome.reason,
        response=outcome.response,
        error=outcome.code,
    )


async def _shown(runner: Runner, kind: Kind, order: Order) -> Trial:
    try:
        return Trial(request=await kind.show(runner.means, order))
    except TemplateError as error:
        return Trial(error=str(error))
