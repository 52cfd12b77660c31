"""A draft in a rehearsal: what the brain is told where nobody called and nothing is kept.

The same by text (playground.py) and by voice (calls/rehearsing). Effects of tasks are shown and
not done unless the rehearsal says so (tasks/rehearsing.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from offhook import tasks
from offhook.agents.brain import Briefing, Channel, Said, Speaker
from offhook.agents.snapshot import Snapshot
from offhook.agents.wiring import search_in
from offhook.db import Database


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A draft, and the team whose member tries it out, with its time zone and country."""

    draft: Snapshot
    team_id: str
    timezone: str
    country: str
    channel: Channel

    async def briefing(
        self,
        database: Database,
        runner: tasks.Runner,
        runs: tasks.Rehearsal,
        said: Sequence[Said],
        *,
        first: int = 0,
        patience_s: float | None = None,
    ) -> Briefing:
        """For one reply to `said`, whose first turn is the rehearsal's turn number `first`.

        `patience_s` is that of `search_in`.
        """
        draft = self.draft
        scope = tasks.rehearsal_scope(
            self.team_id,
            draft.agent_id,
            self.channel,
            language=draft.language,
            timezone=self.timezone,
            country=self.country,
        )
        turns = [
            tasks.Turn(first + position, each.speaker is Speaker.CALLER, each.text)
            for position, each in enumerate(said)
        ]
        return Briefing(
            team_id=self.team_id,
            snapshot=draft,
            channel=self.channel,
            history=list(said),
            search=search_in(database, self.team_id, draft, patience_s=patience_s),
            now=datetime.now(ZoneInfo(self.timezone)),
            tools=await tasks.open_rehearsal(runner, scope, turns, runs),
        )
