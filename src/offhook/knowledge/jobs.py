"""Reading sources in the background, each document in a process of its own."""

from offhook.db import Database, Jobs
from offhook.documents import Reader
from offhook.knowledge.fetching import Browser
from offhook.knowledge.reading import READ_JOB, give_up, read_source
from offhook.knowledge.syncing import (
    SYNC_JOB,
    TAKE_JOB,
    give_up_sync,
    read_pages,
    sync_source,
)
from offhook.knowledge.websites import queue_due
from offhook.outgoing import Outgoing
from offhook.settings import Settings

DUE_EVERY_S = 60.0


def register(jobs: Jobs, settings: Settings, database: Database) -> None:
    """Let this worker read sources, and read those from the web anew when their time has come."""

    async def read(team_id: str, source_id: str) -> None:
        async with Reader() as reader:
            await read_source(database, team_id, source_id, reader)

    async def sync(team_id: str, source_id: str) -> None:
        async with Outgoing(settings) as outgoing, Reader() as reader:
            await sync_source(database, team_id, source_id, Browser(outgoing, reader))

    async def take(team_id: str, source_id: str) -> None:
        await read_pages(database, team_id, source_id)

    async def due() -> None:
        await queue_due(database)

    async def never_read(team_id: str, source_id: str) -> None:
        await give_up(database, team_id, source_id)

    async def never_synced(team_id: str, source_id: str) -> None:
        await give_up_sync(database, team_id, source_id)

    jobs.add(READ_JOB, read, given_up=never_read)
    jobs.add(SYNC_JOB, sync, given_up=never_synced)
    jobs.add(TAKE_JOB, take, given_up=never_read)
    jobs.every(DUE_EVERY_S, "knowledge.due", due)
