"""What tasks keep of a person: the runs of their conversations; moved, told and erased (P7)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from offhook.contacts import ContactBusy, Person
from offhook.db import Session, for_change
from offhook.tasks.models import TaskRun, TextedCode
from offhook.tasks.rules import RunState

AT_WORK = frozenset({RunState.CONFIRMED, RunState.RUNNING})


class Runs:
    """Implements `contacts.Keeper`."""

    async def moved(self, session: Session, team_id: str, source: str, target: str) -> None:
        await session.execute(
            update(TaskRun)
            .where(TaskRun.team_id == team_id, TaskRun.scope["contact_id"].astext == source)
            .values(scope=func.jsonb_set(TaskRun.scope, ["contact_id"], func.to_jsonb(target)))
            .execution_options(synchronize_session=False)
        )

    async def told(
        self, session: Session, team_id: str, person: Person
    ) -> Mapping[str, list[dict[str, Any]]]:
        rows = await session.scalars(
            select(TaskRun)
            .where(_theirs(team_id, person))
            .order_by(TaskRun.proposed_at, TaskRun.id)
        )
        return {
            "task_runs": [
                {
                    "id": run.id,
                    "task": run.task_name,
                    "conversation_id": run.conversation_id,
                    "state": run.state,
                    "inputs": run.inputs,
                    "answer": run.answer,
                    "response": run.response,
                    "error": run.error,
                    "proposed_at": run.proposed_at,
                    "ended_at": run.ended_at,
                }
                for run in rows
            ]
        }

    async def erased(self, session: Session, team_id: str, person: Person) -> Mapping[str, int]:
        rows = await session.scalars(
            for_change(select(TaskRun).where(_theirs(team_id, person)).order_by(TaskRun.id))
        )
        runs = rows.all()
        if any(run.state in AT_WORK for run in runs):
            raise ContactBusy(
                "A task for this contact is running.", remedy="Try again when it has ended."
            )
        ids = [run.id for run in runs]
        await session.execute(
            delete(TaskRun).where(TaskRun.team_id == team_id, TaskRun.id.in_(ids))
        )
        await session.execute(
            delete(TextedCode).where(
                TextedCode.team_id == team_id, TextedCode.remote.in_(person.numbers)
            )
        )
        return {"task_runs": len(ids)}


def _theirs(team_id: str, person: Person) -> ColumnElement[bool]:
    whose = or_(
        TaskRun.scope["contact_id"].astext.in_(person.contact_ids),
        TaskRun.scope["caller"].astext.in_(person.numbers),
    )
    return (TaskRun.team_id == team_id) & whose
