"""One transaction per use case, seen by one team; news and ids."""

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from offhook.db import (
    Busy,
    Database,
    Event,
    EventRow,
    Listener,
    fetch,
    new_id,
    now,
    publish,
    publish_all,
    told_together,
    write_events,
)
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


async def test_events_told_together_keep_their_order_and_each_conversations_sequence(
    database: Database,
) -> None:
    """W3"""
    team = await make_team(database)
    async with database.team(team) as session:
        await publish(session, SomethingHappened(team_id=team, conversation_id="cnv_1"))
        told = await write_events(
            session,
            [
                SomethingHappened(team_id=team, conversation_id=each)
                for each in ("cnv_2", "cnv_1", None, "cnv_1", "cnv_2")
            ],
        )
        await publish_all(session, [])
    assert [each.sequence for each in told] == [1, 2, None, 3, 2]
    async with database.team(team) as session:
        rows = (await session.scalars(select(EventRow).order_by(EventRow.position))).all()
    assert [row.id for row in rows[1:]] == [each.id for each in told]
    for row, each in zip(rows[1:], told, strict=True):
        assert (row.sequence, row.payload, row.created_at) == (
            each.sequence,
            each.payload,
            each.created_at,
        )


async def test_what_a_use_case_tells_together_is_written_at_its_end_in_its_order(
    database: Database,
) -> None:
    """W1: and nothing of it where the use case fails."""
    team = await make_team(database)
    async with database.team(team) as session:
        async with told_together(session):
            for each in ("cnv_2", None, "cnv_2"):
                await publish(session, SomethingHappened(team_id=team, conversation_id=each))
            assert await session.scalar(select(func.count()).select_from(EventRow)) == 0
        rows = (await session.scalars(select(EventRow).order_by(EventRow.position))).all()
        assert [row.sequence for row in rows] == [1, None, 2]
        await publish(session, SomethingHappened(team_id=team))
    with pytest.raises(ZeroDivisionError):
        async with database.team(team) as session, told_together(session):
            await publish(session, SomethingHappened(team_id=team))
            raise ZeroDivisionError
    assert await count_events(database, team) == 4


async def test_who_opens_a_transaction_alone_waits_for_the_other_with_the_same_key(
    database: Database,
) -> None:
    """And sees what that one has written."""
    team = await make_team(database)

    async def once() -> None:
        async with database.team(team, alone="text O'Neill/1") as session:
            if not await session.scalar(select(func.count()).select_from(EventRow)):
                await publish(session, SomethingHappened(team_id=team))

    await asyncio.gather(*(once() for _ in range(8)))
    assert await count_events(database, team) == 1


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
    assert await asyncio.wait_for(heard.get(), 30) == (team, "something")
    assert await asyncio.wait_for(heard.get(), 30) == (team, "conversation:cnv_1")
    task.cancel()


async def test_now_is_aware_and_ids_sort_by_time(database: Database) -> None:
    async with database.system() as session:
        assert (await now(session)).tzinfo is UTC
    assert new_id("num").startswith("num_")
    assert len(new_id("num")) == len("num_") + 26


async def end_connections(database: Database) -> None:
    """As a restart of the server does."""
    others = (
        "FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user"
        " AND pid <> pg_backend_pid()"
    )
    async with await psycopg.AsyncConnection.connect(database.psycopg_url) as connection:
        await connection.execute(f"SELECT pg_terminate_backend(pid) {others}".encode())


async def test_a_pooled_connection_that_the_server_ended_is_replaced(database: Database) -> None:
    team = await make_team(database)
    await end_connections(database)
    assert await count_events(database, team) == 0


async def test_a_connection_lost_in_mid_transaction_is_an_error_and_the_next_one_works(
    database: Database,
) -> None:
    team = await make_team(database)
    with pytest.raises(DBAPIError) as lost:
        async with database.team(team) as session:
            await publish(session, SomethingHappened(team_id=team))
            await end_connections(database)
            await fetch(session, "SELECT 1", {})
    assert lost.value.connection_invalidated
    assert await count_events(database, team) == 0


async def test_who_waits_for_a_connection_is_not_overtaken_again_and_again(
    database: Database,
) -> None:
    few = Database(database.url, pool_size=2)
    team = await make_team(database)
    done = [0] * 12

    async def work(index: int) -> None:
        while max(done) < 100:
            async with few.team(team) as session:
                await session.execute(text("SELECT 1"))
            done[index] += 1

    await asyncio.gather(*(work(index) for index in range(len(done))))
    await few.close()
    assert min(done) > 20, done


async def test_who_finds_no_connection_in_time_is_told_and_begins_nothing(
    database: Database,
) -> None:
    one = Database(database.url, pool_size=1)
    async with one.system(), one.system():  # all that there are
        hurried = one.within(0.02)
        for _ in range(2):
            with pytest.raises(Busy):
                async with hurried.system():
                    pytest.fail("a transaction without a connection")
    async with hurried.system() as session:  # a free one is taken, however late
        assert await fetch(session, "SELECT 1", {}) == [(1,)]
    await one.close()


async def test_a_use_case_that_fails_or_is_cancelled_leaves_nothing(database: Database) -> None:
    team = await make_team(database)
    opened = asyncio.Event()

    async def use_case() -> None:
        async with database.team(team) as session:
            await publish(session, SomethingHappened(team_id=team))
            opened.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(use_case())
    await opened.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(ZeroDivisionError):
        async with database.team(team) as session:
            await publish(session, SomethingHappened(team_id=team))
            raise ZeroDivisionError
    assert await count_events(database, team) == 0


async def test_the_drivers_own_statements_see_the_team_and_fail_as_others_do(
    database: Database,
) -> None:
    ours, theirs = await make_team(database), await make_team(database)
    async with database.team(ours) as session:
        await publish(session, SomethingHappened(team_id=ours))
    count = "SELECT count(*) FROM events WHERE name = %(name)s"
    for team, seen in ((ours, 1), (theirs, 0)):
        async with database.team(team) as session:
            assert await fetch(session, count, {"name": "something.happened"}) == [(seen,)]
    with pytest.raises(IntegrityError):
        async with database.team(ours) as session:
            await fetch(session, "INSERT INTO teams (id) VALUES (%(id)s) RETURNING 1", {"id": ours})


async def test_a_team_named_to_break_out_is_only_a_name(database: Database) -> None:
    async with database.team("x', true); SELECT '") as session:
        seen = await session.scalar(text("SELECT current_setting('offhook.team')"))
    assert seen == "x', true); SELECT '"
