"""Whole conversations with the offline answerer over real knowledge (K2, K3, SM7)."""

import json
from pathlib import Path

import pytest

from offhook import agents, knowledge
from offhook.agents import Briefing, Channel, Said, Snapshot, Speaker, Text
from offhook.agents.offline import OfflineBrain
from offhook.db import Database

DATA = Path(__file__).parent.parent / "knowledge" / "data"
BAKER = Snapshot("agt_one", 1, "Baker")


@pytest.fixture
async def filled(database: Database, team_id: str) -> Database:
    async with database.team(team_id) as session:
        page = (DATA / "harbour_bakery.md").read_bytes()
        await knowledge.add_file(session, team_id, "page.md", page, [BAKER.agent_id])
        for pair in json.loads((DATA / "harbour_bakery_pairs.json").read_text()):
            await knowledge.add_pair(
                session, team_id, pair["question"], pair["answer"], ["agt_one"]
            )
    return database


async def reply(
    database: Database, team_id: str, said: list[Said], channel: Channel = Channel.CALL
) -> str:
    search = agents.search_in(database, team_id, BAKER)
    briefing = Briefing(team_id, BAKER, channel, said, search)
    return "".join([p.delta async for p in OfflineBrain().reply(briefing) if isinstance(p, Text)])


@pytest.mark.parametrize(
    ("turns", "last"),
    [
        (["When are you open on Saturday?", "and on Sunday?"], "8:00 to 13:00"),
        (["How much is the rye?", "and the baguette?"], "The baguette costs 1.90."),
        (["How much is the rye?", "and the baguette?", "how heavy is it?"], "250 g"),
        (["Do you deliver?", "how much is it?"], "4.50"),
        (["How much is the rye?", "thanks"], "welcome"),
        (["How much is the rye?", "what did you say?"], "The rye sourdough costs 6.40."),
        (["Do you sell newspapers?"], "don't know"),
        (["Hi, how much is the rye and do you take dogs?"], "6.40"),
        (["Where are you?"], "14 Harbour Street"),
    ],
)
async def test_a_conversation_is_followed_over_its_turns(
    filled: Database, team_id: str, turns: list[str], last: str
) -> None:
    said: list[Said] = []
    answer = ""
    for turn in turns:
        said.append(Said(Speaker.CALLER, turn))
        answer = await reply(filled, team_id, said)
        said.append(Said(Speaker.AGENT, answer))
    assert last in answer


async def test_a_burst_of_texts_gets_one_reply_that_knows_all_sm7(
    filled: Database, team_id: str
) -> None:
    burst = ["I want to order a birthday cake", "Friday", "for 4"]
    said = [Said(Speaker.CALLER, each) for each in burst]
    answer = await reply(filled, team_id, said, Channel.SMS)
    assert "three working days" in answer


async def test_nine_of_ten_answers_hold_what_was_asked_for(filled: Database, team_id: str) -> None:
    asked = json.loads((DATA / "harbour_bakery_questions.json").read_text())["answerable"]
    right = 0
    for each in asked:
        answer = await reply(filled, team_id, [Said(Speaker.CALLER, each["question"])])
        wanted = [any(word in answer for word in one.split("|")) for one in each["says"]]
        right += all(wanted)
        assert len(answer) < 250
        assert "|" not in answer
    assert right >= 0.9 * len(asked)
