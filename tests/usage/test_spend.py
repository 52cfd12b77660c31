"""The spend cap of a team: never over it, never refused within it (held units included)."""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
from httpx import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from usage_desk import Desk, hire

from offhook import usage
from offhook.db import Database, EventRow
from offhook.prices import Direction, Money
from offhook.prices.models import PriceVersion
from offhook.usage import Denied, Granted, Reason, Service, spending
from offhook.usage.models import SpendMonth
from offhook.usage.rating import Rate, Unit
from web_fixtures import Person, Site, new_member

START = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
# Kinds of number with their prices of a minute in, a message in and one out, in micros.
KINDS = {
    "a": ("US", "local", 20_000, 10_000, 10_000),
    "a2": ("US", "mobile", 20_000, 10_000, 10_000),
    "b": ("DE", "toll_free", 110_000, 10_000, 90_000),
    "c": ("GB", "mobile", 13_700, 0, 4_000),  # the operator's own, not in whole cents
}
SMALL = 3  # free units of either service, so that their end is met often


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.usage.rules.FREE_MINUTES", SMALL)
    monkeypatch.setattr("offhook.usage.rules.FREE_MESSAGES", SMALL)


async def number(desk: Desk, name: str) -> str:
    country, number_type = KINDS[name][:2]
    async with desk.database.team(desk.team) as session:
        await usage.open_meter(
            session,
            desk.team,
            number_id=f"{desk.team}-{name}",
            carrier="simulator",
            country=country,
            number_type=number_type,
        )
    return f"{desk.team}-{name}"


async def own_prices(database: Database) -> None:
    """The price of kind `c`, in force before the tests' time."""
    country, number_type, minute, message_in, message_out = KINDS["c"]
    async with database.system() as session:
        session.add(
            PriceVersion(
                carrier="simulator",
                country=country,
                number_type=number_type,
                currency="USD",
                monthly=0,
                minute_inbound=minute,
                minute_outbound=minute,
                message_inbound=message_in,
                message_outbound=message_out,
                valid_from=START - timedelta(days=30),
                created_at=START - timedelta(days=40),
            )
        )


async def cap(desk: Desk, amount: str | None) -> None:
    async with desk.database.team(desk.team) as session:
        await usage.set_cap(session, desk.team, usage.read_cap(amount), by="usr_ada")


async def upper(desk: Desk, amount: str | None) -> None:
    async with desk.database.team(desk.team) as session:
        await usage.set_upper_cap(session, desk.team, usage.read_cap(amount), by="usr_op")


async def charged(desk: Desk) -> Money:
    async with desk.database.team(desk.team) as session:
        return (await usage.spent(session, desk.team)).charged


async def told(desk: Desk) -> list[dict[str, Any]]:
    async with desk.database.team(desk.team) as session:
        rows = await session.scalars(
            select(EventRow)
            .where(EventRow.team_id == desk.team, EventRow.name.like("limit.%"))
            .order_by(EventRow.position)
        )
        return [{"event": row.name, **row.payload} for row in rows]


# --- Pure: the kept lines are exact, or too large, never too small ---

rates = st.sampled_from(
    [Rate(str(m), Direction.INBOUND, m, "USD") for m in (13_700, 20_000, 90_000)]
)
units = st.lists(
    st.tuples(st.integers(0, 40), rates, st.booleans()), max_size=30, unique_by=lambda u: u[0]
)


def unit(minute: int, rate: Rate) -> Unit:
    return Unit(START + timedelta(minutes=minute), f"s{minute:02}", 0, f"n{rate.micros}", rate)


def looked_up(held: list[Unit]) -> spending.Spending:
    return spending.Spending(calls=spending.tallied(Service.CALLS, {}, [], held))


@given(units)
def test_one_unit_more_is_rated_as_the_whole_month_would_be(
    taken: list[tuple[int, Rate, bool]],
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("offhook.usage.rules.FREE_MINUTES", SMALL)
        kept, held, bound = spending.Spending(), list[Unit](), spending.Spending()
        for minute, rate, stays in taken:
            more = unit(minute, rate)
            held.append(more)
            kept = spending.with_unit(kept, Service.CALLS, more) or looked_up(held)
            assert kept.charges == looked_up(held).charges
            assert kept == spending.from_json(spending.to_json(kept))
            bound = spending.with_unit(bound, Service.CALLS, more) or kept
            if not stays:  # given back: the bound does not know it
                held.remove(more)
                kept = looked_up(held)
            assert kept.charges <= bound.charges


@pytest.mark.parametrize(
    "written", ["-1", "0.001", "abc", "NaN", "10000001", "1,5", "Infinity", "1e-30"]
)
def test_a_cap_is_an_amount_of_whole_cents(written: str) -> None:
    with pytest.raises(usage.CapInvalid):
        usage.read_cap(written)


@pytest.mark.parametrize(
    ("written", "cap"),
    [("", None), (None, None), ("0", 0), ("12.50", 12_500_000), ("7", 7_000_000)],
)
def test_an_empty_cap_is_none(written: str | None, cap: int | None) -> None:
    read = usage.read_cap(written)
    assert (None if read is None else read.micros) == cap


# --- On PostgreSQL, beside a tiny model ---


Each = tuple[Service, str, int, datetime]
"""A unit's service, line, price and start."""


@dataclass
class Model:
    """Sets and loops: every unit, held or used, and what they come to."""

    cap: Decimal | None = None
    units: dict[str, Each] = field(default_factory=dict[str, Each])

    def charges(self, more: tuple[str, Each] | None = None) -> Decimal:
        total = Decimal(0)
        every = [*self.units.items(), *([more] if more else [])]
        for service in Service:
            mine = sorted((u[3], key, u[1], u[2]) for key, u in every if u[0] is service)
            lines = Tally((name, micros) for _, _, name, micros in mine[SMALL:])
            for (_, micros), count in lines.items():
                total += round(Decimal(micros * count) / 1_000_000, 2)
        return total

    def take(self, key: str, each: Each) -> bool:
        after = self.charges((key, each))
        if self.cap is not None and after > max(self.cap, self.charges()):
            return False
        self.units[key] = each
        return True


class StandingClock:
    def __init__(self) -> None:
        self.instant = START

    def __call__(self) -> datetime:
        return self.instant


class Spent(RuleBasedStateMachine):
    runner: ClassVar[asyncio.Runner]
    clock: ClassVar[StandingClock]
    database: ClassVar[Database]

    @initialize(first=st.sampled_from(["0", "0.05", "0.30", None]))
    def hire(self, first: str | None) -> None:
        self.clock.instant = START
        self.desk = self.runner.run(hire(self.database))
        self.model, self.live, self.sent = Model(), dict[str, tuple[str, int]](), list[str]()
        self.count = 0
        self.cap(first)
        for name in KINDS:
            self.runner.run(number(self.desk, name))

    @rule(amount=st.sampled_from(["0", "0.02", "0.10", "0.25", "0.50", None]))
    def cap(self, amount: str | None) -> None:
        """Also lower than what is charged already: nothing more that costs is granted."""
        self.runner.run(cap(self.desk, amount))
        self.model.cap = Decimal(amount) if amount is not None else None

    @rule(name=st.sampled_from(list(KINDS)))
    def call(self, name: str) -> None:
        key = f"call-{self._next()}"
        if self._agree(self.desk.reserve(self._id(name), key), Service.CALLS, name, f"{key}/00"):
            self.live[key] = (name, 1)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.live)))
        name, index = self.live[key]
        start = self.model.units[f"{key}/00"][3] + timedelta(minutes=index)
        reserved = self.desk.reserve(self._id(name), key, index)
        if self._agree(reserved, Service.CALLS, name, f"{key}/{index:02}", start):
            self.live[key] = (name, index + 1)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), billed=st.integers(1, 3))
    def end(self, data: st.DataObject, billed: int) -> None:
        """Minutes that were held and not spoken are given back."""
        key = data.draw(st.sampled_from(sorted(self.live)))
        _, held = self.live.pop(key)
        billed = min(billed, held)
        self.runner.run(self.desk.settle(key, billed * 60.0))
        for index in range(billed, held):
            del self.model.units[f"{key}/{index:02}"]

    @rule(name=st.sampled_from(list(KINDS)), out=st.booleans())
    def text(self, name: str, out: bool) -> None:
        key = f"text-{self._next()}"
        direction = Direction.OUTBOUND if out else Direction.INBOUND
        taken = self.desk.take(self._id(name), key, direction)
        price = (f"{name}-{direction}", KINDS[name][4] if out else KINDS[name][3])
        if self._agree(taken, Service.SMS, name, f"{key}/00", price=price) and out:
            self.sent.append(key)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), good=st.booleans(), late=st.booleans())
    def answer(self, data: st.DataObject, good: bool, late: bool) -> None:
        """The carrier took it, refused it, or took it and failed later."""
        key = data.draw(st.sampled_from(self.sent))
        self.sent.remove(key)
        if good or late:
            self.runner.run(self.desk.post(key))
        if not good:
            self.runner.run(self.desk.give_back(key))
            del self.model.units[f"{key}/00"]

    @rule(seconds=st.sampled_from([1, 20, 70]))
    def wait(self, seconds: int) -> None:
        self.clock.instant += timedelta(seconds=seconds)

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            assert self.runner.run(charged(self.desk)) == Money.of(self.model.charges())

    def _agree(
        self,
        asked: Any,
        service: Service,
        name: str,
        key: str,
        start: datetime | None = None,
        price: tuple[str, int] | None = None,
    ) -> bool:
        line, micros = (name, KINDS[name][2]) if price is None else price
        unit = (service, line, micros, start or self.clock.instant)
        expected = self.model.take(key, unit)
        got = self.runner.run(asked)
        assert isinstance(got, Granted) == expected, (key, got, self.model.charges((key, unit)))
        if isinstance(got, Denied):
            assert got.reason is Reason.SPEND_CAP
        return expected

    def _id(self, name: str) -> str:
        return f"{self.desk.team}-{name}"

    def _next(self) -> str:
        self.count += 1
        return f"{self.desk.team}-{self.count:04}"


async def _open(url: str, clock: StandingClock) -> Database:
    return Database(url, pool_size=2, clock=clock)


def test_a_cap_agrees_with_the_model(database_url: str, small: None) -> None:
    with asyncio.Runner() as runner:
        Spent.runner, Spent.clock = runner, StandingClock()
        Spent.database = runner.run(_open(database_url, Spent.clock))
        runner.run(own_prices(Spent.database))
        run_state_machine_as_test(
            Spent,
            settings=settings(
                max_examples=10,
                stateful_step_count=30,
                deadline=None,
                database=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
        runner.run(Spent.database.close())


async def test_of_many_at_once_on_several_numbers_only_as_many_pass_as_the_cap_holds(
    wide: Desk, small: None
) -> None:
    """0.30: three free minutes and 15 at 0.02, or fewer of the dear ones; both services at once."""
    names = [await number(wide, name) for name in ("a", "a2", "b")]
    await cap(wide, "0.30")
    tries = [wide.reserve(names[n % 3], f"call_{n}") for n in range(24)]
    texts = [wide.take(names[n % 3], f"out_{n}", Direction.OUTBOUND) for n in range(24)]
    got = await asyncio.gather(*tries, *texts)
    refused = [each for each in got if isinstance(each, Denied)]
    assert {each.reason for each in refused} == {Reason.SPEND_CAP}
    assert Money.of("0.19") < await charged(wide) <= Money.of("0.30")
    async with wide.database.system() as session:
        assert await usage.audit(session) == []


async def test_a_cap_set_while_everybody_takes_units_misses_none_of_them(
    wide: Desk, small: None
) -> None:
    names = [await number(wide, "a"), await number(wide, "a2")]

    async def take(n: int) -> Granted | Denied:
        return await wide.reserve(names[n % 2], f"call_{n}")

    first = asyncio.gather(*(take(n) for n in range(10)))
    await cap(wide, "0.40")
    second = asyncio.gather(*(take(n) for n in range(10, 40)))
    got = [*await first, *await second]
    assert await charged(wide) == Money.of("0.40")  # the prices divide the cap
    assert sum(isinstance(each, Granted) for each in got) == SMALL + 20


async def test_of_calls_renewed_in_one_round_as_many_go_on_as_the_cap_holds(
    desk: Desk, small: None
) -> None:
    """The first refused leaves room for none; a cheaper one of the same round still fits."""
    a, b = await number(desk, "a"), await number(desk, "b")
    for n, name in enumerate((a, b, b)):
        assert isinstance(await desk.reserve(name, f"call_{n}"), Granted)
    await cap(desk, "0.03")
    renewals = [
        usage.Renewal(desk.team, name, f"call_{n}", 1) for n, name in ((1, b), (0, a), (2, b))
    ]
    async with desk.database.system() as session:
        got = await usage.renew_minutes(session, renewals)
    assert [isinstance(each, Granted) for each in got] == [False, True, False]
    assert await charged(desk) == Money.of("0.02")


async def test_a_raised_or_removed_cap_lets_a_live_call_go_on_at_once(
    desk: Desk, small: None
) -> None:
    a = await number(desk, "a")
    await cap(desk, "0")
    for index in range(SMALL):
        assert isinstance(await desk.reserve(a, "call", index), Granted)
    denied = await desk.reserve(a, "call", SMALL)
    assert denied == Denied(Reason.SPEND_CAP, datetime(2026, 6, 1, tzinfo=UTC))
    await cap(desk, "0.02")
    assert isinstance(await desk.reserve(a, "call", SMALL), Granted)
    assert isinstance(await desk.reserve(a, "call", SMALL + 1), Denied)
    await upper(desk, "0.03")
    await cap(desk, None)
    assert isinstance(await desk.reserve(a, "call", SMALL + 1), Denied)
    await upper(desk, None)
    assert isinstance(await desk.reserve(a, "call", SMALL + 1), Granted)


async def test_a_new_month_and_a_new_number_start_under_the_cap_of_the_team(
    desk: Desk, small: None, set_clock: Callable[[str], None]
) -> None:
    await cap(desk, "0.04")
    a = await number(desk, "a")  # after the cap was set
    for n in range(SMALL + 2):
        assert isinstance(await desk.reserve(a, f"call_{n}"), Granted)
    assert isinstance(await desk.reserve(a, "call_x"), Denied)
    set_clock("2026-06-01T00:00:00Z")
    for n in range(SMALL + 2):
        assert isinstance(await desk.reserve(a, f"june_{n}"), Granted)
    assert isinstance(await desk.reserve(a, "june_x"), Denied)


async def test_each_threshold_is_told_once_per_month_and_cap(desk: Desk, small: None) -> None:
    a = await number(desk, "a")
    await cap(desk, "0.10")
    for n in range(SMALL + 5):
        await desk.call(a, f"call_{n}", 30)
    assert isinstance(await desk.reserve(a, "refused"), Denied)
    assert isinstance(await desk.reserve(a, "refused"), Denied)
    await cap(desk, "0.20")
    await cap(desk, "0.10")
    said = await told(desk)
    assert [(e["event"], e["charged"], e["cap"]) for e in said] == [
        ("limit.warning", "0.08", "0.10"),
        ("limit.reached", "0.10", "0.10"),
    ]
    assert {e["scope"] for e in said} == {"spend_cap"}
    await cap(desk, "0.05")
    assert [e["event"] for e in await told(desk)][2:] == ["limit.warning", "limit.reached"]


async def test_a_team_without_a_cap_has_no_row_to_lock(desk: Desk) -> None:
    a = await number(desk, "a")
    await desk.call(a, "call", 30)
    async with desk.database.system() as session:
        rows = await session.scalars(select(SpendMonth.team_id))
        assert rows.all() == []


# --- Pages and REST ---


async def test_the_owner_sets_the_cap_and_the_operator_an_upper_one(
    site: Site, client: AsyncClient, owner: Person, operator: Person
) -> None:
    path = "/api/v1/usage/spend-cap"
    told = (await client.put(path, json={"amount": "25.00"})).json()
    assert (told["own"]["amount"], told["upper"], told["is_reached"]) == ("25.00", None, False)
    bad = await client.put(path, json={"amount": "-1"})
    assert (bad.status_code, bad.json()["code"]) == (422, "spend_cap_invalid")
    above = f"/api/v1/operator/teams/{owner.team_id}/spend-cap"
    assert (await client.put(above, json={"amount": "1"})).status_code == 403
    async with site.client(operator) as theirs:
        told = (await theirs.put(above, json={"amount": "0"})).json()
        assert (told["effective"]["amount"], told["is_reached"]) == ("0.00", True)
        missing = await theirs.put(above.replace("team_", "tame_"), json={"amount": "1"})
        assert (missing.status_code, missing.json()["code"]) == (404, "team_unknown")
    page = (await client.get("/usage/cap")).text
    assert "The operator of this installation has set $0.00" in page
    assert "Reached" in (await client.get("/usage/cap/line")).text
    saved = await client.post("/usage/cap", data={"amount": ""})
    assert (saved.status_code, saved.headers["location"]) == (303, "/usage/cap")
    member = await new_member(site.database, owner.team_id)
    async with site.client(member) as theirs:
        assert (await theirs.get("/usage/cap")).status_code == 200
        assert (await theirs.post("/usage/cap", data={"amount": "1"})).status_code == 403
