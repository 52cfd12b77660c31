"""Titles and summaries of conversations that ended: a job, since nobody waits for a model (I4)."""

from sqlalchemy import select

from offhook import agents, costs
from offhook.db import Database, Session, enqueue, touch
from offhook.inbox.listing import ERASED
from offhook.inbox.memory import VOICES, last_said
from offhook.inbox.models import Conversation

SUMMARISE = "inbox.summarise"
TURNS = 200


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
            turns = await last_said(session, team_id, conversation_id, TURNS)
        summary = await self._summariser.summarise(
            [agents.Said(VOICES[turn.speaker], turn.text) for turn in turns]
        )
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
