"""The close and the charging are killed at every place, by the process, and gone on with by two
workers at once: one invoice a month, every entry on one, every invoice paid once (UI6, UI8).

OFFHOOK_KILLS kills per place; each is a month of its own, with late units and one taken back.
"""

import asyncio
import json
import os
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from close_and_die import rent
from invoice_desk import Desk, audit, close, invoices, late_call, price_list, use, utc
from sqlalchemy import func, select
from usage_desk import Clock, hire

import programs
from offhook import billing, failpoints
from offhook.billing import CardInput, HoldState, TestGateway, collecting
from offhook.billing.totals import InvoiceState
from offhook.db import Database, EventRow
from offhook.prices import Money

pytestmark = [pytest.mark.kills, pytest.mark.timeout(3600)]
KILLS = int(os.environ.get("OFFHOOK_KILLS", "1"))
PROGRAM = Path(__file__).with_name("close_and_die.py")
CLOSE = ["locked", "rated", "numbered", "first_line", "lines", "written", "committed"]
CHARGE = ["locked", "answered", "written", "committed"]
PLACES = [
    *(("close", f"close.{place}") for place in CLOSE),
    ("close", "anywhere"),
    *(("collect", f"charge.{place}") for place in CHARGE),
    ("collect", "anywhere"),
]
BUSY_EVERY = 7  # months whose minutes go beyond the free ones


@dataclass
class World:
    desk: Desk
    clock: Clock
    gateway: TestGateway

    async def kill(self, what: str, place: str, seed: int) -> None:
        at = self.clock.instant.isoformat()
        given = {"at": at, "what": what, "place": place, "seed": seed}
        worker = await programs.start(PROGRAM, self.desk.database.url, json.dumps(given))
        status = await worker.wait()
        has_ended = status == 0 and place == "anywhere"
        assert status == failpoints.EXIT_STATUS or has_ended, f"{place} was not reached"

    async def finish(self, what: str) -> None:
        """Two workers at once do what was left."""
        if what == "close":
            await asyncio.gather(close(self.desk), close(self.desk))
        else:
            go_on = (collecting.collect_due(self.desk.database, self.gateway) for _ in range(2))
            await asyncio.gather(*go_on)

    async def month(self, name: str, last: str | None) -> None:
        """Some usage, something late, something taken back; then its close is due."""
        is_busy = len(await invoices(self.desk)) % BUSY_EVERY == 0
        await use(self.desk, "num_a", minutes=62 if is_busy else 1, messages=2, tag=name)
        if last is not None:
            await late_call(self.desk, "num_a", f"late_{name}", self.clock.instant - DAY * 20)
            await self.desk.give_back(f"msg_{last}_0")
        self.clock.instant = following(self.clock.instant) + timedelta(days=3)

    async def check(self, months: int) -> None:
        made = await invoices(self.desk)
        assert len(made) == months
        assert {each.state for each in made} <= {InvoiceState.PAID, InvoiceState.OPEN}
        async with self.desk.database.system() as session:
            assert await billing.audit(session) == []

    async def check_money(self) -> None:
        """By the gateway's own log: every invoice was paid once, by its amount."""
        made = await invoices(self.desk)
        orders = await self.gateway.orders()
        taken = Counter(each.key.split("/")[0] for each in orders)
        assert taken == Counter(each.id for each in made)
        assert all(each.state is HoldState.CAPTURED for each in orders)
        assert sum((each.money for each in orders), Money(0)) == sum(
            (each.due for each in made), Money(0)
        )
        assert {each.state for each in made} == {InvoiceState.PAID}
        async with self.desk.database.system() as session:
            told = await session.scalar(
                select(func.count()).where(EventRow.name == "invoice.finalized")
            )
        assert told == len(made)


DAY = timedelta(days=1)


def following(at: datetime) -> datetime:
    """The first instant of the next month, UTC."""
    return (at.replace(day=1) + 32 * DAY).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
async def world(
    clocked: Database,
    clock: Clock,
    gateway: TestGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.setattr(import_module("offhook.billing.rents"), "_sources", [rent])
    clock.instant = utc("2021-02-10T12:00")
    desk = await hire(clocked)
    await price_list(clocked, minute="0.0137", message="0.0079")
    await desk.number("num_a")
    async with clocked.team(desk.team) as session:
        given = CardInput("4242424242424242", 12, 2099, "123")
        await billing.add_card(session, gateway, desk.team, given)
    return World(desk, clock, gateway)


async def test_killed_anywhere_a_month_has_one_invoice_and_is_paid_once(world: World) -> None:
    last: str | None = None
    months = 0
    for round_ in range(KILLS):
        for what, place in PLACES:
            name = f"{place}_{round_}_{what}"
            await world.month(name, last)
            last, months = name, months + 1
            if what == "collect":
                await world.finish("close")
            await world.kill(what, place, months)
            await world.finish(what)
            await world.check(months)
            await world.finish("collect")
            world.clock.instant += DAY
        await world.check_money()
        assert await audit(world.desk) == []
