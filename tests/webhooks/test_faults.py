"""Receivers that misbehave: each is one failed attempt and delays no other (W8, W9)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from hook_receiver import Handler, Request, answer, receiver
from webhook_desk import Desk

from offhook.db import Database, Session, engine
from offhook.webhooks import endpoints, rules
from offhook.webhooks.dispatcher import Dispatcher
from offhook.webhooks.models import Delivery, Endpoint
from offhook.webhooks.rules import DeliveryState

TOTAL_S = 2.0


async def silent(_: Request, writer: asyncio.StreamWriter) -> None:
    """Takes the request and never answers."""
    await asyncio.sleep(30)


async def slow_head(_: Request, writer: asyncio.StreamWriter) -> None:
    """Answers a byte at a time, for ever within the head."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Filler: " + b"x" * 60:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.5)


async def slow_body(_: Request, writer: asyncio.StreamWriter) -> None:
    """Answers 200 at once and then a byte at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")
    for _count in range(60):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.5)


async def reset(_: Request, writer: asyncio.StreamWriter) -> None:
    """Breaks the connection off."""
    writer.transport.abort()


async def rubbish(_: Request, writer: asyncio.StreamWriter) -> None:
    """Answers no HTTP."""
    writer.write(b"\x00\xffnonsense\r\n\r\n")


@pytest.mark.parametrize("handler", [silent, slow_head, slow_body, reset, rubbish])
async def test_it_is_a_failed_attempt_within_its_time_w8(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, handler: Handler
) -> None:
    monkeypatch.setattr(rules, "TOTAL_S", TOTAL_S)
    async with receiver(handler) as there:
        await desk.endpoint(there.url)
        await desk.bake()
        async with asyncio.timeout(25):  # before the other side would have come to its end
            await desk.dispatcher.run_due()
    (delivery,) = await desk.deliveries()
    assert (delivery.state, delivery.tries) == (DeliveryState.PENDING, 1)
    (attempt,) = await desk.attempts()
    assert attempt.status is None
    assert "127.0.0.1" in attempt.error


async def test_an_endless_answer_is_read_for_64_kilobytes_w8(desk: Desk) -> None:
    sent = 0

    async def endless(_: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(ConnectionError):
            for _count in range(20_000):
                writer.write(b"x" * 4096)
                await writer.drain()
                sent += 4096

    async with receiver(endless) as there:
        await desk.endpoint(there.url)
        await desk.bake()
        await desk.dispatcher.run_due()
    (delivery,) = await desk.deliveries()
    assert delivery.state is DeliveryState.DELIVERED
    assert sent < 20_000 * 4096
    (attempt,) = await desk.attempts()
    assert attempt.answer == "x" * rules.ANSWER_KEPT


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_w8(desk: Desk, status: int) -> None:
    async with receiver() as inside, receiver() as there:
        there.answers = [answer(status, b"", f"location: {inside.url}")]
        await desk.endpoint(there.url)
        await desk.bake()
        await desk.dispatcher.run_due()
        assert inside.requests == []
    (delivery,) = await desk.deliveries()
    assert (delivery.state, delivery.last_status) == (DeliveryState.PENDING, status)


async def test_a_private_address_is_not_asked_sec24(desk: Desk) -> None:
    await desk.endpoint("https://10.255.255.1/hooks")
    await desk.bake()
    await desk.dispatcher.run_due()
    (attempt,) = await desk.attempts()
    assert "no public address" in attempt.error


async def test_bad_endpoints_delay_no_other_w9(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "TOTAL_S", 120.0)
    async with receiver(silent) as hanging, receiver(slow_head) as slow, receiver() as good:
        for bad in (hanging, slow):
            for _ in range(5):
                await desk.endpoint(bad.url)
        _, secret = await desk.endpoint(good.url)
        running = asyncio.create_task(desk.dispatcher.run())
        try:
            await desk.bake(20)
            async with asyncio.timeout(25):  # before the others come to their end
                await good.wait_for(20)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        assert len({request.id for request in good.received(secret)}) == 20
        assert hanging.most_at_once <= 5 * rules.AT_ONCE


async def test_a_stopped_dispatcher_gives_back_what_it_had_not_sent(desk: Desk) -> None:
    async with receiver(silent, answer(204)) as there:
        await desk.endpoint(there.url)
        await desk.bake()
        running = asyncio.create_task(desk.dispatcher.run())
        await there.wait_for(1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        (delivery,) = await desk.deliveries()
        assert (delivery.state, delivery.lease) == (DeliveryState.PENDING, None)
        await desk.dispatcher.run_due()
        assert len(there.requests) == 2
    (delivery,) = await desk.deliveries()
    assert delivery.state is DeliveryState.DELIVERED


async def test_an_event_wakes_the_dispatcher_at_once(desk: Desk) -> None:
    async with receiver() as there:
        await desk.endpoint(there.url)
        running = asyncio.create_task(desk.dispatcher.run())
        try:
            for count in range(1, 4):
                await desk.bake()
                await there.wait_for(count)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    assert {row.state for row in await desk.deliveries()} == {DeliveryState.DELIVERED}


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - the dispatcher tells nobody what it has done
            await asyncio.sleep(0.02)


async def test_a_result_that_cannot_be_recorded_ends_no_other_delivery_w9(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What hears of an endpoint that was switched off may fail: for that endpoint alone."""

    async def refuse(_: Session, endpoint: Endpoint) -> None:
        raise LookupError(endpoint.id)

    monkeypatch.setattr(endpoints, "_switched_off", [refuse])
    async with receiver(answer(410, b"")) as gone, receiver() as fine:
        await desk.endpoint(gone.url)
        await desk.endpoint(fine.url)
        work = asyncio.create_task(desk.dispatcher.run())
        for count in (1, 2):
            await desk.bake()
            await until(lambda count=count: len(gone.requests) == len(fine.requests) == count)
        delivered: list[Delivery] = []
        while len(delivered) < 2 and not work.done():
            delivered = [each for each in await desk.deliveries() if each.ended_at is not None]
        assert {each.state for each in delivered} == {DeliveryState.DELIVERED}
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_it_goes_on_when_no_connection_became_free(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "TURN_S", 0.2)
    few = Database(desk.database.url, pool_size=1)
    async with receiver() as there:
        await desk.endpoint(there.url)
        work = asyncio.create_task(Dispatcher(few, desk.vault, desk.outgoing).run())
        async with few.system(), few.system():
            await until(lambda: "no connection became free" in caplog.text or work.done())
        await desk.bake()
        await until(lambda: len(there.requests) == 1 or work.done())
        assert not work.done()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    await few.close()
