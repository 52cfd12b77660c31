"""One transaction per use case, seen by one team; news and ids."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import func, select

from offhook.db import Database, Event, EventRow, Listener, new_id, now, publish
from offhook.teams.models import Team


class SomethingHappened(Event):
    event = "something.happened"


async def make_team(database: Database, name: str = "Daily Bread") -> str:
    async with database.system() as session:
        team = Team(name=name, created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return team.id


async def count_events(database: Database, team: str) -> int:
    async with database.team(team) as session:
        # No team in the WHERE: the second wall is what is tested here (SEC7).
        return (await session.execute(select(func.count()).select_from(EventRow))).scalar_one()


async def test_row_level_security_hides_other_teams_rows(database: Database) -> None:
    ours, theirs = await make_team(database), await make_team(database)
    async with database.team(ours) as session:
        await publish(session, SomethingHappened(team_id=ours))
    assert await count_events(database, ours) == 1
    assert await count_events(database, theirs) == 0


async def test_the_sequence_of_a_conversation_is_gapless_under_concurrency(
    database: Database,
) -> None:
    team = await make_team(database)

    async def one() -> None:
        async with database.team(team) as session:
            await publish(session, SomethingHappened(team_id=team, conversation_id="cnv_1"))

    await asyncio.gather(*(one() for _ in range(12)))
    async with database.team(team) as session:
        rows = await session.scalars(select(EventRow.sequence).where(EventRow.team_id == team))
    assert sorted(row or 0 for row in rows) == list(range(1, 13))


async def test_a_listener_hears_topics_after_the_commit(database: Database) -> None:
    team = await make_team(database)
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    ready = asyncio.Event()
    listener = Listener(
        database.psycopg_url, lambda team, topic: heard.put_nowait((team, topic)), ready.set
    )
    task = asyncio.create_task(listener.run())
    await ready.wait()
    async with database.team(team) as session:
        await publish(session, SomethingHappened(team_id=team, conversation_id="cnv_1"))
    assert await asyncio.wait_for(heard.get(), 5) == (team, "something")
    assert await asyncio.wait_for(heard.get(), 5) == (team, "conversation:cnv_1")
    task.cancel()


async def test_now_is_aware_and_ids_sort_by_time(database: Database) -> None:
    async with database.system() as session:
        assert (await now(session)).tzinfo is UTC
    assert new_id("num").startswith("num_")
    assert len(new_id("num")) == len("num_") + 26
