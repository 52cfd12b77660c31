"""The playground: what the draft would text, and what it would do; nothing is kept, nothing counts.

A rehearsal lives in the state that the page or the program brings back with its next text. Effects
of tasks are shown and not done unless that is asked for (tasks/rehearsing.py). By voice the same is
done by the calls room.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, Field, ValidationError

from offhook import tasks
from offhook.agents import facts, service
from offhook.agents.brain import Brain, Channel, Cited, NeedsPerson, Said, Speaker, Text
from offhook.agents.brain import Told as TellsOf
from offhook.agents.rehearsing import Rehearsed
from offhook.agents.snapshot import Snapshot
from offhook.db import Database, Session
from offhook.teams import Actor

MAX_TURNS = 40
MAX_TEXT = 1_600
MAX_STATE = 600_000
REHEARSAL = "rehearsal"


class Citation(BaseModel):
    """A passage that an answer rests on (K2)."""

    passage_id: str = Field(max_length=40)
    title: str = Field(max_length=400)


class Turn(BaseModel):
    """One turn of the rehearsal. `runs`: the tasks that the reply did or showed, by id."""

    speaker: Speaker
    text: str = Field(max_length=20_000)
    citations: list[Citation] = []
    runs: list[str] = []
    needs_person: str = Field(default="", max_length=2_000)


class State(BaseModel):
    """A rehearsal as it travels. `first` is the position of the first turn that is left."""

    first: int = Field(default=0, ge=0, le=1_000_000)
    turns: list[Turn] = Field(default=[], max_length=MAX_TURNS)
    runs: str = "[]"


@dataclass(frozen=True, slots=True)
class Played:
    """A rehearsal after a reply."""

    turns: Sequence[Turn]
    runs: dict[str, tasks.TaskRun]
    state: str

    def request(self, run_id: str) -> str:
        """What went out, or would have, for people; "" for nothing."""
        request = self.runs[run_id].request
        return json.dumps(request, indent=2, ensure_ascii=False) if request else ""


NOTHING = Played((), {}, "")


async def draft(session: Session, team_id: str, agent_id: str) -> Snapshot:
    """The agent as it would be published now. Raises AgentNotFound."""
    agent = await service.get(session, team_id, agent_id)
    return replace(agent.draft(), facts=await facts.of(session, team_id))


class Playground:
    """Where one member of a team rehearses with one draft, by text."""

    def __init__(
        self, database: Database, brain: Brain, runner: tasks.Runner, actor: Actor, draft: Snapshot
    ) -> None:
        self._database = database
        self._brain = brain
        self._runner = runner
        self._actor = actor
        self._draft = draft

    async def text(self, text: str, state: str = "", *, real: bool = False) -> Played:
        """The draft's reply to `text`. `real`: confirmed tasks are done; the actor may do that."""
        before = _read(state)
        rehearsal = tasks.Rehearsal.from_json(before.runs, real=real)
        turns = list(before.turns)
        if text.strip():
            turns.append(Turn(speaker=Speaker.CALLER, text=text.strip()[:MAX_TEXT]))
            turns.append(await self._reply(before.first, turns, rehearsal))
        kept = turns[-MAX_TURNS:]
        after = State(
            first=before.first + len(turns) - len(kept), turns=kept, runs=rehearsal.to_json()
        )
        return Played(kept, {run.id: run for run in rehearsal.shown()}, after.model_dump_json())

    async def _reply(self, first: int, turns: Sequence[Turn], rehearsal: tasks.Rehearsal) -> Turn:
        actor = self._actor
        rehearsed = Rehearsed(
            self._draft, actor.team_id, actor.timezone, actor.country, Channel.SMS
        )
        over = {run.id for run in rehearsal.shown()}
        said = [Said(each.speaker, each.text) for each in turns]
        briefing = await rehearsed.briefing(
            self._database, self._runner, rehearsal, said, first=first
        )
        reply, told = Turn(speaker=Speaker.AGENT, text=""), list[str]()
        async for part in self._brain.reply(briefing):
            match part:
                case Text(delta=delta):
                    reply.text += delta
                case Cited(passage_id=passage_id, title=title):
                    reply.citations.append(Citation(passage_id=passage_id, title=title))
                case NeedsPerson(reason=reason):
                    reply.needs_person = reason
                case TellsOf(run_id=run_id):
                    told.append(run_id)
                case _:
                    pass
        await briefing.tools.told(told)
        reply.runs = [run.id for run in rehearsal.shown() if run.id not in over]
        return reply


def _read(state: str) -> State:
    """What was brought back; rubbish is a new rehearsal."""
    try:
        return State.model_validate_json(state or "{}")
    except ValidationError:
        return State()
