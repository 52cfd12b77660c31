"""`offhook listen` against a real server: deliveries reach a machine that nobody can reach."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from hook_receiver import answer, receiver
from webhook_desk import Clock, Desk

from offhook.db import Busy, Database
from offhook.web import server
from offhook.webhooks import endpoints, jobs, listener, listening
from offhook.webhooks.endpoints import Wish
from offhook.webhooks.listener import ListenRefused, Wanted
from offhook.webhooks.rules import DeliveryState, EndpointKind
from web_fixtures import Person, Site


@pytest.fixture
async def address(site: Site, desk: Desk, owner: Person) -> AsyncIterator[str]:
    """A server of the owner's team, without its pages' assets."""
    site.app.state.vault = desk.vault
    desk.team = owner.team_id
    running = server(site.app, host="127.0.0.1", port=0, log_level="warning")
    task = asyncio.create_task(running.serve())
    await running.up.wait()
    port = running.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    running.stop()
    await task


class Said:
    """What the program prints."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = asyncio.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self._more.set()

    async def until(self, text: str) -> str:
        async with asyncio.timeout(30):
            while True:
                for line in self.lines:
                    if text in line:
                        return line
                self._more.clear()
                await self._more.wait()


async def test_deliveries_are_printed_passed_on_and_recorded(
    site: Site, desk: Desk, owner: Person, address: str
) -> None:
    said, key = Said(), await site.key(owner)
    async with receiver(answer(204), answer(500, b"no")) as local:
        wanted = Wanted(["bread.baked"], with_text=False, forward=local.url, brief=False)
        program = asyncio.create_task(listener.listen(address, key, wanted, said))
        secret = (await said.until("Signing secret")).split(": ")[1]
        (event,) = await desk.bake()
        assert event.id in await said.until("→ 204")
        assert '"loaves": 0' in await said.until('"type": "bread.baked"')
        await desk.bake()
        await said.until("→ 500")
        assert next(each.id for each in local.received(secret)) == event.id
        async with asyncio.timeout(30):
            while len(await desk.attempts()) < 2:  # noqa: ASYNC110 - the server writes them
                await asyncio.sleep(0.1)
        states = [(row.state, row.last_status) for row in await desk.deliveries()]
        assert states == [(DeliveryState.DELIVERED, 204), (DeliveryState.PENDING, 500)]
        program.cancel()
        with suppress(asyncio.CancelledError):
            await program
    async with desk.database.team(desk.team) as session:
        assert await endpoints.listed(session, desk.team) == []


async def test_an_installation_that_is_busy_is_told_the_results_again(
    site: Site, desk: Desk, owner: Person, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    report = listening.report

    async def busy_at_first(*given: Any) -> None:
        told.append(len(told))
        if len(told) == 1:
            raise Busy("no connection became free")
        await report(*given)

    monkeypatch.setattr(listening, "report", busy_at_first)
    monkeypatch.setattr(listener, "AGAIN_S", 0.05)
    said, key = Said(), await site.key(owner)
    wanted = Wanted(["bread.baked"], with_text=False, forward="", brief=True)
    program = asyncio.create_task(listener.listen(address, key, wanted, said))
    await said.until("Signing secret")
    await desk.bake()
    async with asyncio.timeout(30):
        while not program.done() and not await desk.attempts():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    assert [row.state for row in await desk.deliveries()] == [DeliveryState.DELIVERED]
    program.cancel()
    with suppress(asyncio.CancelledError):
        await program


async def test_a_key_that_is_not_known_is_refused_in_words(address: str) -> None:
    wanted = Wanted(["*"], with_text=False, forward="", brief=True)
    with pytest.raises(ListenRefused, match="not known"):
        await listener.listen(address, "ohk_wrong", wanted, print)


async def test_an_event_that_there_is_not_is_refused_in_words(
    site: Site, owner: Person, address: str
) -> None:
    wanted = Wanted(["no.such"], with_text=False, forward="", brief=True)
    with pytest.raises(ListenRefused, match=r"no\.such"):
        await listener.listen(address, await site.key(owner), wanted, print)


async def test_no_dispatcher_sends_what_a_listener_asks_for(desk: Desk) -> None:
    async with desk.database.team(desk.team) as session:
        row, _ = await listening.add(session, desk.vault, desk.team, "", Wish(""))
        assert row.kind is EndpointKind.LISTENER
    await desk.bake()
    await desk.dispatcher.run_due()
    assert await desk.attempts() == []
    (handed,) = await listening.hand_out(desk.database, desk.vault, desk.team, row.id)
    assert handed.headers["webhook-id"] == handed.claimed.event_id
    assert await listening.hand_out(desk.database, desk.vault, desk.team, row.id) == []


async def test_a_listener_that_went_away_is_removed(
    clocked_desk: Desk, clocked: Database, clock: Clock
) -> None:
    desk = clocked_desk
    async with clocked.team(desk.team) as session:
        await listening.add(session, desk.vault, desk.team, "", Wish(""))
    await jobs.forget_old(clocked)
    async with clocked.team(desk.team) as session:
        assert len(await endpoints.listed(session, desk.team)) == 1
    clock.advance(minutes=16)
    await jobs.forget_old(clocked)
    async with clocked.team(desk.team) as session:
        assert await endpoints.listed(session, desk.team) == []
