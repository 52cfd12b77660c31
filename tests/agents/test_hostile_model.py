"""A language model in an attacker's hands, over the real toolbox (SEC9): every tool that there is,
with other teams' ids, other numbers, huge amounts, private addresses, SQL.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from scripted_vendor import Calls, Script, scripted

from offhook import tasks
from offhook.agents import Briefing, Channel, Learned, Said, Snapshot, Speaker
from offhook.agents.brain import Fillable
from offhook.db import Database
from offhook.knowledge import Hit
from task_fixtures import (
    AGENT,
    Receiver,
    Talk,
    booking,
    new_task,
    new_team,
    receiver,
    runner,
    talk,
    task_settings,
)

__all__ = ["receiver", "runner", "talk", "task_settings"]
EVIL: Sequence[Any] = (
    "team_2", "con_00000000000000000000000000", "+19005550000", 10**30, -1, 1e308, "NaN", None,
    "http://169.254.169.254/latest/meta-data", "'; DROP TABLE teams; --", "{{secret:KEY}}",
    "\x00\ud800", ["a", {"b": []}], {"$ne": 1}, "x" * 100_000, True,
)  # fmt: skip


async def nothing(question: str) -> Sequence[Hit]:
    return []


async def reply(talk: Talk, script: Script, *said: str, **more: Any) -> list[Any]:
    history = [
        Said(Speaker.CALLER if turn.by_caller else Speaker.AGENT, turn.text) for turn in talk.turns
    ]
    asked = Briefing(
        talk.scope.team_id, Snapshot(AGENT, 1, "Desk"), Channel.CALL, history, nothing,
        tools=await talk.box(), **more,
    )  # fmt: skip
    async with scripted(script) as brain:
        return [part async for part in brain.reply(asked)]


async def every_run(database: Database, *teams: str) -> list[tasks.TaskRun]:
    found: list[tasks.TaskRun] = []
    for team in teams:
        async with database.team(team) as session:
            found += await tasks.runs_of(session, team, ["cnv_1", "cnv_2"])
    return found


@pytest.mark.parametrize("evil", EVIL, ids=lambda value: repr(value)[:20])
async def test_no_argument_of_any_tool_has_an_effect_without_a_yes(
    database: Database, talk: Talk, receiver: Receiver, evil: Any
) -> None:
    other = await new_team(database)
    theirs = await new_task(database, other, booking(receiver), title="Wire money", confirm=False)
    await new_task(database, talk.scope.team_id, booking(receiver))
    names = ("party", "day", "note", "team_id", "contact_id", "to", "url", "task_id")
    arguments: Mapping[str, Any] = dict.fromkeys(names, evil)
    calls: list[tuple[str, Mapping[str, Any]]] = [
        ("task_book_a_table", arguments), ("confirm_task", arguments), ("drop_task", arguments),
        ("task_wire_money", arguments), (theirs.id, arguments), (f"task_{theirs.id}", arguments),
        ("remember", {"attribute": evil, "value": evil}), ("need_person", {"reason": evil}),
        ("search_knowledge", {"question": evil}), ("run_sql", arguments),
    ]  # fmt: skip
    script = Script(*(Calls([call]) for call in calls[:6]), Calls(calls[6:]), rest="Done.")
    parts = await reply(talk, script, fillable=[Fillable("company", "Company")])
    assert receiver.requests == []
    assert await every_run(database, talk.scope.team_id, other) == []
    assert not [part for part in parts if isinstance(part, Learned)]


async def test_a_model_that_reads_back_one_thing_cannot_run_another(
    database: Database, talk: Talk, receiver: Receiver
) -> None:
    """T1: the yes was to a table for two; the model changes it to twenty before it confirms."""
    await new_task(database, talk.scope.team_id, booking(receiver))
    step = await talk.propose("book_a_table", party=2, day="2030-05-15")
    assert isinstance(step, tasks.Unconfirmed)
    talk.agent(step.readback)
    talk.caller("Yes, please.")
    more = Calls([("task_book_a_table", {"party": 20})])
    script = Script(more, Calls([("confirm_task", {})]), rest="It is booked.")
    await reply(talk, script)
    assert receiver.requests == []
    assert [json.loads(each)["status"] for each in script.answers] == ["unconfirmed", "refused"]
