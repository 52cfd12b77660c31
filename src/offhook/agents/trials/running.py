"""A test is held: the draft answers again what it was told then, turn by turn, in a worker.

Each answer stands by itself: before it stands what had really been said, not what the draft would
have said, so that one change does not spoil all that follows. What the draft does is only shown, by
the clock of then: a table of that evening can still be had. A run that was cut off begins anew.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from zoneinfo import ZoneInfo

from offhook import tasks, teams
from offhook.agents import playground, service
from offhook.agents.brain import Brain, Briefing, Cited, HandOver, NeedsPerson, Text, Told
from offhook.agents.rehearsing import Rehearsed
from offhook.agents.trials import rules
from offhook.agents.trials.rules import Answer, Done, Spoke, State
from offhook.agents.trials.service import RUN_JOB, TestNotFound, came_to, get, turns_of
from offhook.db import Database, Jobs
from offhook.knowledge import likeness

log = logging.getLogger(__name__)


def register(jobs: Jobs, database: Database, brain: Brain, runner: tasks.Runner) -> None:
    """Let a worker hold tests."""
    stage = Stage(database, brain, runner)
    jobs.add(RUN_JOB, stage.hold, given_up=stage.gave_up)


@dataclass(frozen=True, slots=True)
class _Draft:
    """Who is tried out, and since when the draft is as it is."""

    rehearsed: Rehearsed
    changed_at: datetime


class Stage:
    """Where tests are held."""

    def __init__(self, database: Database, brain: Brain, runner: tasks.Runner) -> None:
        self._database = database
        self._brain = brain
        self._runner = runner

    async def hold(self, team_id: str, agent_id: str, test_id: str) -> None:
        """The job: from the first answer to the verdict; each answer is shown when it is there."""
        try:
            draft, turns = await self._begin(team_id, agent_id, test_id)
        except TestNotFound:
            return  # deleted since
        runs, answers = tasks.Rehearsal(), list[Answer]()
        for place in rules.judged(turns):
            answers.append(await self._answer(draft.rehearsed, turns, place, runs))
            await self._show(team_id, agent_id, test_id, State.RUNNING, answers)
        await self._show(
            team_id, agent_id, test_id, rules.verdict(answers), answers, draft_at=draft.changed_at
        )

    async def gave_up(self, team_id: str, agent_id: str, test_id: str) -> None:
        """Every try failed."""
        await self._show(team_id, agent_id, test_id, State.BROKEN, ())

    async def _begin(self, team_id: str, agent_id: str, test_id: str) -> tuple[_Draft, list[Spoke]]:
        async with self._database.team(team_id) as session:
            trial = await get(session, team_id, agent_id, test_id, lock=True)
            await came_to(session, trial, State.RUNNING, ())
            agent = await service.get(session, team_id, agent_id)
            rehearsed = Rehearsed(
                await playground.draft(session, team_id, agent_id),
                team_id,
                await teams.zone(session, team_id),
                (await teams.team(session, team_id)).country,
                trial.channel,
            )
            return _Draft(rehearsed, agent.updated_at), turns_of(trial)

    async def _answer(
        self, draft: Rehearsed, turns: Sequence[Spoke], place: int, runs: tasks.Rehearsal
    ) -> Answer:
        """What the draft says now where the turn at `place` was said then."""
        shown = {run.id for run in runs.shown()}
        said = rules.history(turns, place)
        then = turns[place - 1].at
        runner = self._runner.at(then)
        briefing = await draft.briefing(self._database, runner, runs, said)
        briefing = replace(briefing, now=then.astimezone(ZoneInfo(draft.timezone)))
        answer = await self._collect(briefing, place)
        new = [run for run in runs.shown() if run.id not in shown]
        answer.tasks = [
            Done(task_id=run.task_id, title=run.title, inputs=run.inputs) for run in new
        ]
        was = turns[place]
        alike = await _alike(was.text, answer.text)
        is_shown = bool(was.tasks) and any(not run.attempts for run in new)
        answer.faults = rules.faults(was, answer, alike, is_shown=is_shown)
        return answer

    async def _collect(self, briefing: Briefing, place: int) -> Answer:
        answer, told = Answer(turn=place, text=""), list[str]()
        async for part in self._brain.reply(briefing):
            match part:
                case Text(delta=delta):
                    answer.text += delta
                case Cited(title=title) if title not in answer.sources:
                    answer.sources.append(title)
                case NeedsPerson(reason=reason):
                    answer.needs_person = reason
                case HandOver():
                    answer.needs_person = "The caller would be put through."
                case Told(run_id=run_id):
                    told.append(run_id)
                case _:
                    pass
        await briefing.tools.told(told)
        return answer

    async def _show(
        self,
        team_id: str,
        agent_id: str,
        test_id: str,
        state: State,
        answers: Sequence[Answer],
        *,
        draft_at: datetime | None = None,
    ) -> None:
        async with self._database.team(team_id) as session:
            try:
                trial = await get(session, team_id, agent_id, test_id, lock=True)
            except TestNotFound:
                return  # deleted meanwhile
            await came_to(session, trial, state, answers, draft_at=draft_at)


async def _alike(then: str, now: str) -> float:
    """How much two answers mean the same, 0..1: by meaning, or by their letters."""
    (meaning,) = await likeness(now, [then])
    return max(meaning, SequenceMatcher(None, then.casefold(), now.casefold()).ratio())
