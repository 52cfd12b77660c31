"""Use cases of agents: create, edit the draft, make live, pause, delete (N2, N7).

Each function is one step of the caller's transaction. Conversations ask `published` for what
answers; pages and the API use the rest.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, SQLColumnExpression, func, select
from sqlalchemy.dialects.postgresql import JSONB

from offhook import knowledge, tasks
from offhook.agents import facts, problems, users
from offhook.agents.events import AgentPublished
from offhook.agents.models import Agent, AgentVersion, BusinessFacts
from offhook.agents.rules import (
    MAX_NOTE_CHARS,
    NEXT,
    AgentStatus,
    Missing,
    Step,
    missing_to_go_live,
    stops_serving,
)
from offhook.agents.snapshot import Snapshot, from_json, to_json
from offhook.agents.validation import checked
from offhook.db import Session, for_change, now, publish, touch

EDITABLE = (
    "name", "instructions", "call_instructions", "sms_instructions", "person_when", "greeting",
    "voice", "language", "model", "fallback", "options",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent with what a list or page shows beside it."""

    agent: Agent
    missing: list[Missing]
    unpublished: bool
    """Whether the draft differs from the version that answers."""


async def create(session: Session, team_id: str, name: str, **draft: Any) -> Agent:
    """A new draft. Raises AgentInvalid with every field that cannot be used."""
    instant = await now(session)
    values = checked({"name": name, **draft})
    agent = Agent(team_id=team_id, created_at=instant, updated_at=instant, **values)
    session.add(agent)
    await session.flush()
    await facts.tell(session, agent)
    await touch(session, team_id, "agents")
    return agent


async def get(session: Session, team_id: str, agent_id: str, *, lock: bool = False) -> Agent:
    """Raises AgentNotFound."""
    query = select(Agent).where(Agent.team_id == team_id, Agent.id == agent_id)
    if lock:
        query = for_change(query)
    agent = await session.scalar(query)
    if agent is None:
        raise problems.AgentNotFound(f"There is no agent {agent_id}.")
    return agent


async def listed(session: Session, team_id: str) -> Sequence[Agent]:
    """All of the team's agents, by name."""
    query = select(Agent).where(Agent.team_id == team_id).order_by(Agent.name, Agent.id)
    return (await session.scalars(query)).all()


async def update(session: Session, team_id: str, agent_id: str, **changes: Any) -> Agent:
    """Change the draft; what answers stays the published version until it is made live again."""
    agent = await get(session, team_id, agent_id, lock=True)
    if "options" in changes:
        changes["options"] = {**agent.options, **changes["options"]}
    for field, value in checked({key: changes[key] for key in EDITABLE if key in changes}).items():
        setattr(agent, field, value)
    agent.updated_at = await now(session)
    await session.flush()
    await touch(session, team_id, "agents")
    return agent


async def view(session: Session, agent: Agent) -> AgentView:
    live = await version(session, agent.team_id, agent.id, agent.version) if agent.version else None
    draft = replace(agent.draft(), version=agent.version)
    return AgentView(agent, missing(agent), live is not None and live != draft)


def missing(agent: Agent) -> list[Missing]:
    """What keeps the draft from being made live."""
    return missing_to_go_live(
        name=agent.name, instructions=agent.instructions, greeting=agent.greeting
    )


async def make_live(
    session: Session,
    team_id: str,
    agent_id: str,
    *,
    by: str = "",
    note: str = "",
    seen: datetime | None = None,
) -> Agent:
    """Publish the draft and let it answer; `note` says what is new. Raises AgentNotReady with
    every missing thing, DraftChanged where it is not as it was at `seen`, its `updated_at` then.
    """
    agent = await get(session, team_id, agent_id, lock=True)
    if seen is not None and agent.updated_at != seen:
        raise problems.DraftChanged(
            f"“{agent.name}” has been changed or published by somebody else meanwhile.",
            remedy="Load the page again and look at the draft before you publish it.",
        )
    if lacking := missing(agent):
        raise problems.AgentNotReady(
            f"“{agent.name}” cannot go live yet: " + " ".join(each.sentence for each in lacking),
            remedy="Fill in what is missing, then make it live.",
            missing=[asdict(each) for each in lacking],
        )
    agent.version += 1
    agent.status = NEXT[AgentStatus(agent.status), Step.MAKE_LIVE]
    agent.updated_at = await now(session)
    snapshot = replace(agent.draft(), version=agent.version)
    session.add(
        AgentVersion(
            team_id=team_id,
            agent_id=agent.id,
            number=agent.version,
            snapshot=to_json(snapshot),
            published_at=agent.updated_at,
            published_by=by,
            note=" ".join(knowledge.clean(note).split())[:MAX_NOTE_CHARS],
        )
    )
    await session.flush()
    await publish(
        session,
        AgentPublished(team_id=team_id, agent_id=agent.id, version=agent.version, name=agent.name),
    )
    await touch(session, team_id, "agents")
    return agent


async def pause(
    session: Session, team_id: str, agent_id: str, *, disable_numbers: bool = False
) -> Agent:
    """Stop answering, keep everything. Raises AgentInUse with the enabled numbers (N7)."""
    return await _step(session, team_id, agent_id, Step.PAUSE, disable_numbers=disable_numbers)


async def to_draft(
    session: Session, team_id: str, agent_id: str, *, disable_numbers: bool = False
) -> Agent:
    """Back to a draft. Raises AgentInUse with the enabled numbers (N7)."""
    return await _step(session, team_id, agent_id, Step.TO_DRAFT, disable_numbers=disable_numbers)


async def delete(
    session: Session, team_id: str, agent_id: str, *, disable_numbers: bool = False
) -> None:
    """Delete the agent and its versions; its sources stay with the team. Raises AgentInUse."""
    agent = await get(session, team_id, agent_id, lock=True)
    await _release_numbers(session, agent, disable=disable_numbers)
    for each in users.registered():
        await each.forget(session, team_id, agent_id)
    await knowledge.forget_agent(session, team_id, agent_id)
    await tasks.forget_agent(session, team_id, agent_id)
    await session.delete(agent)
    await session.flush()
    await touch(session, team_id, "agents")


async def _step(
    session: Session, team_id: str, agent_id: str, step: Step, *, disable_numbers: bool
) -> Agent:
    agent = await get(session, team_id, agent_id, lock=True)
    status = AgentStatus(agent.status)
    if (status, step) not in NEXT:
        raise problems.AgentStepRefused(f"“{agent.name}” is {status}; this step does not apply.")
    if stops_serving(status, step):
        await _release_numbers(session, agent, disable=disable_numbers)
    agent.status = NEXT[status, step]
    agent.updated_at = await now(session)
    await session.flush()
    await touch(session, team_id, "agents")
    return agent


async def _release_numbers(session: Session, agent: Agent, *, disable: bool) -> None:
    """No enabled number loses its agent unless that was asked for (N7)."""
    for each in users.registered():
        numbers = await each.enabled_numbers(session, agent.team_id, agent.id)
        if numbers and not disable:
            shown = ", ".join(f"{number.name} ({number.e164})" for number in numbers)
            raise problems.AgentInUse(
                f"“{agent.name}” answers enabled numbers: {shown}.",
                remedy="Give these numbers another agent, or disable them in the same step.",
                numbers=[asdict(number) for number in numbers],
            )
        if numbers:
            await each.disable(session, agent.team_id, numbers)


async def published(session: Session, team_id: str, agent_id: str) -> Snapshot | None:
    """What answers for this agent now; None unless it is live (N2)."""
    return read_live(await session.scalar(select(live(team_id, agent_id))))


def live(team_id: str, agent_id: str | SQLColumnExpression[str | None]) -> ScalarSelect[Any]:
    """What answers for an agent now, as a column of somebody's own question, for `read_live`."""
    facts = func.coalesce(BusinessFacts.text, "")
    return (
        select(func.jsonb_build_array(AgentVersion.snapshot, facts, type_=JSONB))
        .select_from(AgentVersion)
        .join(Agent, (Agent.id == AgentVersion.agent_id) & (Agent.version == AgentVersion.number))
        .outerjoin(BusinessFacts, BusinessFacts.team_id == Agent.team_id)
        .where(
            Agent.team_id == team_id,
            AgentVersion.team_id == team_id,
            Agent.id == agent_id,
            Agent.status == AgentStatus.LIVE,
        )
        .scalar_subquery()
    )


def read_live(column: Sequence[Any] | None) -> Snapshot | None:
    if column is None:
        return None
    stored, facts = column
    return replace(from_json(stored), facts=facts)


async def version(session: Session, team_id: str, agent_id: str, number: int) -> Snapshot | None:
    """Published version `number`; None where there is none."""
    stored = await session.scalar(
        select(AgentVersion.snapshot).where(
            AgentVersion.team_id == team_id,
            AgentVersion.agent_id == agent_id,
            AgentVersion.number == number,
        )
    )
    return from_json(stored) if stored is not None else None


async def versions(session: Session, team_id: str, agent_id: str) -> Sequence[AgentVersion]:
    """The agent's published versions, newest first."""
    query = (
        select(AgentVersion)
        .where(AgentVersion.team_id == team_id, AgentVersion.agent_id == agent_id)
        .order_by(AgentVersion.number.desc())
    )
    return (await session.scalars(query)).all()
