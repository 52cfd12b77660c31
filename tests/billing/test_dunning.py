"""Unpaid invoices: UN8, UN9, UN11, U10 as tables, and on a real database with the test gateway."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from invoice_desk import Desk, audit, close, invoices, price_list, use, utc
from sqlalchemy import select
from usage_desk import Clock, hire

from offhook import billing, settings
from offhook.billing import (
    CardInput,
    HoldState,
    Step,
    SubscriptionState,
    TestGateway,
    collecting,
    dunning,
    releasing,
    subscriptions,
)
from offhook.billing.dunning import Facts
from offhook.billing.gateway import Declined, Hold, Order
from offhook.billing.models import Charge, Invoice, ReleaseNotice
from offhook.billing.totals import InvoiceState
from offhook.db import Database, EventRow, Session
from offhook.prices import Money

GOOD, FAILS_LATER = "4242424242424242", "4000000000000341"
T, A, P, S, C = SubscriptionState
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "unpaid", "exhausted", "trial_over", "has_card", "step"),
    [
        (T, False, False, False, False, None),
        (T, False, False, True, True, Step.ACTIVATE),
        (T, False, False, True, False, Step.UNPAID),
        (T, True, False, True, True, Step.CHARGE_FAILED),
        (A, False, False, False, False, None),
        (A, True, False, False, True, Step.CHARGE_FAILED),
        (P, True, False, False, True, None),
        (P, True, True, False, True, Step.UNPAID),
        (P, False, False, False, False, Step.PAID),
        (S, True, True, False, True, None),
        (S, False, False, False, False, None),
        (S, False, False, False, True, Step.PAID),
        (C, True, True, True, True, None),
        (C, False, False, False, True, None),
    ],
)
def test_the_step_that_is_due_un8_un9_un10(
    state: SubscriptionState,
    unpaid: bool,
    exhausted: bool,
    trial_over: bool,
    has_card: bool,
    step: Step | None,
) -> None:
    facts = Facts(
        state, unpaid=unpaid, exhausted=exhausted, trial_over=trial_over, has_card=has_card
    )
    assert dunning.step(facts) is step


def test_eight_retries_within_14_days_the_last_at_their_end_un8() -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    at = start
    tried: list[timedelta] = []
    while (following := dunning.next_retry(start, at)) is not None:
        tried.append(following - start)
        at = following
    assert len(tried) == 8
    assert tried[-1] == 14 * DAY
    assert dunning.is_exhausted(start, at)
    assert not dunning.is_exhausted(start, at - timedelta(seconds=1))
    assert not dunning.is_exhausted(None, None)
    # Missed ones are not made up for: after twelve days without a worker one is left.
    assert dunning.next_retry(start, start + 12 * DAY) == start + 14 * DAY


def test_numbers_go_back_after_notices_only_un11() -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)
    told: dict[int, datetime] = {}
    seen: list[tuple[int, int | None]] = []
    for day in range(40):
        at = since + day * DAY
        plan = dunning.release(since, told, at)
        if plan.is_due(at):
            seen.append((day, None))
            break
        if plan.notice is not None:
            told[plan.notice] = at
            seen.append((day, plan.notice))
    assert seen == [(16, 14), (23, 7), (27, 3), (29, 1), (30, None)]


@pytest.mark.parametrize("turned_on", [17, 29, 100])
def test_a_late_notice_leaves_the_days_that_it_says_un11(turned_on: int) -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)
    told: dict[int, datetime] = {}
    at = since + turned_on * DAY
    while not (plan := dunning.release(since, told, at)).is_due(at):
        if plan.notice is not None:
            told[plan.notice] = at
        at += timedelta(hours=1)
    assert list(told) == [14, 7, 3, 1]
    assert all(at - when >= days * DAY for days, when in told.items())
    assert at == since + turned_on * DAY + 14 * DAY


@pytest.fixture
async def desk(clocked: Database, clock: Clock, gateway: TestGateway) -> Desk:
    """A team that has closed January with 0.80 to pay, and no card."""
    clock.instant = utc("2026-01-10")
    desk = await hire(clocked)
    await price_list(clocked, minute="0.02", message="0.01")
    await use(desk, await desk.number("num_a"), minutes=100, tag="january")
    clock.instant = utc("2026-02-04")
    return desk


async def add_card(desk: Desk, gateway: TestGateway, number: str) -> None:
    async with desk.database.team(desk.team) as session:
        await billing.add_card(session, gateway, desk.team, CardInput(number, 12, 2099, "123"))


async def state(desk: Desk) -> SubscriptionState:
    async with desk.database.team(desk.team) as session:
        found = await subscriptions.subscription(session, desk.team)
        return SubscriptionState(found.state)


async def told(desk: Desk) -> list[str]:
    async with desk.database.team(desk.team) as session:
        names = await session.scalars(select(EventRow.name).order_by(EventRow.position))
        return [name for name in names.all() if name.split(".")[0] in _TOLD]


_TOLD = ("invoice", "payment", "subscription")


async def paid(gateway: TestGateway) -> list[str]:
    return [str(each.money) for each in await gateway.orders() if each.state is HoldState.CAPTURED]


async def collect(desk: Desk, gateway: TestGateway) -> None:
    await collecting.collect_due(desk.database, gateway)


async def test_an_invoice_is_charged_at_once_and_once_by_two_workers_u10(
    desk: Desk, gateway: TestGateway
) -> None:
    await add_card(desk, gateway, GOOD)
    await close(desk)
    await asyncio.gather(collect(desk, gateway), collect(desk, gateway))
    await collect(desk, gateway)
    [invoice] = await invoices(desk)
    assert (invoice.state, invoice.due) == (InvoiceState.PAID, Money.of("0.80"))
    assert await paid(gateway) == ["0.80 USD"]
    assert await state(desk) is T
    assert await told(desk) == ["invoice.finalized"]
    assert await audit(desk) == []


async def test_ux8_fails_for_14_days_suspended_paid_on_day_20(
    desk: Desk, gateway: TestGateway, clock: Clock
) -> None:
    await add_card(desk, gateway, FAILS_LATER)
    await close(desk)
    start = clock.instant
    states: list[tuple[float, SubscriptionState]] = []
    while clock.instant <= start + 20 * DAY:
        await collect(desk, gateway)
        now = await state(desk)
        if not states or states[-1][1] is not now:
            states.append(((clock.instant - start) / DAY, now))
        clock.instant += timedelta(hours=6)
    assert states == [(0, P), (14, S)]
    async with desk.database.team(desk.team) as session:
        tried = (await session.scalars(select(Charge.state))).all()
        assert tried == [HoldState.DECLINED] * 9  # day 0 and eight retries
    await add_card(desk, gateway, GOOD)
    clock.instant += timedelta(seconds=10)
    await collect(desk, gateway)
    assert await state(desk) is A
    assert await paid(gateway) == ["0.80 USD"]
    assert await told(desk) == [
        "invoice.finalized",
        *["payment.failed", "subscription.past_due"],
        *["payment.failed"] * 8,
        "subscription.suspended",
        "subscription.restored",
    ]
    assert await audit(desk) == []


async def test_paid_by_hand_within_the_grace_nothing_stops_un10(
    desk: Desk, gateway: TestGateway, clock: Clock
) -> None:
    await close(desk)
    await collect(desk, gateway)
    [invoice] = await invoices(desk)
    assert (await state(desk), invoice.failure) == (P, "There is no payment method on file.")
    await add_card(desk, gateway, GOOD)
    async with desk.database.team(desk.team) as session:
        row = await session.get_one(Invoice, invoice.id)
        assert (await collecting.pay(session, gateway, row)).ok
    assert await state(desk) is A
    await collect(desk, gateway)
    assert await paid(gateway) == ["0.80 USD"]


async def test_a_gateway_that_cannot_be_reached_is_no_attempt(
    desk: Desk, gateway: TestGateway
) -> None:
    class Away:
        name = "test"

        def __getattr__(self, name: str) -> Callable[..., Any]:
            raise billing.Unreachable("The payment gateway does not answer.")

    await add_card(desk, gateway, GOOD)
    await close(desk)
    await collecting.collect_due(desk.database, cast("TestGateway", Away()))
    [invoice] = await invoices(desk)
    assert (invoice.attempt, invoice.failed_since, await state(desk)) == (1, None, T)
    await collect(desk, gateway)
    assert await paid(gateway) == ["0.80 USD"]


async def test_a_trial_of_a_real_gateway_ends_and_a_card_goes_on_u10(
    clocked: Database, clock: Clock, gateway: TestGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    async def end(session: Session, team_id: str) -> None:
        ended.append(team_id)

    billing.when_suspended(end)
    with_card, without = await hire(clocked), await hire(clocked)
    for desk in (with_card, without):
        async with clocked.team(desk.team) as session:
            await billing.on_team_created(session, desk.team)
    clock.instant += 14 * DAY
    await collect(with_card, gateway)
    assert await state(without) is T  # the test gateway's trial does not end
    monkeypatch.setenv("OFFHOOK_STRIPE_SECRET_KEY", "sk_test_1")
    settings.load.cache_clear()
    gateway.name = "stripe"  # it plays the one whose cards count now
    try:
        await add_card(with_card, gateway, GOOD)
        await collect(with_card, gateway)
        assert (await state(with_card), await state(without)) == (A, S)
        assert ended == [without.team]
        await add_card(without, gateway, GOOD)
        await collect(without, gateway)
        assert await state(without) is A
    finally:
        settings.load.cache_clear()


async def test_a_trial_that_is_over_does_not_begin_anew_by_cancelling_u10(
    clocked: Database, clock: Clock, gateway: TestGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await hire(clocked)
    async with clocked.team(desk.team) as session:
        await billing.on_team_created(session, desk.team)
    clock.instant += 14 * DAY
    monkeypatch.setenv("OFFHOOK_STRIPE_SECRET_KEY", "sk_test_1")
    settings.load.cache_clear()
    gateway.name = "stripe"  # it plays the one whose cards count now
    try:
        await collect(desk, gateway)
        assert await state(desk) is S
        async with clocked.team(desk.team) as session:
            await subscriptions.change_subscription(session, desk.team, Step.CANCEL)
        with pytest.raises(collecting.CardNeeded):
            async with clocked.team(desk.team) as session:
                await collecting.activate(session, desk.team)
        assert await state(desk) is C
        await add_card(desk, gateway, GOOD)
        async with clocked.team(desk.team) as session:
            assert await collecting.activate(session, desk.team) is A
    finally:
        settings.load.cache_clear()


async def test_an_invoice_is_not_paid_by_billing_that_is_off_u10(
    desk: Desk, gateway: TestGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_card(desk, gateway, GOOD)
    await close(desk)
    [invoice] = await invoices(desk)
    monkeypatch.setenv("OFFHOOK_BILLING", "false")
    settings.load.cache_clear()
    try:
        with pytest.raises(collecting.BillingOff):
            async with desk.database.team(desk.team) as session:
                again = await session.get_one(Invoice, invoice.id)
                await collecting.pay(session, gateway, again)
    finally:
        settings.load.cache_clear()
    [invoice] = await invoices(desk)
    assert (invoice.state, await paid(gateway)) == (InvoiceState.OPEN, [])


async def test_an_attempt_counts_however_much_the_bank_has_to_say(
    desk: Desk, gateway: TestGateway
) -> None:
    class Wordy(TestGateway):
        async def charge(self, order: Order, *, at: datetime) -> Hold:
            raise Declined("Not on a day like this. " * 20, decline_code="moody")

    await add_card(desk, gateway, GOOD)
    await close(desk)
    wordy = Wordy(desk.database.url)
    try:
        await collecting.collect_due(desk.database, wordy)
    finally:
        await wordy.aclose()
    [invoice] = await invoices(desk)
    assert (invoice.attempt, invoice.failure[:10]) == (2, "Not on a d")


async def test_a_suspended_team_keeps_its_numbers_unless_the_operator_says_so_un11(
    desk: Desk, gateway: TestGateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[datetime] = []

    async def release(session: Session, team_id: str) -> None:
        gone.append(clock.instant)

    billing.when_released(release)
    await close(desk)
    await collect(desk, gateway)
    clock.instant += 14 * DAY
    await collect(desk, gateway)
    suspended = clock.instant
    assert await state(desk) is S
    clock.instant += 60 * DAY
    await releasing.release_due(desk.database)
    assert (gone, "subscription.releasing" in await told(desk)) == ([], False)
    monkeypatch.setenv("OFFHOOK_RELEASE_SUSPENDED", "true")
    settings.load.cache_clear()
    try:
        while not gone:
            await asyncio.gather(*(releasing.release_due(desk.database) for _ in range(2)))
            clock.instant += timedelta(hours=12)
    finally:
        settings.load.cache_clear()
    assert gone[0] - suspended == 74 * DAY  # fourteen days after the first notice
    assert (await told(desk)).count("subscription.releasing") == 4


async def test_a_team_whose_numbers_cannot_go_back_now_keeps_no_others_un11(
    clocked: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    async def release(session: Session, team_id: str) -> None:
        tried.append(team_id)
        if len(tried) == 1:
            raise RuntimeError("its agent is gone")

    billing.when_released(release)
    desks = [await hire(clocked), await hire(clocked)]
    for desk in desks:
        async with clocked.team(desk.team) as session:
            await billing.on_team_created(session, desk.team)
            await subscriptions.change_subscription(session, desk.team, Step.UNPAID)
            since = (await subscriptions.subscription(session, desk.team)).since
            session.add_all(
                ReleaseNotice(
                    team_id=desk.team,
                    suspended_since=since,
                    days=days,
                    told_at=since + (30 - days) * DAY,
                )
                for days in dunning.NOTICES
            )
    clock.instant += 31 * DAY
    monkeypatch.setenv("OFFHOOK_RELEASE_SUSPENDED", "true")
    settings.load.cache_clear()
    try:
        await releasing.release_due(clocked)
    finally:
        settings.load.cache_clear()
    assert sorted(tried) == sorted(desk.team for desk in desks)
