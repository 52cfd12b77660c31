"""Faults (d): a dispatcher is killed at every step of a delivery, and another goes on.

Every event arrives, twice only where the receiver's 2xx was not recorded and then with the same id,
and the place in the schedule is kept. OFFHOOK_KILLS kills per step.
"""

import asyncio
import os
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hook_receiver import Request, answer, receiver
from webhook_desk import Desk

import programs
from offhook.db import Database
from offhook.failpoints import ENVIRONMENT, EXIT_STATUS
from offhook.webhooks import rules
from offhook.webhooks.dispatcher import Dispatcher
from offhook.webhooks.rules import DeliveryState

KILLS = int(os.environ.get("OFFHOOK_KILLS", "1"))
WORKER = Path(__file__).with_name("deliver_and_die.py")
LATER = {"webhooks.answered", "webhooks.recorded"}
STEPS = ("webhooks.due", "webhooks.claimed", "webhooks.answered", "webhooks.recorded")
pytestmark = pytest.mark.kills


async def start(desk: Desk, point: str = "") -> programs.Program:
    """A dispatcher that dies at a fail point, or is killed while it works."""
    given = {ENVIRONMENT: point} if point else {}
    home = str(desk.settings.home_path)
    return await programs.start(WORKER, desk.database.url, home, **given)


async def go_on(desk: Desk) -> None:
    """Another dispatcher, a lease and a first retry later."""
    ahead = rules.LEASE + timedelta(seconds=10)
    later = Database(desk.database.url, clock=lambda: datetime.now(UTC) + ahead)
    await Dispatcher(later, desk.vault, desk.outgoing).run_due()
    await later.close()


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_every_event_arrives_faults_d(desk: Desk, step: str) -> None:
    async with receiver() as there:
        _, secret = await desk.endpoint(there.url)
        for kill in range(1, KILLS + 1):
            there.requests.clear()
            events = {row.id for row in await desk.bake(3)}
            nth = 1 + kill % 2 if step in LATER else 1
            mortal = await start(desk, f"{step}:{nth}")
            if nth > 1:  # a second passage needs a second round
                await there.wait_for(1)
                events |= {row.id for row in await desk.bake(1)}
            assert await mortal.wait() == EXIT_STATUS
            recorded = events & {row.event_id for row in await desk.deliveries() if row.ended_at}
            assert bool(recorded) == (step == "webhooks.recorded" or nth > 1)
            await go_on(desk)
            told = Counter(request.id for request in there.received(secret))
            assert set(told) == events
            assert {told[event] for event in recorded} <= {1}
            assert max(told.values()) <= (2 if step in LATER else 1)
        assert {row.state for row in await desk.deliveries()} == {DeliveryState.DELIVERED}


async def test_killed_while_the_receiver_works_it_is_sent_again_with_its_id_faults_d(
    desk: Desk,
) -> None:
    async with receiver() as there:
        _, secret = await desk.endpoint(there.url)
        for _ in range(KILLS):
            mortal = await start(desk)

            async def kill(_: Request, writer: asyncio.StreamWriter) -> None:
                mortal.kill()  # noqa: B023 - the process of this round

            there.requests.clear()
            there.answers = [kill, answer(204)]
            (event,) = await desk.bake()
            assert await mortal.wait() == -signal.SIGKILL
            await go_on(desk)
            assert [request.id for request in there.received(secret)] == [event.id] * 2
            assert len({request.body for request in there.requests}) == 1


async def test_killed_between_retries_the_place_in_the_schedule_is_kept_faults_d(
    desk: Desk,
) -> None:
    async with receiver(answer(500), answer(500), answer(204)) as there:
        await desk.endpoint(there.url)
        await desk.bake()
        mortal = await start(desk, "webhooks.recorded:1")
        assert await mortal.wait() == EXIT_STATUS
        (delivery,) = await desk.deliveries()
        assert (delivery.tries, delivery.attempts, len(there.requests)) == (1, 1, 1)
        await go_on(desk)
        (delivery,) = await desk.deliveries()
        assert (delivery.tries, delivery.attempts) == (2, 2)
        assert delivery.next_at is not None
        assert delivery.next_at - datetime.now(UTC) > rules.SCHEDULE[2] * 0.8


async def test_a_suspended_dispatcher_wakes_and_does_no_harm_wt5(desk: Desk) -> None:
    async with receiver() as there:
        mortal = await start(desk)

        async def suspend(request: Request, writer: asyncio.StreamWriter) -> None:
            os.kill(mortal.pid, signal.SIGSTOP)
            await answer(500)(request, writer)

        _, secret = await desk.endpoint(there.url)
        there.answers = [suspend, answer(204)]
        (event,) = await desk.bake()
        await there.wait_for(1)
        await go_on(desk)
        os.kill(mortal.pid, signal.SIGCONT)
        async with asyncio.timeout(30):
            while len(await desk.attempts()) < 2:  # noqa: ASYNC110 - another process writes them
                await asyncio.sleep(0.1)
        mortal.kill()
        await mortal.wait()
        assert [request.id for request in there.received(secret)] == [event.id] * 2
    (delivery,) = await desk.deliveries()
    assert (delivery.state, delivery.last_status) == (DeliveryState.DELIVERED, 204)
