"""The `search` of a briefing over the database: each question in a short transaction of its own."""

from collections.abc import Sequence

from offhook import knowledge
from offhook.agents.brain import Search
from offhook.agents.snapshot import Snapshot
from offhook.db import Database


def search_in(database: Database, team_id: str, snapshot: Snapshot, k: int = 5) -> Search:
    """What this agent's knowledge says, as it is at the moment of each question (K2)."""

    async def search(question: str) -> Sequence[knowledge.Hit]:
        async with database.team(team_id) as session:
            return await knowledge.search(session, team_id, snapshot.agent_id, question, k)

    return search
