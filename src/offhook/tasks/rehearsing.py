"""The toolbox of a rehearsal: a member of the team tries an agent out, without a conversation.

Every decision is that of a real conversation, by the same code (box.py). Two things differ: the
runs are kept by the rehearsal itself, and a confirmed task that has an effect is only shown, as it
would go out, unless the rehearsal is told to do it really. What only looks something up is done.
A kind that acts inside a conversation is never done: there is none.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from offhook.db import Session, now
from offhook.errors import Problem
from offhook.tasks import kinds, rules, service
from offhook.tasks.box import ConversationTools, Offered, offered_in
from offhook.tasks.kinds import Done, NotDone
from offhook.tasks.models import TaskRun
from offhook.tasks.rules import Effect, RunState, RunStep
from offhook.tasks.running import SORRY, Runner
from offhook.tasks.scope import Scope, Turn
from offhook.tasks.templating import TemplateError
from offhook.tasks.toolbox import Step

SHOWN = "In this rehearsal I only show what I would do: “{title}”."
REHEARSAL = "rehearsal"
"""Stands for the conversation and the number that a rehearsal does not have."""
REHEARSER = "+12025550100"
MAX_RUNS = 60
MAX_TEXT = 20_000


class _Run(BaseModel):
    """A run, as it goes to the page and back."""

    model_config = ConfigDict(from_attributes=True)
    id: str = Field(max_length=40)
    task_id: str = Field(max_length=40)
    task_name: str = Field(max_length=64)
    title: str = Field(max_length=80)
    kind: str = Field(max_length=20)
    revision: int
    state: RunState
    inputs: dict[str, Any]
    digest: str = Field(max_length=64)
    readback: str = Field(max_length=MAX_TEXT)
    proposed_at: datetime
    proposed_turn: int
    confirmed_at: datetime | None = None
    confirmed_turn: int | None = None
    ended_at: datetime | None = None
    told_at: datetime | None = None
    attempts: int = 0
    request: dict[str, Any] = {}
    response: str = Field(default="", max_length=MAX_TEXT)
    data: Any = None
    answer: str = Field(default="", max_length=MAX_TEXT)
    error: str = Field(default="", max_length=80)


_RUNS = TypeAdapter(list[_Run])


@dataclass(slots=True)
class Rehearsal:
    """What a rehearsal remembers of its tasks. Implements `box.RunLog`.

    `attempts` of a run counts how often it was really done: 0 where it was only shown.
    """

    real: bool = False
    """Whether effects really happen."""
    runs: list[TaskRun] = field(default_factory=list[TaskRun])
    ended: Callable[[TaskRun], object] = lambda _: None
    """Called when a run came to something."""

    def to_json(self) -> str:
        """For a page that brings it back with the next text; an answer that was told is done."""
        kept = _RUNS.validate_python(self.runs[-MAX_RUNS:], from_attributes=True)
        for run in kept:
            run.data = run.data if run.told_at is None else None
        return _RUNS.dump_json(kept).decode()

    @classmethod
    def from_json(cls, text: str, *, real: bool) -> "Rehearsal":
        """What the page brought back; rubbish is nothing."""
        try:
            stored = _RUNS.validate_json(text)[-MAX_RUNS:]
        except ValidationError:
            stored = []
        return cls(real, [TaskRun(**each.model_dump()) for each in stored])

    def shown(self) -> list[TaskRun]:
        """The runs that came to something, in order."""
        return [run for run in self.runs if run.state in rules.OVER]

    def news(self) -> list[TaskRun]:
        """Those of which the other side does not know."""
        return [run for run in self.shown() if run.told_at is None]

    async def hold(self, session: Session) -> None:
        """It has one reply at a time."""

    async def add(self, session: Session, run: TaskRun) -> None:
        run.attempts, run.request, run.response, run.answer, run.error = 0, {}, "", "", ""
        self.runs.append(run)

    async def proposed(self, session: Session) -> TaskRun | None:
        return next((run for run in self.runs if run.state is RunState.PROPOSED), None)

    async def under_way(self, session: Session) -> Sequence[TaskRun]:
        return [run for run in self.runs if run.state in rules.UNDER_WAY]

    async def untold(self, session: Session) -> Sequence[TaskRun]:
        return self.news()

    async def since(self, session: Session, moment: datetime) -> Sequence[TaskRun]:
        return [run for run in self.runs if run.proposed_at >= moment]

    async def earlier(self, session: Session, wanted: str) -> TaskRun | None:
        done = rules.UNDER_WAY | {RunState.COMPLETED}
        same = [run for run in self.runs if run.digest == wanted and run.state in done]
        return same[-1] if same else None

    async def told(self, session: Session, run_ids: Sequence[str]) -> None:
        self.note_told(run_ids)

    def note_told(self, run_ids: Sequence[str]) -> None:
        """The other side knows what became of these."""
        for run in self.runs:
            if run.id in run_ids and run.told_at is None:
                run.told_at = datetime.now(UTC)


def rehearsal_scope(
    team_id: str, agent_id: str, channel: str, *, language: str, timezone: str, country: str
) -> Scope:
    """A caller of a number that is never given to anybody, known to nobody."""
    return Scope(
        team_id,
        agent_id,
        REHEARSAL,
        channel,
        REHEARSAL,
        caller=REHEARSER,
        language=language,
        timezone=timezone,
        country=country,
    )


async def open_rehearsal(
    runner: Runner, scope: Scope, turns: Sequence[Turn], rehearsal: Rehearsal
) -> "RehearsalTools":
    """The toolbox for one reply of a rehearsal. `scope.conversation_id` is any name for it."""
    return RehearsalTools(runner, scope, turns, await offered_in(runner, scope), rehearsal)


class RehearsalTools(ConversationTools):
    """Implements `Toolbox`."""

    def __init__(
        self,
        runner: Runner,
        scope: Scope,
        turns: Sequence[Turn],
        offered: Sequence[Offered],
        rehearsal: Rehearsal,
    ) -> None:
        super().__init__(runner, scope, turns, offered, rehearsal)
        self._rehearsal = rehearsal

    async def _is_proven(self, session: Session) -> bool:
        """There is no telephone to text a code to, and nobody's data are at stake."""
        return True

    async def _unproven(self, session: Session, offered: Offered, values: Any) -> None:
        return None

    async def _done(self, run: TaskRun) -> Step:
        """As in a conversation, being cancelled here leaves the run to itself."""
        await asyncio.shield(self._runner.beside(self._act(run)))
        return self._step_of(run)

    async def _act(self, run: TaskRun) -> None:
        run.state = rules.NEXT[run.state, RunStep.CLAIM]
        outcome = await self._outcome(run)
        done = isinstance(outcome, Done)
        run.state = rules.NEXT[run.state, RunStep.COMPLETE if done else RunStep.FAIL]
        run.request, run.response = dict(outcome.request), outcome.response
        if isinstance(outcome, Done):
            run.answer, run.data = outcome.answer, outcome.data
        else:
            run.answer, run.error = outcome.reason, outcome.code
        async with self._runner.database.team(self._scope.team_id) as session:
            run.ended_at = await now(session)
        self._rehearsal.ended(run)

    async def _outcome(self, run: TaskRun) -> Done | NotDone:
        kind = kinds.kind(run.kind)
        order = service.order_of(run, run.definition, self._scope)
        looks_up = kind.effect(order.config) is Effect.READ
        if kind.outside is not None and (self._rehearsal.real or looks_up):
            run.attempts = 1
            return await self._runner.try_once(kind, order)
        try:
            shown = await kind.show(self._runner.means, order)
        except (Problem, TemplateError) as problem:
            return NotDone(SORRY, code="not_shown", sent=False, response=str(problem))
        return Done(SHOWN.format(title=run.title), request=shown)
