"""What is Stripe's alone: its amounts, its errors and failures, more payments than one page."""

from collections.abc import AsyncIterator

import pytest
import stripe as library
from hypothesis import given
from hypothesis import strategies as st
from stripe_server import Fault, StandIn
from test_gateways import AT, GOOD, RENT, Bench

from offhook.billing import Declined, HoldState, Unreachable, stripe_gateway
from offhook.billing.gateway import Order
from offhook.billing.stripe_gateway import StripeGateway
from offhook.billing.stripe_objects import minor_units, money_of, problem_of
from offhook.prices import Money

CREATE, LIST = "POST /v1/payment_intents", "GET /v1/payment_intents"


@pytest.fixture
async def bench(stripe: StandIn) -> AsyncIterator[Bench]:
    gateway = stripe.gateway()
    bench = Bench(gateway, stripe)
    bench.customer = await gateway.open_customer("team_1")
    yield bench
    await gateway.aclose()


@pytest.mark.parametrize(
    ("money", "amount"),
    [
        (Money.of("10.00", "USD"), 1000),
        (Money.of("0.50", "EUR"), 50),
        (Money.of("500", "JPY"), 500),
        (Money.of("500", "XOF"), 500),
        (Money.of("5.120", "KWD"), 5120),
        (Money.of("5", "ISK"), 500),
        (Money.of("5", "UGX"), 500),
    ],
)
def test_an_amount_is_written_in_the_currencys_smallest_unit(money: Money, amount: int) -> None:
    assert minor_units(money) == amount
    assert money_of(amount, money.currency.lower()) == money


@pytest.mark.parametrize(
    "money",
    [
        Money.of("0.0137"),
        Money.of("0.5", "JPY"),
        Money.of("5.125", "KWD"),
        Money.of("5.5", "ISK"),
        Money.of("0"),
        Money.of("-1"),
    ],
)
def test_an_amount_that_is_no_whole_coin_is_a_defect_uc8(money: Money) -> None:
    with pytest.raises(ValueError, match="no amount"):
        minor_units(money)


@given(st.integers(1, 10**9), st.sampled_from(["USD", "JPY", "EUR", "KRW"]))
def test_amounts_survive_there_and_back(amount: int, currency: str) -> None:
    assert minor_units(money_of(amount, currency.lower())) == amount


@pytest.mark.parametrize("after", [False, True])
async def test_a_500_leaves_it_open_and_asking_again_holds_once_faults_b(
    bench: Bench, stripe: StandIn, after: bool
) -> None:
    order = await bench.order("pur_1")
    stripe.fail(Fault(CREATE, status=500, after=after))
    with pytest.raises(Unreachable):
        await bench.gateway.authorise(order, at=AT)
    assert (await bench.gateway.authorise(order, at=AT)).state is HoldState.HELD
    assert len(stripe.of_kind("payment_intent")) == 1


async def test_a_lost_answer_is_looked_up_by_key_faults_b(stripe: StandIn) -> None:
    gateway = stripe.gateway(timeout_s=0.3)
    bench = Bench(gateway, stripe)
    bench.customer = await gateway.open_customer("team_1")
    order = await bench.order("pur_1")
    stripe.fail(Fault(CREATE, after=True, hangs=True))
    with pytest.raises(Unreachable):
        await gateway.authorise(order, at=AT)
    assert (await bench.find("pur_1")).state is HoldState.HELD
    assert (await gateway.authorise(order, at=AT)).state is HoldState.HELD
    assert stripe.requests.count(CREATE) == 1
    await gateway.aclose()


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("POST /v1/payment_intents/", "capture"),
        ("POST /v1/payment_intents/", "void"),
        ("POST /v1/refunds", "refund"),
    ],
)
async def test_what_was_done_without_an_answer_is_not_done_again_faults_b(
    bench: Bench, stripe: StandIn, path: str, call: str
) -> None:
    gateway = bench.gateway
    await gateway.authorise(await bench.order("pur_1"), at=AT)
    if call == "refund":
        await gateway.capture("pur_1", customer=bench.customer)
    ask = gateway.capture if call == "capture" else gateway.void
    stripe.fail(Fault(path, status=500, after=True))
    with pytest.raises(Unreachable):
        await ask("pur_1", customer=bench.customer)
    await ask("pur_1", customer=bench.customer)
    expected = HoldState.CAPTURED if call == "capture" else HoldState.VOIDED
    assert (await bench.find("pur_1")).state is expected
    assert len(stripe.of_kind("refund")) == (call == "refund")


async def test_a_rate_limit_says_how_long_to_wait(bench: Bench, stripe: StandIn) -> None:
    stripe.fail(Fault(LIST, status=429))
    with pytest.raises(Unreachable) as unreachable:
        await bench.gateway.find("pur_1", customer=bench.customer)
    assert unreachable.value.details["retry_after_s"] == 7


async def test_the_library_itself_repeats_a_request_whose_answer_was_lost(
    stripe: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library.HTTPClient, "INITIAL_DELAY", 0.001)
    monkeypatch.setattr(library.HTTPClient, "MAX_DELAY", 0.001)
    gateway = stripe.gateway(retries=1)
    bench = Bench(gateway, stripe)
    bench.customer = await gateway.open_customer("team_1")
    order = await bench.order("pur_1")
    stripe.fail(Fault(CREATE, status=503, after=True))
    assert (await gateway.authorise(order, at=AT)).state is HoldState.HELD
    assert len(stripe.of_kind("payment_intent")) == 1
    await gateway.aclose()


async def test_nobody_there_is_unreachable() -> None:
    gateway = StripeGateway("sk_test_x", "http://127.0.0.1:9", retries=0)
    with pytest.raises(Unreachable):
        await gateway.open_customer("team_1")
    await gateway.aclose()


async def test_a_wrong_key_is_told_as_such(stripe: StandIn) -> None:
    gateway = StripeGateway("sk_test_wrong", stripe.url, retries=0)
    with pytest.raises(Unreachable, match="refuses this installation's key"):
        await gateway.open_customer("team_1")
    await gateway.aclose()


@pytest.mark.parametrize("kind", [library.IdempotencyError, library.PermissionError])
def test_an_error_of_our_own_making_leaves_the_outcome_open(
    kind: type[library.StripeError],
) -> None:
    assert isinstance(problem_of(kind("what?")), Unreachable)


async def test_less_than_stripe_takes_is_declined_and_not_the_cards_fault(bench: Bench) -> None:
    order = await bench.order("pur_1", money=Money.of("0.49"))
    with pytest.raises(Declined) as declined:
        await bench.gateway.authorise(order, at=AT)
    assert declined.value.decline_code == "amount_too_small"


async def test_an_old_payment_is_found_behind_many_newer_ones(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_gateway, "PAGE", 2)
    token = await bench.card(GOOD)
    for key in ("pur_1", *(f"inv_{n}" for n in range(5))):
        await bench.gateway.authorise(Order(key, bench.customer, RENT, token), at=AT)
    assert (await bench.find("pur_1")).key == "pur_1"
