"""Jobs live and die with the transaction that enqueued them."""

import asyncio
import logging

import pytest
from procrastinate.retry import RetryStrategy
from sqlalchemy import text

from offhook.db import Database, Jobs, enqueue
from offhook.db.jobs import Rhythm


async def test_a_job_runs_once_its_transaction_has_committed(database: Database) -> None:
    seen: list[str] = []

    async def handler(word: str) -> None:
        seen.append(word)

    jobs = Jobs(database)
    jobs.add("test.say", handler)
    async with database.system() as session:
        await enqueue(session, "test.say", lock="one", word="hello")
    await jobs.run_due()
    assert seen == ["hello"]


async def test_what_is_due_is_run_over_one_more_connection(database: Database) -> None:
    seen: list[int] = []
    connections = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")

    async def handler() -> None:
        async with database.system() as session:
            seen.append(await session.scalar(connections) or 0)

    jobs = Jobs(database)
    jobs.add("test.count", handler)
    await handler()
    async with database.system() as session:
        await enqueue(session, "test.count")
    await jobs.run_due()
    assert seen == [seen[0], seen[0] + 1]


async def test_a_rolled_back_transaction_leaves_no_job(database: Database) -> None:
    seen: list[str] = []

    async def handler(word: str) -> None:
        seen.append(word)

    jobs = Jobs(database)
    jobs.add("test.say", handler)
    with pytest.raises(RuntimeError):
        async with database.system() as session:
            await enqueue(session, "test.say", word="never")
            raise RuntimeError
    await jobs.run_due()
    assert seen == []


async def test_a_second_job_with_a_waiting_queueing_lock_is_dropped_and_rows_stay(
    database: Database,
) -> None:
    seen: list[str] = []

    async def handler(word: str) -> None:
        seen.append(word)

    jobs = Jobs(database)
    jobs.add("test.say", handler)
    async with database.system() as session:
        await enqueue(session, "test.say", queueing_lock="q", word="first")
        await enqueue(session, "test.say", queueing_lock="q", word="second")
        await enqueue(session, "test.say", word="third")
    await jobs.run_due()
    assert seen == ["first", "third"]


async def test_after_its_last_try_a_job_is_given_up_once_with_its_arguments(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """And each failure is told, the first one with its trace."""
    tried: list[str] = []
    given_up: list[str] = []

    async def handler(word: str) -> None:
        tried.append(word)
        raise RuntimeError(word)

    async def gave_up(word: str) -> None:
        given_up.append(word)

    jobs = Jobs(database)
    jobs.add("test.say", handler, retry=RetryStrategy(max_attempts=3), given_up=gave_up)
    async with database.system() as session:
        await enqueue(session, "test.say", word="never")
        await enqueue(session, "test.say", word="killed")
    async with database.system() as session:  # as the sweeper counts those of dead workers
        await session.execute(
            text("UPDATE procrastinate_jobs SET attempts = 4 WHERE args->>'word' = 'killed'")
        )
    await jobs.run_due()
    assert tried == ["never"] * 4
    assert sorted(given_up) == ["killed", "never"]
    told = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [(each.levelname, each.exc_info is not None) for each in told] == [
        ("ERROR", True),
        ("WARNING", False),
        ("WARNING", False),
        ("ERROR", False),
    ]


async def left(database: Database) -> list[tuple[str, str]]:
    async with database.system() as session:
        rows = await session.execute(
            text("SELECT args->>'word', status::text FROM procrastinate_jobs ORDER BY id")
        )
        return [(word, status) for word, status in rows]


async def test_a_job_that_fails_while_the_next_of_its_queueing_lock_waits_is_left_to_that_one(
    database: Database,
) -> None:
    """Otherwise it is `doing` for ever, and nothing of its lock ever runs again."""
    seen: list[str] = []

    async def handler(word: str) -> None:
        seen.append(word)
        if word == "first":
            async with database.system() as session:
                await enqueue(session, "test.say", lock="q", queueing_lock="q", word="second")
            raise RuntimeError(word)

    jobs = Jobs(database)
    jobs.add("test.say", handler)
    async with database.system() as session:
        await enqueue(session, "test.say", lock="q", queueing_lock="q", word="first")
    await jobs.run_due()
    assert seen == ["first", "second"]
    assert await left(database) == []


async def test_a_dead_workers_job_whose_place_is_taken_holds_up_no_other(
    database: Database,
) -> None:
    """The sweeper comes to the jobs behind it too, all other teams' among them."""
    seen: list[str] = []
    both = asyncio.Event()

    async def handler(word: str) -> None:
        seen.append(word)
        if len(seen) == 2:
            both.set()

    async with database.system() as session:
        await enqueue(session, "test.say", lock="q", queueing_lock="q", word="killed")
        await enqueue(session, "test.say", word="killed too")
        await session.execute(
            text(
                "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
                " VALUES (now() - interval '1 hour') RETURNING id)"
                " UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead"
            )
        )
        await enqueue(session, "test.say", lock="q", queueing_lock="q", word="waiting")
    jobs = Jobs(database, rhythm=Rhythm(heartbeat_s=0.5, stalled_after_s=20.0, sweep_every_s=0.1))
    jobs.add("test.say", handler)
    work = asyncio.create_task(jobs.run())
    async with asyncio.timeout(60):
        await both.wait()
        while await left(database):  # noqa: ASYNC110 - a finished job tells nobody
            await asyncio.sleep(0.05)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert sorted(seen) == ["killed too", "waiting"]


async def test_what_failed_for_good_is_kept_for_a_month(database: Database) -> None:
    async def handler(word: str) -> None:
        raise RuntimeError(word)

    jobs = Jobs(database)
    jobs.add("test.say", handler, retry=RetryStrategy(max_attempts=1))
    async with database.system() as session:
        for word in ("old", "young"):
            await enqueue(session, "test.say", word=word)
    await jobs.run_due()
    async with database.system() as session:
        await enqueue(session, "test.later", word="waiting")
        await session.execute(
            text(
                "UPDATE procrastinate_events AS event SET at = now() - interval '31 days'"
                " FROM procrastinate_jobs AS job"
                " WHERE job.id = event.job_id AND job.args->>'word' IN ('old', 'waiting')"
            )
        )
    work = asyncio.create_task(jobs.run())
    try:
        async with asyncio.timeout(60):
            while len(await left(database)) == 3:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert [word for word, _ in await left(database)] == ["young", "waiting"]
