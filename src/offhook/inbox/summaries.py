"""Titles and summaries of conversations that ended: a job, since nobody waits for a model (I4)."""

from sqlalchemy import select

from offhook import agents, costs
from offhook.db import Database, Session, enqueue, touch
from offhook.inbox.listing import ERASED
from offhook.inbox.models import Conversation, Speaker, Turn

SUMMARISE = "inbox.summarise"
TURNS = 200
VOICES = {
    Speaker.CALLER: agents.Speaker.CALLER,
    Speaker.AGENT: agents.Speaker.AGENT,
    Speaker.PERSON: agents.Speaker.PERSON,
}


async def enqueue_summary(session: Session, conversation: Conversation) -> None:
    """Let a worker sum it up; the lock is its own, for the thread's is the reply's."""
    if conversation.last_heard_at is not None:
        await enqueue(
            session,
            SUMMARISE,
            lock=f"summary:{conversation.id}",
            team_id=conversation.team_id,
            conversation_id=conversation.id,
        )


class Summaries:
    """The job `inbox.summarise` of one process."""

    def __init__(self, database: Database, summariser: agents.Summariser) -> None:
        self._database = database
        self._summariser = summariser

    async def summarise(self, team_id: str, conversation_id: str) -> None:
        async with self._database.team(team_id) as session:
            said = await _said(session, team_id, conversation_id)
        summary = await self._summariser.summarise(said)
        if not summary.title:
            return
        async with self._database.team(team_id) as session:
            conversation = await session.scalar(
                select(Conversation)
                .where(Conversation.team_id == team_id, Conversation.id == conversation_id)
                .with_for_update(key_share=True)
            )
            if conversation is None or conversation.reason == ERASED:
                return
            conversation.title, conversation.summary = summary.title, summary.text
            conversation.summary_by = summary.by
            await costs.record(
                session,
                team_id,
                conversation_id=conversation_id,
                number_id=conversation.number_id,
                used=summary.used,
            )
            await touch(session, team_id, "inbox", f"conversation:{conversation_id}")


async def _said(session: Session, team_id: str, conversation_id: str) -> list[agents.Said]:
    rows = await session.scalars(
        select(Turn)
        .where(
            Turn.team_id == team_id,
            Turn.conversation_id == conversation_id,
            Turn.speaker != Speaker.NOTICE,
        )
        .order_by(Turn.sequence.desc())
        .limit(TURNS)
    )
    return [agents.Said(VOICES[turn.speaker], turn.text) for turn in list(rows)[::-1]]
