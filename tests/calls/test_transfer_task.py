"""The task "Transfer" in a conversation: asked, confirmed, handed over, ended (T1, T3, T4)."""

import pytest
from sqlalchemy import select

from offhook import calls, tasks
from offhook.calls.transfers import targets
from offhook.calls.transfers.kind import finished
from offhook.db import Database, EventRow
from offhook.tasks.rules import RunState
from task_fixtures import Talk, new_task, other, receiver, runner, talk, task_settings, team_id

__all__ = ["receiver", "runner", "talk", "task_settings", "team_id"]
TITLE = "Put through to Anna"


@pytest.fixture
async def target_id(talk: Talk, database: Database) -> str:
    """Anna is on the list, and the agent has a task for her."""
    tasks.register(calls.TRANSFER)
    team = talk.scope.team_id
    async with database.team(team) as session:
        target = await targets.add(
            session, team, name="Anna", number="+12025550177", ring_s=20, announced=True
        )
    await new_task(
        database, team, {"target_id": target.id}, title=TITLE, kind="transfer", inputs=[],
        channels=[tasks.CALL],
    )  # fmt: skip
    return target.id


async def test_a_caller_asks_says_yes_and_the_conversation_is_told_to_put_them_through(
    talk: Talk, target_id: str
) -> None:
    step = await talk.propose("put_through_to_anna")
    assert isinstance(step, tasks.Unconfirmed)
    assert step.readback == "Put through to Anna. Shall I put you through?"
    talk.agent(step.readback)
    talk.caller("Yes, please.")
    handing = await talk.confirm()
    assert isinstance(handing, tasks.HandingOver)
    assert (handing.target, handing.answer) == (
        target_id,
        "One moment, I'll put you through to Anna.",
    )
    (run,) = await talk.runs()
    assert run.state in {RunState.CONFIRMED, RunState.RUNNING}


@pytest.mark.parametrize(("done", "event"), [(True, "task.completed"), (False, "task.failed")])
async def test_what_became_of_it_is_what_became_of_the_run_and_told_once(
    talk: Talk, target_id: str, database: Database, done: bool, event: str
) -> None:
    """T3: and no news for the next reply, since the conversation has said so itself."""
    handing = await talk.do("put_through_to_anna")
    assert isinstance(handing, tasks.HandingOver)
    team = talk.scope.team_id
    for _ in range(2):
        async with database.team(team) as session:
            await finished(session, team, handing.run_id, "Anna did not answer.", done=done)
    (run,) = await talk.runs()
    assert run.state is (RunState.COMPLETED if done else RunState.FAILED)
    assert run.answer == "Anna did not answer."
    assert await (await talk.box()).news() == []
    async with database.team(team) as session:
        told = await session.scalars(select(EventRow.name).where(EventRow.name == event))
        assert list(told) == [event]


async def test_by_text_nobody_is_put_through(talk: Talk, target_id: str) -> None:
    """T4."""
    texting = other(talk, channel=tasks.SMS, conversation_id="cnv_2")
    assert not (await texting.box()).offers
    assert isinstance(await texting.propose("put_through_to_anna"), tasks.Refused)


async def test_whoever_left_the_list_is_no_question_any_more(
    talk: Talk, target_id: str, database: Database
) -> None:
    async with database.team(talk.scope.team_id) as session:
        await targets.remove(session, talk.scope.team_id, target_id)
    step = await talk.propose("put_through_to_anna")
    assert isinstance(step, tasks.Refused)
    assert "can't put you through" in step.reason
