"""Background work of the inbox: sum up what ended, bring back what was snoozed (I4, I6)."""

from functools import partial

from offhook import agents
from offhook.db import Database, Jobs
from offhook.inbox import handling
from offhook.inbox.summaries import SUMMARISE, Summaries
from offhook.settings import Settings

WAKE_EVERY_S = 10.0


def register(jobs: Jobs, settings: Settings, database: Database) -> None:
    """Add the jobs of the inbox to a worker."""
    jobs.add(SUMMARISE, Summaries(database, agents.open_summariser(settings)).summarise)
    jobs.every(WAKE_EVERY_S, "inbox.wake", partial(wake, database))


async def wake(database: Database) -> None:
    async with database.system() as session:
        await handling.wake_due(session)
