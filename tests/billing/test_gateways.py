"""One contract for every gateway: the test gateway, and Stripe's client with a stand-in for Stripe.

Whoever buys or is charged must not be able to tell which one it is (A5, faults b).
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import cast

import pytest
from stripe_server import StandIn, running

from offhook.billing import CardInput, Declined, Gateway, Hold, HoldState, TestGateway
from offhook.billing.gateway import Action, Order, Setup, SetupState
from offhook.prices import Money

GOOD, REFUSED = "4242424242424242", "4000000000000341"
ASKS, ASKS_AT_SETUP = "4000000000003220", "4000002500003155"
ASKS_THEN_POOR = "4000008260003178"
RENT = Money.of("1.16")
AT = datetime(2026, 5, 14, 12, tzinfo=UTC)


class Bench:
    """A gateway, and the hands of a card's owner."""

    def __init__(self, gateway: Gateway, stripe: StandIn | None) -> None:
        self.gateway = gateway
        self.stripe = stripe
        self.customer = ""

    async def give(self, setup: Setup, number: str) -> Setup:
        """The owner gives the card to the gateway; how far the setup then is."""
        assert setup.state is SetupState.OPEN
        if self.stripe is not None:
            assert setup.action is not None
            self.stripe.give_card(setup.action.client_secret, number)
        else:
            gateway = cast("TestGateway", self.gateway)
            try:
                await gateway.type_card(setup.id, CardInput(number, 12, 2099, "123"), at=AT)
            except Declined as declined:
                return Setup(setup.id, setup.customer, setup.state, sentence=declined.sentence)
        return await self.found(setup)

    async def found(self, setup: Setup) -> Setup:
        found = await self.gateway.find_setup(setup.id)
        assert found is not None
        assert found.customer == self.customer
        return found

    async def card(self, number: str = GOOD) -> str:
        """A stored card's token."""
        setup = await self.give(await self.gateway.begin_setup(self.customer), number)
        if setup.state is SetupState.OPEN:
            await self.answer(setup.action, approve=True)
            setup = await self.found(setup)
        assert setup.card is not None
        return setup.card.token

    async def answer(self, action: Action | None, *, approve: bool) -> None:
        """The owner answers the bank."""
        assert action is not None
        if self.stripe is not None:
            if action.token:
                self.stripe.confirm_card_payment(action.client_secret, action.token)
            self.stripe.answer(action.client_secret, approve=approve)
        else:
            gateway = cast("TestGateway", self.gateway)
            await gateway.answer(action.url.rpartition("/")[2], approve=approve)

    async def order(self, key: str, number: str = GOOD, money: Money = RENT) -> Order:
        return Order(key, self.customer, money, await self.card(number), "Rent of May")

    async def find(self, key: str) -> Hold:
        found = await self.gateway.find(key, customer=self.customer)
        assert found is not None
        assert found.customer == self.customer
        return found


@pytest.fixture(params=["test", "stripe"])
async def bench(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Bench]:
    if request.param == "test":
        gateway = TestGateway(database_url)
        bench = Bench(gateway, None)
        bench.customer = await gateway.open_customer("team_1")
        yield bench
        await gateway.aclose()
        return
    async with running() as stripe:
        client = stripe.gateway()
        bench = Bench(client, stripe)
        bench.customer = await client.open_customer("team_1")
        yield bench
        await client.aclose()


async def test_a_customer_asked_for_again_is_the_same(bench: Bench) -> None:
    assert await bench.gateway.open_customer("team_1") == bench.customer
    assert await bench.gateway.open_customer("team_2") != bench.customer


async def test_a_card_is_stored_with_what_may_be_shown(bench: Bench) -> None:
    setup = await bench.gateway.begin_setup(bench.customer)
    assert (await bench.found(setup)).card is None
    done = await bench.give(setup, GOOD)
    assert done.state is SetupState.DONE
    assert done.card is not None
    shown = done.card
    assert (shown.brand, shown.last4, shown.expiry_month, shown.expiry_year) == (
        "Visa",
        "4242",
        12,
        2099,
    )
    assert await bench.gateway.find_setup("seti_nobody_knows") is None


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("4000000000000002", "The card was declined by its bank."),
        ("4000000000009995", "The card has insufficient funds."),
        ("4000000000000069", "The card has expired."),
        ("4000000000000127", "The card's security code is wrong."),
    ],
)
async def test_a_card_that_its_bank_refuses_is_not_stored_and_says_why(
    bench: Bench, number: str, sentence: str
) -> None:
    setup = await bench.give(await bench.gateway.begin_setup(bench.customer), number)
    assert (setup.state, setup.card, setup.sentence) == (SetupState.OPEN, None, sentence)


@pytest.mark.parametrize("approve", [True, False])
async def test_a_bank_may_ask_before_a_card_is_stored(bench: Bench, approve: bool) -> None:
    setup = await bench.give(await bench.gateway.begin_setup(bench.customer), ASKS_AT_SETUP)
    assert (setup.state, setup.card) == (SetupState.OPEN, None)
    await bench.answer(setup.action, approve=approve)
    after = await bench.found(setup)
    assert (after.card is not None) is approve
    assert bool(after.sentence) is not approve


async def test_a_hold_is_made_once_and_taken_once_however_often_it_is_asked(bench: Bench) -> None:
    order = await bench.order("pur_1")
    for _ in range(2):
        held = await bench.gateway.authorise(order, at=AT)
        assert (held.state, held.money, held.key) == (HoldState.HELD, RENT, "pur_1")
    for _ in range(2):
        taken = await bench.gateway.capture("pur_1", customer=bench.customer)
        assert taken.state is HoldState.CAPTURED
    assert (await bench.gateway.authorise(order, at=AT)).state is HoldState.CAPTURED
    assert (await bench.find("pur_1")).state is HoldState.CAPTURED


async def test_twenty_at_once_with_one_key_hold_once_sec23(bench: Bench) -> None:
    order = await bench.order("pur_1")
    holds = await asyncio.gather(*(bench.gateway.authorise(order, at=AT) for _ in range(20)))
    assert {each.state for each in holds} == {HoldState.HELD}
    if bench.stripe is not None:
        assert len(bench.stripe.of_kind("payment_intent")) == 1


async def test_what_was_never_ordered_is_not_found_and_voiding_it_is_no_error(bench: Bench) -> None:
    assert await bench.gateway.find("pur_1", customer=bench.customer) is None
    await bench.gateway.void("pur_1", customer=bench.customer)
    with pytest.raises(Declined) as declined:
        await bench.gateway.capture("pur_1", customer=bench.customer)
    assert declined.value.decline_code == "hold_expired"


async def test_another_customers_order_is_not_found_sec7(bench: Bench) -> None:
    await bench.gateway.authorise(await bench.order("pur_1"), at=AT)
    other = await bench.gateway.open_customer("team_2")
    assert await bench.gateway.find("pur_1", customer=other) is None
    await bench.gateway.void("pur_1", customer=other)
    assert (await bench.find("pur_1")).state is HoldState.HELD


@pytest.mark.parametrize("taken", [False, True])
async def test_voided_money_is_let_go_or_given_back(bench: Bench, taken: bool) -> None:
    await bench.gateway.authorise(await bench.order("pur_1"), at=AT)
    if taken:
        await bench.gateway.capture("pur_1", customer=bench.customer)
    for _ in range(2):
        await bench.gateway.void("pur_1", customer=bench.customer)
        assert (await bench.find("pur_1")).state is HoldState.VOIDED
    with pytest.raises(Declined):
        await bench.gateway.capture("pur_1", customer=bench.customer)


async def test_a_declined_order_stays_declined_with_its_code(bench: Bench) -> None:
    order = await bench.order("pur_1", REFUSED)
    for _ in range(2):
        with pytest.raises(Declined) as declined:
            await bench.gateway.authorise(order, at=AT)
        assert declined.value.decline_code == "card_declined"
    await bench.gateway.void("pur_1", customer=bench.customer)
    found = await bench.find("pur_1")
    assert (found.state, found.decline_code) == (HoldState.DECLINED, "card_declined")


@pytest.mark.parametrize("number", [ASKS, ASKS_AT_SETUP])
async def test_a_purchase_waits_for_the_bank_and_is_held_once_its_owner_approves(
    bench: Bench, number: str
) -> None:
    order = await bench.order("pur_1", number)
    waiting = await bench.gateway.authorise(order, at=AT)
    again = await bench.gateway.authorise(order, at=AT)
    assert waiting.state is again.state is HoldState.AUTHENTICATING
    await bench.answer(waiting.action, approve=True)
    found = await bench.find("pur_1")
    assert (found.state, found.action) == (HoldState.HELD, None)
    taken = await bench.gateway.capture("pur_1", customer=bench.customer)
    assert taken.state is HoldState.CAPTURED


async def test_refused_at_the_bank_nothing_is_held(bench: Bench) -> None:
    waiting = await bench.gateway.authorise(await bench.order("pur_1", ASKS), at=AT)
    await bench.answer(waiting.action, approve=False)
    found = await bench.find("pur_1")
    assert (found.state, found.decline_code) == (HoldState.DECLINED, "authentication_failed")


async def test_a_voided_order_cannot_be_confirmed_any_more(bench: Bench) -> None:
    waiting = await bench.gateway.authorise(await bench.order("pur_1", ASKS), at=AT)
    await bench.gateway.void("pur_1", customer=bench.customer)
    assert (await bench.find("pur_1")).action is None
    await bench.answer(waiting.action, approve=True)
    assert (await bench.find("pur_1")).state is HoldState.VOIDED


async def test_a_card_may_be_declined_after_its_owner_approved(bench: Bench) -> None:
    waiting = await bench.gateway.authorise(await bench.order("pur_1", ASKS_THEN_POOR), at=AT)
    await bench.answer(waiting.action, approve=True)
    found = await bench.find("pur_1")
    assert (found.state, found.decline_code) == (HoldState.DECLINED, "insufficient_funds")
    assert found.action is None


@pytest.mark.parametrize("number", [GOOD, ASKS_AT_SETUP])
async def test_an_invoice_is_taken_at_once_once(bench: Bench, number: str) -> None:
    order = await bench.order("inv_1", number)
    for _ in range(2):
        assert (await bench.gateway.charge(order, at=AT)).state is HoldState.CAPTURED
    if bench.stripe is not None:
        assert len(bench.stripe.of_kind("charge")) == 1


async def test_a_bank_that_insists_on_its_owner_declines_an_invoice_until_confirmed(
    bench: Bench,
) -> None:
    order = await bench.order("inv_1", ASKS)
    for _ in range(2):
        with pytest.raises(Declined) as declined:
            await bench.gateway.charge(order, at=AT)
        assert declined.value.decline_code == "authentication_required"
    await bench.answer((await bench.find("inv_1")).action, approve=False)
    refused = await bench.find("inv_1")
    assert (refused.state, refused.decline_code) == (HoldState.DECLINED, "authentication_failed")
    await bench.answer(refused.action, approve=True)
    assert (await bench.find("inv_1")).state is HoldState.CAPTURED


async def test_a_declined_invoice_that_was_given_up_cannot_be_confirmed(bench: Bench) -> None:
    order = await bench.order("inv_1", ASKS)
    with pytest.raises(Declined):
        await bench.gateway.charge(order, at=AT)
    await bench.gateway.void("inv_1", customer=bench.customer)
    found = await bench.find("inv_1")
    assert (found.state, found.action) == (HoldState.DECLINED, None)


async def test_a_removed_card_is_not_charged_and_removing_it_again_is_no_error(
    bench: Bench,
) -> None:
    order = await bench.order("pur_1")
    for _ in range(2):
        await bench.gateway.remove_card(order.token)
    await bench.gateway.remove_card("pm_nobody_knows")
    with pytest.raises(Declined) as declined:
        await bench.gateway.authorise(order, at=AT)
    assert declined.value.decline_code == "card_unknown"
