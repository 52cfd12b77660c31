"""Runs in the database: their steps under a lock, their end, reading them (T3).

Every step goes by the table of rules.py; an end is announced in its transaction.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update

from offhook import teams
from offhook.db import Session, for_change, now, one_at_a_time, publish, touch
from offhook.tasks import rules
from offhook.tasks.events import TaskCompleted, TaskFailed
from offhook.tasks.models import TaskRun
from offhook.tasks.problems import RunNotFound
from offhook.tasks.rules import RunState, RunStep
from offhook.tasks.scope import Scope, from_json

SAID = ("inputs", "readback", "request", "response", "data", "answer")
"""What of a run may hold the other side's words."""
Ended = Callable[[Session, TaskRun], Awaitable[None]]
_when_ended: list[Ended] = []


def when_ended(hook: Ended) -> None:
    """Have `hook` called in the transaction in which a run completes or fails."""
    if hook not in _when_ended:
        _when_ended.append(hook)


def topic(conversation_id: str) -> str:
    """What is touched when a run of the conversation begins or ends."""
    return f"tasks:{conversation_id}"


def digest(task_id: str, inputs: Mapping[str, Any]) -> str:
    """The same for the same intent (T3)."""
    written = json.dumps([task_id, inputs], sort_keys=True, ensure_ascii=False)
    return sha256(written.encode("utf-8", "replace")).hexdigest()


async def get(session: Session, team_id: str, run_id: str, *, lock: bool = False) -> TaskRun:
    """Raises RunNotFound, also for another team's (SEC7)."""
    query = select(TaskRun).where(TaskRun.team_id == team_id, TaskRun.id == run_id)
    if lock:
        query = for_change(query)
    run = await session.scalar(query)
    if run is None:
        raise RunNotFound(f"There is no run {run_id[:50]}.")
    return run


async def runs_of(
    session: Session, team_id: str, conversation_ids: Sequence[str]
) -> Sequence[TaskRun]:
    """The runs of conversations that were confirmed or needed no yes, in order of time."""
    query = (
        select(TaskRun)
        .where(
            TaskRun.team_id == team_id,
            TaskRun.conversation_id.in_(conversation_ids),
            TaskRun.confirmed_at.is_not(None),
        )
        .order_by(TaskRun.confirmed_at, TaskRun.id)
    )
    return (await session.scalars(query)).all()


class KeptRuns:
    """The runs of one conversation, in the database. Implements `box.RunLog`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def hold(self, session: Session) -> None:
        await one_at_a_time(session, f"tasks\n{self._scope.conversation_id}")

    async def add(self, session: Session, run: TaskRun) -> None:
        session.add(run)

    async def proposed(self, session: Session) -> TaskRun | None:
        return await session.scalar(self._of().where(TaskRun.state == RunState.PROPOSED))

    async def under_way(self, session: Session) -> Sequence[TaskRun]:
        query = self._of().where(TaskRun.state.in_(rules.UNDER_WAY))
        return (await session.scalars(query.order_by(TaskRun.confirmed_at))).all()

    async def untold(self, session: Session) -> Sequence[TaskRun]:
        query = self._of().where(TaskRun.state.in_(rules.OVER), TaskRun.told_at.is_(None))
        return (await session.scalars(query.order_by(TaskRun.ended_at))).all()

    async def since(self, session: Session, moment: datetime) -> Sequence[TaskRun]:
        query = self._of().where(TaskRun.proposed_at >= moment)
        return (await session.scalars(query)).all()

    async def earlier(self, session: Session, wanted: str) -> TaskRun | None:
        query = self._of().where(
            TaskRun.digest == wanted,
            TaskRun.state.in_(rules.UNDER_WAY | {RunState.COMPLETED})
            | ((TaskRun.state == RunState.FAILED) & (TaskRun.error == rules.UNKNOWN_OUTCOME)),
        )
        return await session.scalar(query.order_by(TaskRun.confirmed_at.desc()).limit(1))

    async def told(self, session: Session, run_ids: Sequence[str]) -> None:
        await session.execute(
            update(TaskRun)
            .where(
                TaskRun.team_id == self._scope.team_id,
                TaskRun.conversation_id == self._scope.conversation_id,
                TaskRun.id.in_(run_ids),
                TaskRun.told_at.is_(None),
            )
            .values(told_at=await now(session))
        )

    def _of(self) -> Any:
        return select(TaskRun).where(
            TaskRun.team_id == self._scope.team_id,
            TaskRun.conversation_id == self._scope.conversation_id,
        )


async def end(
    session: Session,
    run: TaskRun,
    *,
    completed: bool,
    answer: str,
    error: str = "",
    data: Any = None,
    references: Mapping[str, str] | None = None,
) -> None:
    """Complete or fail a locked run that is under way, and announce it."""
    run.state = rules.NEXT[run.state, RunStep.COMPLETE if completed else RunStep.FAIL]
    run.answer, run.error, run.data = answer, error[:80], data
    run.ended_at = await now(session)
    run.lease_until = None
    await _is_over(session, run)
    scope = from_json(run.scope)
    told: dict[str, Any] = {
        "team_id": run.team_id,
        "conversation_id": run.conversation_id,
        "run_id": run.id,
        "task_id": run.task_id,
        "task": run.task_name,
        "kind": run.kind,
        "agent_id": run.agent_id,
        "contact_id": scope.contact_id or None,
    }
    if completed:
        await publish(session, TaskCompleted(**told, references=dict(references or {})))
    else:
        await publish(session, TaskFailed(**told, error=run.error))
    await touch(session, run.team_id, topic(run.conversation_id))
    for hook in _when_ended:
        await hook(session, run)


async def drop(session: Session, run: TaskRun) -> None:
    """Give a proposal up."""
    run.state = rules.NEXT[run.state, RunStep.DROP]
    run.ended_at = await now(session)
    await _is_over(session, run)


async def _is_over(session: Session, run: TaskRun) -> None:
    """What was said in it is kept as turns are, from the moment that it is not needed (SEC20)."""
    for column in SAID:
        setattr(run, column, await teams.as_kept(session, run.team_id, getattr(run, column)))
    await session.flush()


async def finish(
    session: Session, team_id: str, run_id: str, *, completed: bool, answer: str, error: str = "",
    told: bool = False,
) -> None:  # fmt: skip
    """What became of a run that was handed to the conversation; one that is over stays as it is.

    `told`: the conversation says so itself, it is no news for the next reply. Raises RunNotFound.
    """
    run = await get(session, team_id, run_id, lock=True)
    if run.state in rules.UNDER_WAY:
        run.told_at = await now(session) if told else None
        await end(session, run, completed=completed, answer=answer, error=error, data=run.data)
