"""Faults (b): the worker that buys is killed at every place, with each gateway, and resumed.

The end is {1 number, 1 charge} or {none, none} by the carrier's and the gateway's own logs.
OFFHOOK_KILLS kills per place; `sent` dies in the middle of the call, at a time by seeded dice.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import func, select
from stripe_server import StandIn
from stripe_server import running as stripe_running

import programs
from number_fixtures import CALLBACKS, add_asking_card, add_card, answer, make_team
from offhook import billing, failpoints
from offhook.billing import HoldState, TestGateway, cards, customers
from offhook.billing.models import Charge
from offhook.carriers import Carrier, Unreachable
from offhook.carriers.simulator.faults import Fault
from offhook.carriers.simulator.server import Simulator
from offhook.db import Database, EventRow
from offhook.numbers import NumberStatus, jobs, purchasing
from offhook.numbers.models import Number, Purchase
from offhook.numbers.purchasing import Shop
from offhook.numbers.saga import PurchaseState
from offhook.settings import Settings, load
from purchases import ordered

pytestmark = [pytest.mark.kills, pytest.mark.timeout(3600)]
KILLS = int(os.environ.get("OFFHOOK_KILLS", "1"))
PROGRAM = Path(__file__).with_name("buy_and_die.py")
CURRENT = Number.released_at.is_(None)
GOOD, ASKS = "4242424242424242", "4000000000003220"


def places(*commands: str) -> list[str]:
    return [f"purchase.{c}.{where}" for c in commands for where in ("sent", "done", "stored")]


INSIDE = ["purchase.record.done", "purchase.record.stored"]
FORWARD = [
    "purchase.order.stored",
    *places("authorise", "buy"),
    *INSIDE,
    *places("configure", "capture"),
]
ASKED = places("authorise", "look", "buy")
ASKING = ("authorise", "look", "capture", "void")
BACK = ["purchase.configure.stored", *places("release", "void")]


@dataclass
class World:
    """Everything outside a worker: the database, the carrier, the gateway."""

    shop: Shop
    simulator: Simulator
    stripe: StandIn | None
    environment: dict[str, str]
    team: str = ""

    async def kill(self, made: Purchase, place: str, seed: int) -> None:
        """A worker carries the purchase out and dies at `place`."""
        given = {
            "url": self.shop.database.url,
            "carrier_url": self.simulator.url,
            "team": self.team,
            "purchase": made.id,
            "place": place,
            "seed": seed,
        }
        worker = await programs.start(PROGRAM, json.dumps(given), **self.environment)
        status = await worker.wait()
        assert status == failpoints.EXIT_STATUS, f"{place} was not reached"

    async def resume(self, made: Purchase) -> PurchaseState:
        """Another worker goes on; the card's owner approves when asked. As a job is, it is tried
        again when the carrier did not answer: a connection that was kept may have been closed.
        """
        while True:
            try:
                state = await purchasing.carry_out(self.shop, self.team, made.id)
            except Unreachable:
                continue
            if state is None:  # the database has yet to notice that the dead worker is gone
                await asyncio.sleep(0.01)
            elif state.final:
                return state
            else:
                await self.approve(made)

    async def approve(self, made: Purchase) -> None:
        found = await self.shop.gateway.find(made.id, customer=await self.customer())
        assert found is not None
        if self.stripe is None:
            await answer(cast("TestGateway", self.shop.gateway), found, approve=True)
        elif found.action is not None:
            self.stripe.answer(found.action.client_secret, approve=True)

    async def customer(self) -> str:
        async with self.shop.database.team(self.team) as session:
            return await customers.of_team(session, self.shop.gateway, self.team)

    async def orders(self) -> Counter[tuple[str, str]]:
        """The gateway's own log of the team: how often there is an order with this key, in this
        state.
        """
        customer = await self.customer()
        if self.stripe is None:
            gateway = cast("TestGateway", self.shop.gateway)
            theirs = [each for each in await gateway.orders() if each.customer == customer]
            return Counter((each.key, str(each.state)) for each in theirs)
        found: Counter[tuple[str, str]] = Counter()
        for each in self.stripe.of_kind("payment_intent"):
            if each["customer"] == customer:
                key = each["metadata"]["offhook_key"]
                hold = await self.shop.gateway.find(key, customer=customer)
                assert hold is not None
                found[key, str(hold.state)] += 1
        return found

    async def audit(self) -> None:
        """Every purchase of the team: wholly bought or wholly undone."""
        async with self.shop.database.team(self.team) as session:
            rows = (await session.scalars(select(Purchase))).all()
            numbers = {each.purchase_id: each for each in await session.scalars(select(Number))}
            current = {each.purchase_id for each in numbers.values() if each.released_at is None}
            charges = {each.key: each.state for each in await session.scalars(select(Charge))}
            told = await session.scalar(
                select(func.count()).where(EventRow.name == "number.purchased")
            )
        bought = {each.id for each in rows if each.state == PurchaseState.COMPLETED}
        held = await self.shop.carrier.list_numbers()
        assert Counter(each.order_tag for each in held) == Counter(current)
        assert {each.callbacks for each in held} <= {CALLBACKS}
        assert numbers.keys() == bought
        assert all(each.held_since is not None for each in numbers.values())
        assert told == len(bought)
        log = await self.simulator.log()
        sold = Counter(each.data["name"] for each in log if each.event == "number_bought")
        assert set(sold.values()) == {1}  # never ordered twice
        orders = await self.orders()
        assert {key for key, state in orders if state == HoldState.CAPTURED} == bought
        assert set(orders.values()) == {1}
        for each in rows:
            undone = {HoldState.VOIDED, HoldState.DECLINED}
            states = {state for key, state in orders if key == each.id}
            assert each.state in {PurchaseState.COMPLETED, PurchaseState.FAILED}
            if each.id not in bought:
                assert states <= undone
                assert charges.get(each.id, HoldState.VOIDED) in undone
            else:
                assert charges[each.id] == HoldState.CAPTURED

    async def add_card(self, number: str) -> None:
        database, team = self.shop.database, self.team
        if self.stripe is None:
            gateway = cast("TestGateway", self.shop.gateway)
            await (add_asking_card if number == ASKS else add_card)(database, gateway, team)
            return
        async with database.team(team) as session:
            setup = await cards.begin(session, self.shop.gateway, team)
        assert setup.action is not None
        self.stripe.give_card(setup.action.client_secret, number)
        self.stripe.answer(setup.action.client_secret, approve=True)
        async with database.team(team) as session:
            await cards.finish(session, self.shop.gateway, team, setup.id)

    async def every(
        self, wanted: list[str], card: str, one: Callable[[str, int], Awaitable[None]]
    ) -> None:
        """`one(place, seed)` for each place, KILLS times. Each round is a team's of its own, with
        this card, and is audited at its end: to look at all that ever was would take ever longer.

        Once each, Stripe's client is killed only where the gateway is asked.
        """
        if self.stripe is not None and KILLS == 1:
            wanted = [each for each in wanted if each.split(".")[1] in ASKING]
        for turn in range(KILLS):
            self.team = await make_team(self.shop.database, "Bakery")
            await self.add_card(card)
            for index, place in enumerate(wanted):
                await one(place, turn * len(wanted) + index)
            await self.audit()
            await self.give_back()

    async def give_back(self) -> None:
        """The numbers return to the carrier, whose store is not endless."""
        async with self.shop.database.team(self.team) as session:
            held = (await session.scalars(select(Number).where(CURRENT))).all()
            for each in held:
                each.status = NumberStatus.RELEASING
        for each in held:
            await jobs.give_back(self.shop, self.team, each.id)


@asynccontextmanager
async def no_stripe() -> AsyncGenerator[None]:
    yield None


@pytest.fixture(params=["test", "stripe"])
async def world(
    request: pytest.FixtureRequest,
    database: Database,
    carrier: Carrier,
    simulator: Simulator,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    async with stripe_running() if request.param == "stripe" else no_stripe() as stripe:
        environment = {"OFFHOOK_HOME": str(settings.home_path)}
        environment |= stripe.environment() if stripe else {}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        load.cache_clear()
        gateway = billing.open_gateway(load(), database.url)
        shop = Shop(database, carrier, gateway, CALLBACKS)
        yield World(shop, simulator, stripe, environment)
        await gateway.aclose()
    load.cache_clear()


async def test_killed_at_any_place_and_resumed_it_is_wholly_bought_faults_b(
    world: World,
) -> None:
    async def one(place: str, seed: int) -> None:
        made = await ordered(world.shop, world.team, f"k{seed}")
        await world.kill(made, place, seed)
        assert await world.resume(made) is PurchaseState.COMPLETED, (place, seed)

    await world.every(FORWARD, GOOD, one)


async def test_killed_around_the_owners_authentication_it_is_wholly_bought_faults_b(
    world: World,
) -> None:
    async def one(place: str, seed: int) -> None:
        made = await ordered(world.shop, world.team, f"k{seed}")
        if "authorise" not in place:
            waits = await purchasing.carry_out(world.shop, world.team, made.id)
            assert waits is PurchaseState.AUTHENTICATING
            await world.approve(made)
        await world.kill(made, place, seed)
        assert await world.resume(made) is PurchaseState.COMPLETED, (place, seed)

    await world.every(ASKED, ASKS, one)


async def test_killed_on_the_way_back_and_resumed_it_is_wholly_undone_faults_b(
    world: World,
) -> None:
    async def one(place: str, seed: int) -> None:
        made = await ordered(world.shop, world.team, f"k{seed}")
        while (await _step(world, made)) is not PurchaseState.RECORDED:
            pass
        # The carrier refuses the number's callbacks: it goes back, and the money too.
        world.simulator.faults.ask(Fault("request", path="POST .json", status=400, code=21402))
        await world.kill(made, place, seed)
        assert await world.resume(made) is PurchaseState.FAILED, (place, seed)

    await world.every(BACK, GOOD, one)


async def _step(world: World, made: Purchase) -> PurchaseState:
    taken = await purchasing.step(world.shop, world.team, made.id)
    assert taken is not None
    return taken.state
