"""A draft made from something else: a copy of an agent, a version of before."""

from dataclasses import asdict
from typing import Any

from offhook import knowledge, tasks
from offhook.agents import problems, service
from offhook.agents.models import Agent
from offhook.agents.rules import MAX_NAME_CHARS
from offhook.agents.snapshot import Snapshot
from offhook.db import Session, now, touch

COPY = " (copy)"


async def duplicate(session: Session, team_id: str, agent_id: str) -> Agent:
    """A new draft with the same settings, knowledge and tasks; no number, no version."""
    agent = await service.get(session, team_id, agent_id)
    settings: dict[str, Any] = {name: getattr(agent, name) for name in service.EDITABLE}
    settings["name"] = agent.name[: MAX_NAME_CHARS - len(COPY)] + COPY
    copy = await service.create(session, team_id, **settings)
    for source_id, agent_ids in (await knowledge.agents_of(session, team_id)).items():
        if agent_id in agent_ids:
            await knowledge.use(session, team_id, source_id, copy.id, used=True)
    for task_id, uses in (await tasks.uses(session, team_id)).items():
        for use in uses:
            if use.agent_id == agent_id:
                await tasks.use(session, team_id, task_id, copy.id, use.channels)
    return copy


async def roll_back(
    session: Session, team_id: str, agent_id: str, number: int, *, by: str = ""
) -> Agent:
    """Let a version of before answer again: it becomes the draft, and is published anew."""
    agent = await service.get(session, team_id, agent_id, lock=True)
    snapshot = await service.version(session, team_id, agent_id, number)
    if snapshot is None:
        raise problems.AgentVersionNotFound(f"“{agent.name}” has no version {number}.")
    for name, value in _settings(snapshot).items():
        setattr(agent, name, value)
    agent.updated_at = await now(session)
    await session.flush()
    await touch(session, team_id, "agents")
    note = f"Version {number} again"
    return await service.make_live(session, team_id, agent_id, by=by, note=note)


def _settings(snapshot: Snapshot) -> dict[str, Any]:
    stored = asdict(snapshot)
    return {name: stored[name] for name in service.EDITABLE}
