"""A1 to A6 and faults (b): bought or undone, killed at every step, with the simulated carrier."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from number_fixtures import BY, CALLBACKS, add_card, make_number
from offhook import billing, numbers, prices
from offhook.billing import HoldState, TestGateway, cards
from offhook.billing.gateway import Order
from offhook.carriers import CarrierProblem, NumberType, Search, Unreachable
from offhook.carriers.simulator.faults import Fault
from offhook.carriers.simulator.server import Simulator
from offhook.db import Database, EventRow, Jobs
from offhook.numbers import NumberStatus, jobs, problems, purchase, purchasing, resuming, saga
from offhook.numbers.models import Number, Purchase, Quote
from offhook.numbers.purchasing import Shop, Taken
from offhook.numbers.saga import PurchaseState
from offhook.phone import E164
from offhook.prices import Money
from offhook.usage import Service, balance
from purchases import FIRST_MONTH, carry_out, check_end, order, ordered, quote, search

BUY = "POST IncomingPhoneNumbers.json"


class Killed(BaseException):
    """As kill -9: nothing that follows is run."""


def dying_at(point: str) -> Callable[[str], None]:
    def passage(name: str) -> None:
        if name == point:
            raise Killed(name)

    return passage


@pytest.fixture
async def buyer(database: Database, gateway: TestGateway, team: str) -> str:
    """A team that may buy."""
    await add_card(database, gateway, team)
    return team


async def test_a_search_gives_several_numbers_each_with_its_price_a2(
    shop: Shop, buyer: str
) -> None:
    found = await search(
        shop.database, shop.carrier, buyer, Search(area_code="415", voice=True, sms=True)
    )
    assert len(found) > 3
    for each in found:
        assert each.offer.e164.startswith("+1415")
        assert each.offer.capabilities.voice
        assert each.offer.capabilities.sms
        assert each.price.monthly == Money.of("2.00")
    toll_free = await search(shop.database, shop.carrier, buyer, Search(type=NumberType.TOLL_FREE))
    assert {each.price.monthly for each in toll_free} == {Money.of("4.00")}
    digits = found[0].offer.e164[-4:]
    narrowed = await search(shop.database, shop.carrier, buyer, Search(digits=digits))
    assert found[0].offer.e164 in {each.offer.e164 for each in narrowed}


@pytest.mark.parametrize("bad", ["4 15", "abc", "٤١٥"])
async def test_a_search_for_no_digits_is_refused_with_its_field_a2(
    shop: Shop, buyer: str, bad: str
) -> None:
    with pytest.raises(problems.SearchInvalid) as refused:
        await search(shop.database, shop.carrier, buyer, Search(area_code=bad))
    assert refused.value.details["errors"][0]["field"] == "area_code"


async def test_a_purchase_without_a_card_says_what_to_do_a1(shop: Shop, team: str) -> None:
    with pytest.raises(problems.PurchaseNotAllowed) as refused:
        await ordered(shop, team)
    assert [each["code"] for each in refused.value.details["missing"]] == ["payment_method"]
    assert "Add a card" in refused.value.remedy


async def test_the_terms_are_accepted_by_version_and_it_is_recorded_a4(
    shop: Shop, buyer: str
) -> None:
    shown = await quote(shop, buyer)
    for wrong in ("2020-01", " "):
        with pytest.raises(problems.TermsNotAccepted):
            await order(shop.database, buyer, shown, terms=wrong)
    made = await order(shop.database, buyer, shown)
    assert (made.terms_version, made.terms_accepted_by) == (prices.TERMS_VERSION, BY.id)
    assert made.terms_accepted_at is not None


async def test_a_bought_number_is_there_disabled_without_usage_a6(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    assert await carry_out(shop, made) is PurchaseState.COMPLETED
    await check_end(shop, gateway, made)
    async with shop.database.team(buyer) as session:
        number = await numbers.get(session, buyer, made_id(await session.get(Purchase, made.id)))
        use = await balance(session, buyer, number_id=number.id, service=Service.CALLS)
    assert (number.name, number.agent_id, number.status) == ("", None, NumberStatus.DISABLED)
    assert (use.posted, use.pending, use.limit) == (0, 0, None)


def made_id(found: Purchase | None) -> str:
    assert found is not None
    assert found.number_id is not None
    return found.number_id


async def until(shop: Shop, made: Purchase, wanted: PurchaseState) -> None:
    while (await taken(shop, made)).state is not wanted:
        pass


async def taken(shop: Shop, made: Purchase) -> Taken:
    step = await purchasing.step(shop, made.team_id, made.id)
    assert step is not None
    return step


async def test_a_number_whose_callbacks_the_carrier_refuses_goes_back_a5(
    shop: Shop, gateway: TestGateway, simulator: Simulator, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    await until(shop, made, PurchaseState.RECORDED)
    simulator.faults.ask(Fault("request", path="POST .json", status=400, code=21402))
    await carry_out(shop, made)
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED


async def test_a_declined_card_buys_nothing_and_says_why_a5(
    shop: Shop, gateway: TestGateway, team: str
) -> None:
    await add_card(shop.database, gateway, team, "4000000000000341")
    made = await ordered(shop, team)
    await carry_out(shop, made)
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED
    with pytest.raises(problems.PurchaseNotAllowed) as refused:
        await order(shop.database, team, await quote(shop, team), "again")
    assert [each["code"] for each in refused.value.details["missing"]] == ["card_declined"]


async def test_a_lost_answer_to_buy_is_looked_up_by_order_tag_a5(
    shop: Shop, gateway: TestGateway, simulator: Simulator, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    simulator.faults.ask(Fault("request", path=BUY, lose_answer=True))
    with pytest.raises(Unreachable):
        await carry_out(shop, made)
    await carry_out(shop, made)
    assert await check_end(shop, gateway, made) is PurchaseState.COMPLETED


async def test_a_number_that_somebody_else_bought_meanwhile_costs_nothing_a5(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    taken = await shop.carrier.buy(E164(made.e164), order_tag="somebody else", callbacks=CALLBACKS)
    await carry_out(shop, made)
    await shop.carrier.release(taken.carrier_id)
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED


async def test_a_number_that_another_team_holds_on_record_is_given_back_a5(
    shop: Shop, gateway: TestGateway, buyer: str, other_team: str
) -> None:
    made = await ordered(shop, buyer)
    await until(shop, made, PurchaseState.BOUGHT)
    theirs = await make_number(shop.database, other_team, e164=made.e164)
    await carry_out(shop, made)
    async with shop.database.system() as session:
        assert (await session.scalars(select(Number.id))).all() == [theirs]
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED


async def test_a_carrier_that_stays_silent_for_three_minutes_costs_nothing_faults_b(
    shop: Shop, gateway: TestGateway, simulator: Simulator, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    async with shop.database.team(buyer) as session:
        (await session.get_one(Purchase, made.id)).waits_since -= saga.PATIENCE
    # The sale happens, but its answer is lost: what carries our tag goes back.
    simulator.faults.ask(Fault("request", path=BUY, lose_answer=True))
    assert await carry_out(shop, made) is PurchaseState.FAILED
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED


async def test_a_sale_that_reached_the_carrier_too_late_is_found_and_given_back_faults_b(
    shop: Shop, gateway: TestGateway, simulator: Simulator, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    async with shop.database.team(buyer) as session:
        (await session.get_one(Purchase, made.id)).waits_since -= saga.PATIENCE
    simulator.faults.ask(Fault("request", path=BUY, status=503))
    await carry_out(shop, made)
    await shop.carrier.buy(E164(made.e164), order_tag=made.id, callbacks=CALLBACKS)
    await purchasing.release_orphans(shop)
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED


async def test_a_hold_that_reached_the_gateway_too_late_is_let_go_faults_b(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    async with shop.database.team(buyer) as session:
        found = await session.get_one(Purchase, made.id)
        found.state, found.failure_code = PurchaseState.FAILED, billing.Unreachable.code
        found.failure = "Stripe cannot be reached."
        token = (await cards.on_file(session, buyer))[0].token
    late = Order(made.id, buyer, FIRST_MONTH, token)
    await gateway.authorise(late, at=found.updated_at)
    await purchasing.release_late_holds(shop)
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED


async def failed_in_doubt(shop: Shop, buyer: str, e164: str) -> Purchase:
    made = await order(shop.database, buyer, await quote(shop, buyer, e164), e164)
    async with shop.database.team(buyer) as session:
        found = await session.get_one(Purchase, made.id)
        found.state, found.failure_code = PurchaseState.FAILED, billing.Unreachable.code
        found.failure = "Stripe cannot be reached."
    return found


async def test_what_cannot_be_given_back_now_keeps_no_other_number_nor_hold_faults_b(
    shop: Shop, gateway: TestGateway, simulator: Simulator, buyer: str
) -> None:
    found = await search(shop.database, shop.carrier, buyer, Search(area_code="415", limit=2))
    failed = [await failed_in_doubt(shop, buyer, each.offer.e164) for each in found]
    async with shop.database.team(buyer) as session:
        token = (await cards.on_file(session, buyer))[0].token
    stays, goes = failed
    for each in failed:
        held = await shop.carrier.buy(E164(each.e164), order_tag=each.id, callbacks=CALLBACKS)
        hold = Order(each.id, buyer, FIRST_MONTH, token)
        await gateway.authorise(hold, at=each.updated_at)
        if each is stays:
            simulator.faults.ask(Fault("request", path=f"DELETE {held.carrier_id}.json"))

    class Hesitant(TestGateway):
        async def void(self, key: str, *, customer: str) -> None:
            if key == stays.id:
                raise billing.Unreachable("Stripe cannot be reached.")
            await super().void(key, customer=customer)

    hesitant = Hesitant(shop.database.url)
    try:
        await purchasing.release_orphans(shop)
        await purchasing.release_late_holds(replace(shop, gateway=hesitant))
    finally:
        await hesitant.aclose()
    assert [each.order_tag for each in await shop.carrier.list_numbers()] == [stays.id]
    holds = {each.key: each.state for each in await gateway.orders()}
    assert holds == {stays.id: HoldState.HELD, goes.id: HoldState.VOIDED}
    await purchasing.release_orphans(shop)
    assert await shop.carrier.list_numbers() == []


async def test_a_quote_is_good_for_fifteen_minutes_and_one_purchase_a3(
    shop: Shop, buyer: str
) -> None:
    old = await quote(shop, buyer)
    async with shop.database.team(buyer) as session:
        (await session.get_one(Quote, old.id)).expires_at -= timedelta(minutes=15)
    with pytest.raises(problems.QuoteExpired):
        await order(shop.database, buyer, old)
    shown = await quote(shop, buyer)
    assert shown.expires_at - shown.created_at == timedelta(minutes=15)
    await order(shop.database, buyer, shown, "first")
    with pytest.raises(problems.QuoteUsed):
        await order(shop.database, buyer, shown, "second")


async def test_a_quote_whose_price_changed_is_refused_a3(shop: Shop, buyer: str) -> None:
    shown = await quote(shop, buyer)
    async with shop.database.team(buyer) as session:
        (await session.get_one(Quote, shown.id)).minute_inbound_micros -= 1
    with pytest.raises(problems.PriceChanged):
        await order(shop.database, buyer, shown)


async def test_a_quote_for_a_number_that_is_gone_is_refused_a3(shop: Shop, buyer: str) -> None:
    shown = await quote(shop, buyer)
    await shop.carrier.buy(E164(shown.e164), order_tag="somebody", callbacks=CALLBACKS)
    with pytest.raises(problems.NumberTaken):
        await quote(shop, buyer, shown.e164)


async def test_two_hundred_orders_with_one_key_are_one_purchase_and_one_charge_sec23(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    shown = await quote(shop, buyer)
    made = await asyncio.gather(*(order(shop.database, buyer, shown) for _ in range(200)))
    assert len({each.id for each in made}) == 1
    while await _storm(shop, made[0]):
        pass
    assert await check_end(shop, gateway, made[0]) is PurchaseState.COMPLETED
    assert (await order(shop.database, buyer, shown)).id == made[0].id


async def _storm(shop: Shop, made: Purchase) -> bool:
    """Twenty workers at once; whether there is more to do."""
    states = await asyncio.gather(*(carry_out(shop, made) for _ in range(20)))
    return not any(state is not None and state.final for state in states)


async def test_a_key_used_for_another_quote_is_refused_a5(shop: Shop, buyer: str) -> None:
    first, second = await quote(shop, buyer), await quote(shop, buyer)
    await order(shop.database, buyer, first)
    with pytest.raises(problems.IdempotencyKeyReused):
        await order(shop.database, buyer, second)
    for bad in ("", "x" * 81, "a\nb"):
        with pytest.raises(problems.IdempotencyKeyMissing):
            await order(shop.database, buyer, second, bad)


async def test_another_teams_quote_and_purchase_are_not_there_sec7(
    shop: Shop, buyer: str, other_team: str
) -> None:
    shown = await quote(shop, buyer)
    with pytest.raises(problems.QuoteNotFound):
        await order(shop.database, other_team, shown)
    made = await order(shop.database, buyer, shown)
    with pytest.raises(problems.PurchaseNotFound):
        async with shop.database.team(other_team) as session:
            await purchase.get_purchase(session, other_team, made.id)


async def test_the_worker_buys_and_the_sweep_resumes_what_nobody_works_on(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    with pytest.raises(Killed):
        await purchasing.carry_out(shop, buyer, made.id, passage=dying_at("purchase.buy.done"))
    async with shop.database.team(buyer) as session:
        (await session.get_one(Purchase, made.id)).updated_at -= resuming.FORGOTTEN
    await jobs.sweep(shop.database)
    worker = Jobs(shop.database)
    jobs.register(worker, shop)
    await worker.run_due()
    assert await check_end(shop, gateway, made) is PurchaseState.COMPLETED


async def test_a_deleted_number_is_releasing_until_the_carrier_confirms_n10_un7(
    shop: Shop, gateway: TestGateway, simulator: Simulator, buyer: str
) -> None:
    made = await ordered(shop, buyer)
    await carry_out(shop, made)
    async with shop.database.team(buyer) as session:
        number_id = made_id(await session.get(Purchase, made.id))
        await numbers.delete(session, buyer, number_id, BY, confirmation=made.e164)
    simulator.faults.ask(Fault("request", path="DELETE .json", status=503))
    with pytest.raises(CarrierProblem):
        await jobs.give_back(shop, buyer, number_id)
    assert await _status(shop, buyer, number_id) == NumberStatus.RELEASING
    for _ in range(2):
        await jobs.give_back(shop, buyer, number_id)
    assert await _status(shop, buyer, number_id) == NumberStatus.RELEASED
    assert await shop.carrier.list_numbers() == []
    async with shop.database.system() as session:
        assert await numbers.held(session, made.e164) is None
        names = (await session.scalars(select(EventRow.name).order_by(EventRow.position))).all()
    assert list(names) == ["number.purchased", "number.released"]


async def _status(shop: Shop, team: str, number_id: str) -> str:
    async with shop.database.team(team) as session:
        return (await numbers.get(session, team, number_id)).status
