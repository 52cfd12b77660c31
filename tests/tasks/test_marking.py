"""Tasks that text the caller, label and note: in the run's own transaction (T2, P5, SEC9)."""

import pytest
from sqlalchemy import select

from offhook import inbox, tasks
from offhook.db import Database, Session
from task_fixtures import Talk, new_task, other


@pytest.fixture
async def calling(talk: Talk, database: Database) -> Talk:
    """A conversation that is in the inbox."""
    for kind in inbox.KINDS:
        tasks.register(kind)
    async with database.team(talk.scope.team_id) as session:
        row = await inbox.open_conversation(
            session,
            talk.scope.team_id,
            channel=inbox.Channel.CALL,
            number_id="num_1",
            sender=talk.scope.caller,
        )
    return other(talk, conversation_id=row.id)


async def _conversation(session: Session, talk: Talk) -> inbox.Conversation:
    return await inbox.get(session, talk.scope.team_id, talk.scope.conversation_id)


async def test_a_label_is_one_of_the_owners_and_needs_no_yes(
    calling: Talk, database: Database
) -> None:
    team = calling.scope.team_id
    config = {"labels": ["order", "complaint"]}
    await new_task(database, team, config, kind="label", title="Mark it", inputs=[])
    wrong = await calling.propose("mark_it", label="<script>")
    assert isinstance(wrong, tasks.Incomplete)
    assert isinstance(await calling.propose("mark_it", label="Complaint"), tasks.Completed)
    async with database.team(team) as session:
        assert (await _conversation(session, calling)).labels == ["complaint"]
        assert await inbox.labels(session, team) == ["complaint"]
        found = await session.scalars(inbox.listed(team, inbox.Filter(label="complaint")))
        assert [each.id for each in found] == [calling.scope.conversation_id]
        none = await session.scalars(inbox.listed(team, inbox.Filter(label="order")))
        assert none.all() == []


async def test_a_note_stands_in_the_conversation_for_the_team(
    calling: Talk, database: Database
) -> None:
    team = calling.scope.team_id
    await new_task(
        database,
        team,
        {"text": "Wants a call back: {{about}}"},
        kind="note",
        title="Call back",
        inputs=[{"name": "about", "type": "text"}],
    )
    assert isinstance(await calling.propose("call_back", about="the cake"), tasks.Completed)
    async with database.team(team) as session:
        turns = await session.scalars(select(inbox.Turn).where(inbox.Turn.team_id == team))
        (turn,) = turns.all()
        assert (turn.speaker, turn.text) == (
            inbox.Speaker.NOTICE,
            "Note: Wants a call back: the cake",
        )
        (told,) = await inbox.timeline(session, team, await _conversation(session, calling))
        assert [run.task_name for run in told.runs] == ["call_back"]
