"""Reading long sources in the background."""

from offhook.db import Database, Jobs
from offhook.knowledge.service import READ_JOB, read_source


def register(jobs: Jobs, database: Database) -> None:
    """Let this worker read sources."""

    async def read(team_id: str, source_id: str) -> None:
        async with database.team(team_id) as session:
            await read_source(session, team_id, source_id)

    jobs.add(READ_JOB, read)
