"""Use cases of whoever sets tasks up: make, change, delete, give to agents, try out (T1, T2, T4).

A task's settings are checked when it is saved: by its kind's model, and that its templates ask
only for inputs that it has. Knows no agent but by its id.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from offhook.db import Session, for_change, now, one_at_a_time, touch
from offhook.tasks import inputs as typed
from offhook.tasks import kinds
from offhook.tasks.definitions import DEFAULTS, EDITABLE, checked, slug
from offhook.tasks.kinds import Kind, Order
from offhook.tasks.models import AgentTask, Task, TaskRun
from offhook.tasks.problems import TaskInvalid, TaskNameTaken, TaskNotFound
from offhook.tasks.rules import Effect
from offhook.tasks.scope import CHANNELS, Scope
from offhook.tasks.toolbox import Input

MAX_TASKS = 200


@dataclass(frozen=True, slots=True)
class Use:
    """An agent's use of a task."""

    agent_id: str
    channels: Sequence[str]


async def get(session: Session, team_id: str, task_id: str, *, lock: bool = False) -> Task:
    """Raises TaskNotFound, also for another team's (SEC7)."""
    query = select(Task).where(Task.team_id == team_id, Task.id == task_id)
    if lock:
        query = for_change(query)
    task = await session.scalar(query)
    if task is None:
        raise TaskNotFound(f"There is no task {task_id[:50]}.")
    return task


async def listed(session: Session, team_id: str) -> Sequence[Task]:
    """All of the team's tasks, by title."""
    query = select(Task).where(Task.team_id == team_id).order_by(Task.title, Task.id)
    return (await session.scalars(query)).all()


async def create(
    session: Session,
    team_id: str,
    *,
    kind: str,
    title: str,
    config: Mapping[str, Any],
    **given: Any,
) -> Task:
    """A new task, used by no agent yet. Raises TaskInvalid with every field that is wrong."""
    await _one_names(session, team_id)
    count = await session.scalar(
        select(func.count()).select_from(Task).where(Task.team_id == team_id)
    )
    if (count or 0) >= MAX_TASKS:
        raise TaskInvalid(f"The team has {count} tasks already.", remedy="Delete one first.")
    found = kinds.kind(kind)
    name = given.pop("name", "") or await _free_name(session, team_id, slug(title))
    instant = await now(session)
    values = checked(found, {**DEFAULTS, "name": name, "title": title, "config": config, **given})
    values.setdefault("confirm", _effect(found, values["config"]) in {Effect.ACT, Effect.REACH_OUT})
    await _name_is_free(session, team_id, values["name"])
    task = Task(team_id=team_id, kind=kind, created_at=instant, updated_at=instant, **values)
    session.add(task)
    await session.flush()
    await touch(session, team_id, "tasks")
    return task


async def update(session: Session, team_id: str, task_id: str, **changes: Any) -> Task:
    """Change what is given. What was read back before is read back again before it runs."""
    task = await get(session, team_id, task_id, lock=True)
    before = {field: getattr(task, field) for field in EDITABLE}
    wanted = {**before, **{field: changes[field] for field in EDITABLE & changes.keys()}}
    values = checked(kinds.kind(task.kind), wanted)
    if values["name"] != task.name:
        await _one_names(session, team_id)
        await _name_is_free(session, team_id, values["name"])
    for field, value in values.items():
        setattr(task, field, value)
    task.revision += 1
    task.updated_at = await now(session)
    await session.flush()
    await touch(session, team_id, "tasks")
    return task


async def delete(session: Session, team_id: str, task_id: str) -> None:
    """Forget a task; the records of its runs stay."""
    task = await get(session, team_id, task_id, lock=True)
    await session.delete(task)
    await session.flush()
    await touch(session, team_id, "tasks")


async def use(
    session: Session, team_id: str, task_id: str, agent_id: str, channels: Collection[str]
) -> None:
    """Let an agent do this task on these channels; on none: not at all (T4)."""
    task = await get(session, team_id, task_id, lock=True)
    wanted = [each for each in CHANNELS if each in channels]
    if unknown := sorted(set(channels) - set(CHANNELS)):
        raise TaskInvalid(f"“{unknown[0][:20]}” is no channel.", remedy="Use call or sms.")
    if lost := [each for each in wanted if each not in kinds.kind(task.kind).channels]:
        raise TaskInvalid(
            f"“{task.title}” cannot be done on the channel {lost[0]}.",
            remedy="Leave that channel out.",
        )
    held = await session.scalar(
        select(AgentTask).where(
            AgentTask.team_id == team_id,
            AgentTask.task_id == task_id,
            AgentTask.agent_id == agent_id,
        )
    )
    if held is None and wanted:
        session.add(AgentTask(team_id=team_id, task_id=task_id, agent_id=agent_id, channels=wanted))
    elif held is not None and wanted:
        held.channels = wanted
    elif held is not None:
        await session.delete(held)
    await session.flush()
    await touch(session, team_id, "tasks")


async def uses(session: Session, team_id: str) -> dict[str, list[Use]]:
    """Task id to the agents that may do it."""
    rows = await session.scalars(
        select(AgentTask).where(AgentTask.team_id == team_id).order_by(AgentTask.agent_id)
    )
    found: dict[str, list[Use]] = {}
    for row in rows:
        found.setdefault(row.task_id, []).append(Use(row.agent_id, row.channels))
    return found


async def of_agent(session: Session, team_id: str, agent_id: str, channel: str) -> Sequence[Task]:
    """What an agent may do on a channel, by title."""
    query = (
        select(Task)
        .join(AgentTask, AgentTask.task_id == Task.id)
        .where(
            Task.team_id == team_id,
            AgentTask.team_id == team_id,
            AgentTask.agent_id == agent_id,
            AgentTask.channels.contains([channel]),
        )
        .order_by(Task.title, Task.id)
    )
    return (await session.scalars(query)).all()


async def forget_agent(session: Session, team_id: str, agent_id: str) -> None:
    """The agent is being deleted; its tasks stay with the team."""
    rows = await session.scalars(
        select(AgentTask).where(AgentTask.team_id == team_id, AgentTask.agent_id == agent_id)
    )
    for row in rows:
        await session.delete(row)
    await session.flush()


def definition_of(task: Task) -> dict[str, Any]:
    """What a run keeps of its task: exactly what was confirmed."""
    return {
        "title": task.title,
        "config": task.config,
        "inputs": task.inputs,
        "timeout_s": task.timeout_s,
    }


def order_of(run: TaskRun, definition: Mapping[str, Any], scope: Scope) -> Order:
    """A run as its kind sees it. Raises KindUnknown, or pydantic's error for an old config."""
    return Order(
        run_id=run.id,
        title=definition["title"],
        scope=scope,
        config=kinds.kind(run.kind).config.model_validate(definition["config"]),
        inputs=run.inputs,
        timeout_s=float(definition["timeout_s"]),
    )


def inputs_of(task: Task) -> tuple[Input, ...]:
    """The inputs of a task: its kind's own, or those that it defines."""
    kind = kinds.kind(task.kind)
    if kind.inputs is not None:
        return tuple(kind.inputs(kind.config.model_validate(task.config)))
    return typed.from_json(task.inputs)


def effect_of(task: Task) -> Effect:
    return _effect(kinds.kind(task.kind), task.config)


def _effect(kind: Kind, config: Mapping[str, Any]) -> Effect:
    return kind.effect(kind.config.model_validate(config))


async def _one_names(session: Session, team_id: str) -> None:
    """Of two who name a task at once the second sees the first one's."""
    await one_at_a_time(session, f"names of tasks {team_id}")


async def _free_name(session: Session, team_id: str, wanted: str) -> str:
    taken = set(await session.scalars(select(Task.name).where(Task.team_id == team_id)))
    return next(
        name
        for name in (wanted, *(f"{wanted}_{count}" for count in range(2, MAX_TASKS + 3)))
        if name not in taken
    )


async def _name_is_free(session: Session, team_id: str, name: str) -> None:
    query = select(Task.id).where(Task.team_id == team_id, Task.name == name)
    if await session.scalar(query) is not None:
        raise TaskNameTaken(f"There is a task “{name}” already.", remedy="Use another name.")
