"""Use cases of an agent's tests: keep one, read, ask for it to be held, what came of it, delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from offhook.agents import service
from offhook.agents.trials import rules
from offhook.agents.trials.models import Trial
from offhook.agents.trials.rules import Answer, Past, Spoke, State, TooManyTests
from offhook.db import Session, enqueue, for_change, now, touch
from offhook.errors import NotFound

RUN_JOB = "agents.hold_test"


class TestNotFound(NotFound):
    code = "agent_test_not_found"


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it was and, of a judged answer, what the draft said instead."""

    then: Spoke
    is_judged: bool
    now: Answer | None


def topic(agent_id: str) -> str:
    """Told when a test of the agent changes."""
    return f"agent-tests:{agent_id}"


async def keep(session: Session, team_id: str, agent_id: str, past: Past, *, by: str) -> Trial:
    """Make a test of a conversation; the one that it has already is returned as it is.

    Raises AgentNotFound, NothingToTest, TooManyTests.
    """
    agent = await service.get(session, team_id, agent_id, lock=True)
    known = await session.scalar(
        select(Trial).where(
            Trial.team_id == team_id, Trial.agent_id == agent.id, Trial.conversation_id == past.id
        )
    )
    if known is not None:
        return known
    turns = rules.as_test(past)
    if await _count(session, team_id, agent_id) >= rules.MAX_TESTS:
        raise TooManyTests(
            f"“{agent.name}” has {rules.MAX_TESTS} tests.", remedy="Delete one that says little."
        )
    trial = Trial(
        team_id=team_id,
        agent_id=agent.id,
        name=(past.name or "Without a title")[: rules.MAX_NAME],
        channel=past.channel,
        conversation_id=past.id,
        contact_id=past.contact_id,
        turns=[turn.model_dump(mode="json") for turn in turns],
        state=State.WAITING,
        answers=[],
        created_by=by,
        created_at=await now(session),
    )
    session.add(trial)
    await session.flush()
    await touch(session, team_id, topic(agent_id))
    return trial


async def get(
    session: Session, team_id: str, agent_id: str, test_id: str, *, lock: bool = False
) -> Trial:
    """Raises TestNotFound, also for another team's (SEC7)."""
    query = select(Trial).where(
        Trial.team_id == team_id, Trial.agent_id == agent_id, Trial.id == test_id
    )
    if lock:
        query = for_change(query)
    trial = None if "\0" in agent_id + test_id else await session.scalar(query)
    if trial is None:
        raise TestNotFound(f"There is no test “{test_id[:40]}”.", remedy="Take an id of the list.")
    return trial


async def listed(session: Session, team_id: str, agent_id: str) -> Sequence[Trial]:
    """The agent's tests, newest first. Raises AgentNotFound."""
    await service.get(session, team_id, agent_id)
    query = select(Trial).where(Trial.team_id == team_id, Trial.agent_id == agent_id)
    return (await session.scalars(query.order_by(Trial.created_at.desc(), Trial.id))).all()


async def ask(session: Session, team_id: str, agent_id: str, test_id: str) -> Trial:
    """Have it held with the draft as it is when a worker begins; once, however often asked."""
    trial = await get(session, team_id, agent_id, test_id, lock=True)
    trial.state, trial.answers = State.WAITING, []
    await session.flush()
    await enqueue(
        session, RUN_JOB, lock=f"agent-test:{trial.id}", queueing_lock=f"agent-test:{trial.id}",
        team_id=team_id, agent_id=agent_id, test_id=trial.id,
    )  # fmt: skip
    await touch(session, team_id, topic(agent_id))
    return trial


async def ask_all(session: Session, team_id: str, agent_id: str) -> Sequence[Trial]:
    """Have all of the agent's tests held."""
    found = await listed(session, team_id, agent_id)
    return [await ask(session, team_id, agent_id, each.id) for each in found]


async def came_to(
    session: Session,
    trial: Trial,
    state: State,
    answers: Sequence[Answer],
    *,
    draft_at: datetime | None = None,
) -> None:
    """What the draft has answered so far, and how it stands."""
    trial.state = state
    trial.answers = [answer.model_dump(mode="json") for answer in answers]
    trial.ran_at, trial.draft_at = await now(session), draft_at or trial.draft_at
    await session.flush()
    await touch(session, trial.team_id, topic(trial.agent_id))


async def delete(session: Session, team_id: str, agent_id: str, test_id: str) -> None:
    await session.delete(await get(session, team_id, agent_id, test_id, lock=True))
    await session.flush()
    await touch(session, team_id, topic(agent_id))


def turns_of(trial: Trial) -> list[Spoke]:
    return [Spoke.model_validate(each) for each in trial.turns]


def answers_of(trial: Trial) -> list[Answer]:
    return [Answer.model_validate(each) for each in trial.answers]


def side_by_side(trial: Trial) -> list[Turn]:
    """The conversation as it was, each judged answer with the draft's."""
    turns = turns_of(trial)
    places, answers = set(rules.judged(turns)), {each.turn: each for each in answers_of(trial)}
    return [Turn(turn, at in places, answers.get(at)) for at, turn in enumerate(turns)]


async def _count(session: Session, team_id: str, agent_id: str) -> int:
    counted = select(func.count()).select_from(Trial)
    found = counted.where(Trial.team_id == team_id, Trial.agent_id == agent_id)
    return await session.scalar(found) or 0
