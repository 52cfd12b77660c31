"""An agent's life: draft, live, paused, deleted, and the numbers that depend on it (N2, N7)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from offhook import agents, knowledge
from offhook.agents import AgentInUse, AgentInvalid, AgentNotReady, AgentStatus, NumberInUse, facts
from offhook.db import Database, Session

READY = {"instructions": "Answer kindly.", "greeting": "Daily Bread, good morning!"}
NUMBER = NumberInUse("num_1", "Shop", "+16502530000")


@dataclass
class Numbers:
    """Implements `AgentUsers` as the numbers room does, in memory."""

    enabled: dict[str, list[NumberInUse]] = field(default_factory=dict[str, list[NumberInUse]])
    forgotten: list[str] = field(default_factory=list[str])

    async def enabled_numbers(
        self, session: Session, team_id: str, agent_id: str
    ) -> Sequence[NumberInUse]:
        return self.enabled.get(agent_id, [])

    async def disable(self, session: Session, team_id: str, numbers: Sequence[NumberInUse]) -> None:
        self.enabled = {
            agent: [each for each in held if each not in numbers]
            for agent, held in self.enabled.items()
        }

    async def forget(self, session: Session, team_id: str, agent_id: str) -> None:
        self.forgotten.append(agent_id)


@pytest.fixture
def numbers() -> Iterator[Numbers]:
    numbers = Numbers()
    agents.register(numbers)
    yield numbers
    agents.unregister(numbers)


async def live(database: Database, team_id: str, **draft: Any) -> str:
    async with database.team(team_id) as session:
        agent = await agents.create(session, team_id, "Baker", **{**READY, **draft})
        await agents.make_live(session, team_id, agent.id, by="usr_1")
        return agent.id


async def test_a_new_agent_is_a_draft_and_answers_nothing(database: Database, team_id: str) -> None:
    async with database.team(team_id) as session:
        agent = await agents.create(session, team_id, "  Baker ")
        assert (agent.name, agent.status) == ("Baker", AgentStatus.DRAFT)
        assert await agents.published(session, team_id, agent.id) is None


async def test_making_live_lists_everything_that_is_missing(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        agent = await agents.create(session, team_id, "Baker", greeting=" ... ")
        with pytest.raises(AgentNotReady) as refused:
            await agents.make_live(session, team_id, agent.id)
    assert [each["code"] for each in refused.value.details["missing"]] == [
        "instructions",
        "greeting",
    ]


async def test_what_answers_is_the_published_version_until_the_draft_goes_live_again(
    database: Database, team_id: str
) -> None:
    agent_id = await live(database, team_id)
    async with database.team(team_id) as session:
        await agents.update(session, team_id, agent_id, greeting="Hello!")
        snapshot = await agents.published(session, team_id, agent_id)
        assert snapshot is not None
        assert (snapshot.version, snapshot.greeting) == (1, READY["greeting"])
        await agents.make_live(session, team_id, agent_id)
        snapshot = await agents.published(session, team_id, agent_id)
        assert snapshot is not None
        assert (snapshot.version, snapshot.greeting) == (2, "Hello!")


@pytest.mark.parametrize("step", [agents.pause, agents.to_draft, agents.delete])
async def test_an_agent_of_enabled_numbers_is_not_taken_away_n7(
    database: Database, team_id: str, numbers: Numbers, step: Callable[..., Awaitable[Any]]
) -> None:
    agent_id = await live(database, team_id)
    numbers.enabled[agent_id] = [NUMBER]
    with pytest.raises(AgentInUse) as refused:
        async with database.team(team_id) as session:
            await step(session, team_id, agent_id)
    assert refused.value.details["numbers"][0]["e164"] == "+16502530000"
    async with database.team(team_id) as session:
        assert await agents.published(session, team_id, agent_id) is not None
        await step(session, team_id, agent_id, disable_numbers=True)
        assert await agents.published(session, team_id, agent_id) is None
    assert numbers.enabled[agent_id] == []


async def test_a_deleted_agents_sources_stay_with_the_team(
    database: Database, team_id: str, numbers: Numbers
) -> None:
    agent_id = await live(database, team_id)
    async with database.team(team_id) as session:
        await knowledge.add_text(session, team_id, "Shop", "We sell bread.", [agent_id])
        await agents.delete(session, team_id, agent_id)
        assert await agents.listed(session, team_id) == []
        assert await knowledge.listed(session, team_id, agent_id) == []
        assert len(await knowledge.listed(session, team_id)) == 1
    assert numbers.forgotten == [agent_id]


async def test_every_field_at_fault_is_named_at_once(database: Database, team_id: str) -> None:
    async with database.team(team_id) as session:
        with pytest.raises(AgentInvalid) as refused:
            await agents.create(
                session, team_id, " ", greeting="x" * 401, options={"silence_ms": 10, "mood": 1}
            )
    assert set(refused.value.details["fields"]) == {"name", "greeting", "silence_ms", "mood"}


async def test_a_step_that_the_status_does_not_allow_is_refused(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        agent = await agents.create(session, team_id, "Baker")
        with pytest.raises(agents.AgentStepRefused):
            await agents.pause(session, team_id, agent.id)


async def test_two_who_publish_at_once_make_two_versions(database: Database, team_id: str) -> None:
    agent_id = await live(database, team_id)
    async with database.team(team_id) as late:
        seen = await agents.get(late, team_id, agent_id)  # as who rolls back does before
        async with database.team(team_id) as early:
            await agents.make_live(early, team_id, agent_id, by="usr_1")
        assert await agents.make_live(late, team_id, agent_id, by="usr_2") is seen
        assert seen.version == 3


async def test_facts_said_twice_at_once_for_the_first_time_are_one(
    database: Database, team_id: str
) -> None:
    async def say(text: str) -> None:
        async with database.team(team_id) as session:
            await facts.save(session, team_id, text)

    await asyncio.gather(*(say(f"We open at {hour}.") for hour in (7, 8, 9)))
    async with database.team(team_id) as session:
        assert len(await knowledge.listed(session, team_id)) == 1
