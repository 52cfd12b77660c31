"""The `search` of a briefing over the database: each question in a short transaction of its own."""

import logging
from collections.abc import Sequence
from typing import Any

from offhook import knowledge
from offhook.agents.brain import KnowledgeAway, Search
from offhook.agents.snapshot import Snapshot
from offhook.db import AWAY, Database, within

log = logging.getLogger(__name__)


def search_in(
    database: Database,
    team_id: str,
    snapshot: Snapshot,
    k: int = 5,
    *,
    patience_s: float | None = None,
) -> Search:
    """What this agent's knowledge says, as it is at the moment of each question (K2).

    `patience_s`: how long somebody can wait for the database; then KnowledgeAway. Without it its
    troubles are the caller's.
    """

    async def whole(use: knowledge.Use) -> list[Any]:
        async with database.team(team_id) as session:
            return await use(session)

    async def reach(use: knowledge.Use) -> list[Any]:
        if patience_s is None:
            return await whole(use)
        try:
            return await within(patience_s, whole(use))
        except AWAY as error:
            log.warning("the knowledge of %s cannot be asked: %s", snapshot.agent_id, error)
            raise KnowledgeAway from error

    async def search(question: str) -> Sequence[knowledge.Hit]:
        return await knowledge.search_by(reach, team_id, snapshot.agent_id, question, k)

    return search
