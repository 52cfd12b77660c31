"""kill -9 at every step of a run: the side effect happens once, and the run says what is known
(T3, WT5; faults.md: mid-tool).

OFFHOOK_KILLS kills per place, once unless set.
"""

import asyncio
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import programs
from offhook import tasks
from offhook.db import Database
from offhook.failpoints import ENVIRONMENT, EXIT_STATUS
from offhook.outgoing import Outgoing
from offhook.settings import Settings
from offhook.tasks.rules import UNKNOWN_OUTCOME, RunState
from task_fixtures import CREATE_EFFECTS, EFFECT_KIND, Receiver, Talk, booking, means, new_task

KILLS = range(int(os.environ.get("OFFHOOK_KILLS", "1")))
PROGRAM = Path(__file__).parent / "confirming.py"
OUTSIDE = ("tasks.confirmed", "tasks.claimed", "tasks.sent", "tasks.finished")
MAY = {"party": 4, "day": "2026-05-15"}
pytestmark = pytest.mark.kills


async def kill(talk: Talk, settings: Settings, where: str) -> None:
    """Propose, hear a yes, and confirm in a process that dies at `where`."""
    step = await talk.propose("book_a_table", **MAY)
    assert isinstance(step, tasks.Unconfirmed)
    talk.agent(step.readback)
    talk.caller("Yes, please.")
    told = json.dumps(
        {
            "scope": talk.scope.to_json(),
            "turns": [list(asdict(turn).values()) for turn in talk.turns],
        }
    )
    port = str(settings.outgoing_ports[0])
    process = await programs.start(
        PROGRAM, talk.runner.database.url, settings.home, port, told, **{ENVIRONMENT: where}
    )
    assert await process.wait() == EXIT_STATUS


async def sweep_later(talk: Talk, settings: Settings) -> tasks.TaskRun:
    """What the sweeper of a living process makes of it once the lease has ended."""

    def later() -> datetime:
        return datetime.now(UTC) + timedelta(hours=1)

    database = Database(talk.runner.database.url, clock=later)
    async with Outgoing(settings) as outgoing:
        runner = tasks.Runner(means(database, settings, outgoing))
        await asyncio.gather(runner.sweep(), runner.sweep())
        await runner.close()
    await database.close()
    (run,) = await talk.runs()
    return run


@pytest.mark.parametrize("attempt", KILLS)
@pytest.mark.parametrize("where", OUTSIDE)
async def test_a_receiver_that_honours_the_key_acts_once(
    talk: Talk,
    database: Database,
    receiver: Receiver,
    task_settings: Settings,
    where: str,
    attempt: int,
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver, repeatable=True))
    await kill(talk, task_settings, where)
    run = await sweep_later(talk, task_settings)
    assert run.state is RunState.COMPLETED
    assert receiver.effects == {run.id: 1}
    assert len(receiver.requests) <= 2


@pytest.mark.parametrize("attempt", KILLS)
@pytest.mark.parametrize("where", OUTSIDE)
async def test_a_receiver_that_does_not_is_asked_at_most_once(
    talk: Talk,
    database: Database,
    receiver: Receiver,
    task_settings: Settings,
    where: str,
    attempt: int,
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    await kill(talk, task_settings, where)
    run = await sweep_later(talk, task_settings)
    surely = where in {"tasks.confirmed", "tasks.finished"}
    assert run.state is (RunState.COMPLETED if surely else RunState.FAILED)
    assert run.error == ("" if surely else UNKNOWN_OUTCOME)
    assert len(receiver.requests) == (0 if where == "tasks.claimed" else 1)


@pytest.mark.parametrize("attempt", KILLS)
@pytest.mark.parametrize("where", ["tasks.confirmed", "tasks.inside"])
async def test_what_is_done_with_its_record_is_done_once(
    talk: Talk, database: Database, task_settings: Settings, where: str, attempt: int
) -> None:
    tasks.register(EFFECT_KIND)
    async with database.system() as session:
        await session.execute(text(CREATE_EFFECTS))
    await new_task(database, talk.scope.team_id, {}, kind="effect")
    await kill(talk, task_settings, where)
    run = await sweep_later(talk, task_settings)
    assert run.state is RunState.COMPLETED
    async with database.system() as session:
        rows: list[Any] = list(await session.scalars(text("SELECT run_id FROM effects")))
    assert rows == [run.id]
