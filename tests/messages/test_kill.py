"""kill -9 at every step of an SMS turn: nothing lost, nothing doubled (faults.md, matrix a).

A worker process ends with 137 at the named fail point; another one takes over. The simulated
carrier's log says what was sent, the ledger what was counted.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import programs
from message_fixtures import ANN, Shop
from offhook.failpoints import ENVIRONMENT
from offhook.messages.jobs import reconcile
from offhook.messages.rules import State

WORKER = Path(__file__).parent / "worker.py"
pytestmark = pytest.mark.kills
KILLED = 137


async def start(shop: Shop, *what: str, dies_at: str = "") -> programs.Program:
    environment = {ENVIRONMENT: f"{dies_at}:1"} if dies_at else {}
    home = shop.settings.home
    return await programs.start(
        WORKER, shop.database.url, shop.simulator.url, home, *what, **environment
    )


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():  # noqa: ASYNC110 - another process works; it sends no event here
            await asyncio.sleep(0.05)


async def replied(shop: Shop) -> bool:
    """Answered as far as we know, and nothing is under way."""
    rows = await shop.messages()
    return len(rows) > 1 and all(
        row.state in {State.RECEIVED, State.SENT, State.DELIVERED, State.SENDING}
        and (row.carrier_id is not None)
        for row in rows
    )


@pytest.mark.parametrize(
    "step",
    [
        "messages.started",  # a3: the job is claimed
        "messages.reserved",  # a4: the unit is held, the model is asked
        "messages.thinking",  # a4: in the middle of its answer
        "messages.thought",  # a5: answered, not committed
        "messages.written",  # a6: reply and unit committed, not posted
        "messages.claimed",  # a6: about to be posted
        "messages.posted",  # a7: posted, the carrier's id not stored
        "messages.sent",  # a8: all is stored
    ],
)
async def test_a_worker_killed_at_any_step_leaves_exactly_one_reply(shop: Shop, step: str) -> None:
    """Faults a3 to a8: one reply, two units."""
    await shop.text(ANN, "Open on Sunday?")
    dying = await start(shop, "run", dies_at=step)
    assert await asyncio.wait_for(dying.wait(), 30) == KILLED
    taking_over = await start(shop, "run")
    try:
        await until(lambda: replied(shop), 30)
        await shop.text(ANN, "Thanks")  # goes through the same thread, so the first is done
        await until(lambda: sent(shop, 2), 30)
    finally:
        taking_over.terminate()
        await taking_over.wait()
    assert await shop.sent_to(ANN) == ["Re: Open on Sunday?", "Re: Thanks"]
    assert await shop.used() == (4, 0)
    assert [who for who, _, _ in await shop.said(ANN)] == ["caller", "agent"] * 2


async def sent(shop: Shop, count: int) -> bool:
    return len(await shop.sent_to(ANN)) >= count and await replied(shop)


def told(shop: Shop, sid: str) -> str:
    return json.dumps({"sid": sid, "from": ANN, "to": shop.e164, "body": "hello"})


@pytest.mark.parametrize("step", ["messages.received", "messages.stored"])
async def test_a_callback_killed_before_its_answer_is_one_text_when_repeated(
    shop: Shop, step: str
) -> None:
    """Faults a1, a2: the carrier repeats what was not answered."""
    sid = f"SM{uuid.uuid4().hex}"
    dying = await start(shop, "receive", told(shop, sid), dies_at=step)
    assert await asyncio.wait_for(dying.wait(), 30) == KILLED
    assert len(await shop.messages()) == (0 if step == "messages.received" else 1)
    again = await start(shop, "receive", told(shop, sid))
    assert await again.wait() == 0
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: hello"]
    assert await shop.used() == (2, 0)


async def test_a_text_whose_callback_never_came_is_found_in_the_carriers_list(
    shop: Shop,
) -> None:
    """Faults a1: one inbound, one reply, however often the lists are compared."""
    await shop.simulator.messages.receive(sender=ANN, to=shop.e164, body="anybody there?")
    for _ in range(2):
        await reconcile(shop.settings, shop.database, shop.carriers)
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: anybody there?"]
    assert await shop.used() == (2, 0)


async def test_an_answer_of_the_carrier_that_got_lost_is_looked_up_not_repeated(
    shop: Shop,
) -> None:
    """Faults a7: the carrier took the text, its answer did not arrive."""
    from offhook.carriers.simulator.faults import Fault

    shop.simulator.faults.ask(Fault("request", path="POST Messages.json", lose_answer=True))
    await shop.text(ANN, "hello")
    worker = await start(shop, "run")
    try:
        await until(lambda: replied(shop), 40)
    finally:
        worker.terminate()
        await worker.wait()
    assert await shop.sent_to(ANN) == ["Re: hello"]
    assert await shop.used() == (2, 0)
