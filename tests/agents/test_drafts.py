"""Versions with notes and roll-back, copies, instructions per channel, business facts."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from offhook import agents, knowledge
from offhook.agents import (
    Briefing,
    Channel,
    HandOver,
    NeedsPerson,
    Said,
    Snapshot,
    Speaker,
    StandIn,
    Text,
    drafts,
    facts,
    prompting,
    service,
)
from offhook.agents.offline import OfflineBrain
from offhook.agents.problems import AgentInvalid, AgentVersionNotFound
from offhook.db import Database
from offhook.knowledge import Hit

READY = {"instructions": "Answer kindly.", "greeting": "Daily Bread, good morning!"}
FACTS = "# Parking\n\nYou can park behind the house.\n\n# Owner\n\nThe owner is Lena Brook."


async def test_a_version_has_a_note_and_answers_again_when_it_is_rolled_back(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        agent = await agents.create(session, team_id, "Baker", **READY)
        await agents.make_live(session, team_id, agent.id, by="usr_1", note="The first\n one")
        await agents.update(session, team_id, agent.id, instructions="Be brief.")
        await agents.make_live(session, team_id, agent.id)
        await drafts.roll_back(session, team_id, agent.id, 1, by="usr_2")
        found = await agents.published(session, team_id, agent.id)
        rows = await service.versions(session, team_id, agent.id)
        assert (await agents.get(session, team_id, agent.id)).instructions == "Answer kindly."
        assert not (await service.view(session, agent)).unpublished
    assert found is not None
    assert (found.version, found.instructions) == (3, "Answer kindly.")
    assert [row.note for row in rows] == ["Version 1 again", "", "The first one"]


async def test_rolling_back_to_no_version_or_anothers_agent_changes_nothing(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        agent = await agents.create(session, team_id, "Baker", **READY)
        with pytest.raises(AgentVersionNotFound):
            await drafts.roll_back(session, team_id, agent.id, 1)
        with pytest.raises(agents.AgentNotFound):
            await drafts.roll_back(session, "team_other", agent.id, 1)


async def test_a_copy_is_a_draft_with_the_same_settings_and_knowledge(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        agent = await agents.create(
            session, team_id, "B" * 80, **READY, sms_instructions="Sign with B.",
            options={"silence_ms": 900},
        )  # fmt: skip
        await agents.make_live(session, team_id, agent.id)
        source = await knowledge.add_text(session, team_id, "Page", "We open at 8.", [agent.id])
        copy = await drafts.duplicate(session, team_id, agent.id)
        used = await knowledge.agents_of(session, team_id)
    assert (copy.status, copy.version) == (agents.AgentStatus.DRAFT, 0)
    assert len(copy.name) == 80
    assert copy.name.endswith(" (copy)")
    assert (copy.sms_instructions, copy.options["silence_ms"]) == ("Sign with B.", 900)
    assert used[source.id] == {agent.id, copy.id}


async def test_business_facts_are_known_to_all_agents_also_to_those_made_later(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        first = await agents.create(session, team_id, "Baker", **READY)
        await agents.make_live(session, team_id, first.id)
        await facts.save(session, team_id, FACTS)
        second = await agents.create(session, team_id, "Clerk")
        snapshot = await agents.published(session, team_id, first.id)
    assert snapshot is not None
    assert "Lena" in snapshot.facts
    for agent_id in (first.id, second.id):
        search = agents.search_in(database, team_id, Snapshot(agent_id, 1, "Any"))
        assert "behind the house" in (await search("Where can I park?"))[0].text
    async with database.team(team_id) as session:
        await facts.save(session, team_id, "")
        assert await knowledge.listed(session, team_id) == []
        with pytest.raises(AgentInvalid):
            await facts.save(session, team_id, "x" * 8_001)


async def nothing(question: str) -> Sequence[Hit]:
    return []


def briefing(snapshot: Snapshot, channel: Channel, text: str) -> Briefing:
    return Briefing("team_1", snapshot, channel, [Said(Speaker.CALLER, text)], nothing)


def test_a_model_is_told_the_instructions_of_its_channel_only() -> None:
    snapshot = Snapshot(
        "agt_1", 1, "Baker", call_instructions="Speak slowly.", sms_instructions="Sign with B.",
        facts="Owner: Lena.", person_when="somebody wants a refund",
    )  # fmt: skip
    on_call = prompting.instructions(briefing(snapshot, Channel.CALL, "Hi"), None, ())
    by_text = prompting.instructions(briefing(snapshot, Channel.SMS, "Hi"), None, ())
    assert "Speak slowly." in on_call
    assert "Sign with B." not in on_call
    assert "Sign with B." in by_text
    assert "Speak slowly." not in by_text
    assert "Owner: Lena." in on_call
    assert "wants a refund" in by_text


@pytest.mark.parametrize(
    ("said", "needed"),
    [
        ("I want my money back", "Somebody wants a refund"),
        ("Can you give me a refund for the cake?", "Somebody wants a refund"),
        ("I have to complain about the soup", "Somebody complains"),
        ("When do you open?", ""),
        ("Do you have parking?", ""),
    ],
)
async def test_a_case_for_a_person_in_plain_words_is_known_by_its_meaning(
    said: str, needed: str
) -> None:
    cases = "- Somebody wants a refund\n- Somebody complains"
    snapshot = Snapshot("agt_1", 1, "Baker", person_when=cases)
    parts = [part async for part in OfflineBrain().reply(briefing(snapshot, Channel.SMS, said))]
    reasons = [part.reason for part in parts if isinstance(part, NeedsPerson)]
    told = "".join(part.delta for part in parts if isinstance(part, Text))
    assert (needed in reasons) is bool(needed)
    assert ("get back to you about it" in told) is bool(needed)


@pytest.mark.parametrize(
    "said", ["I want my money back", "Can I talk to a person?", "Please call me back"]
)
async def test_on_a_call_whoever_stands_in_takes_who_needs_a_person(said: str) -> None:
    """C9: put through at once; nothing is marked unless that fails."""
    snapshot = Snapshot("agt_1", 1, "Baker", person_when="Somebody wants a refund")
    asked = replace(briefing(snapshot, Channel.CALL, said), stand_in=StandIn("ttg_1", "Anna"))
    parts = [part async for part in OfflineBrain().reply(asked)]
    assert [part for part in parts if isinstance(part, (NeedsPerson, HandOver))] == [
        HandOver("", "ttg_1")
    ]
    told = "".join(part.delta for part in parts if isinstance(part, Text))
    assert told == "One moment, I'll put you through to Anna."
