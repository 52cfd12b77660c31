"""kill -9 at every step of reading: read once by the next worker, nothing half done (WT5)."""

import asyncio
from pathlib import Path

import pytest

import programs
from documents.made import PROSE, pdf, say
from knowledge.served import web_site
from offhook import knowledge
from offhook.db import Database
from offhook.failpoints import ENVIRONMENT, EXIT_STATUS
from offhook.knowledge import SourceKind, SourceState

WORKER = Path(__file__).parent / "worker.py"
STEPS = ("knowledge.began", "knowledge.read", "knowledge.written")
pytestmark = pytest.mark.kills


async def start(database: Database, port: int, dies_at: str = "") -> programs.Program:
    environment = {ENVIRONMENT: f"{dies_at}:1"} if dies_at else {}
    return await programs.start(WORKER, database.url, str(port), **environment)


async def read_by_the_next_worker(
    database: Database, team_id: str, source_id: str, port: int, step: str
) -> list[str]:
    """The passages after one worker died at `step` and another took over."""
    dying = await start(database, port, dies_at=step)
    assert await asyncio.wait_for(dying.wait(), 100) == EXIT_STATUS
    async with database.team(team_id) as session:
        source = await knowledge.get(session, team_id, source_id)
        assert source.state == SourceState.READING
        assert await knowledge.passages(session, team_id, source_id) == []
    taking_over = await start(database, port)
    try:
        async with asyncio.timeout(100):
            while source.state == SourceState.READING:
                await asyncio.sleep(0.1)
                async with database.team(team_id) as session:
                    source = await knowledge.get(session, team_id, source_id)
    finally:
        taking_over.terminate()
        await taking_over.wait()
    assert (source.state, source.error) == (SourceState.READY, "")
    async with database.team(team_id) as session:
        return [each.text for each in await knowledge.passages(session, team_id, source_id)]


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_killed_over_a_file_is_followed_by_one_that_reads_it(
    database: Database, team_id: str, step: str
) -> None:
    async with database.team(team_id) as session:
        data = pdf(lambda file: say(file, PROSE))
        source = await knowledge.add_file(session, team_id, "menu.pdf", data)
    assert await read_by_the_next_worker(database, team_id, source.id, 443, step) == [PROSE]


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_killed_over_a_page_is_followed_by_one_that_reads_it(
    database: Database, team_id: str, step: str
) -> None:
    async with web_site() as site:
        site.say("/", f"<p>{PROSE}</p>")
        async with database.team(team_id) as session:
            source = await knowledge.add_web(session, team_id, SourceKind.PAGE, site.url, 0)
        told = await read_by_the_next_worker(database, team_id, source.id, site.port, step)
    assert told == [PROSE]
