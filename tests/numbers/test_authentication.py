"""A5 with 3-D Secure: the purchase waits for the card's owner, with nothing held."""

from datetime import UTC, datetime, timedelta

import pytest
from stripe_server import StandIn

from number_fixtures import add_asking_card, answer
from offhook import billing, numbers
from offhook.billing import Hold, HoldState, TestGateway
from offhook.db import Database, Jobs
from offhook.numbers import jobs, problems, purchase, purchasing, saga
from offhook.numbers.models import Purchase
from offhook.numbers.purchasing import Shop
from offhook.numbers.saga import PurchaseState
from offhook.prices import Money
from purchases import carry_out, check_end, ordered


@pytest.fixture
async def buyer(database: Database, gateway: TestGateway, team: str) -> str:
    """A team whose card's bank asks at each payment."""
    await add_asking_card(database, gateway, team)
    return team


async def waiting(shop: Shop, team: str) -> Purchase:
    """A purchase that waits for the card's owner."""
    made = await ordered(shop, team)
    assert await carry_out(shop, made) is PurchaseState.AUTHENTICATING
    return made


async def asked(gateway: TestGateway, made: Purchase) -> Hold:
    found = await gateway.find(made.id, customer=made.team_id)
    assert found is not None
    return found


async def test_a_purchase_waits_for_the_bank_with_nothing_held_and_nothing_bought_a5(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    made = await waiting(shop, buyer)
    assert await carry_out(shop, made) is PurchaseState.AUTHENTICATING
    assert [each.state for each in await gateway.orders()] == [HoldState.AUTHENTICATING]
    assert await shop.carrier.list_numbers() == []


async def test_confirmed_at_the_bank_it_goes_on_by_itself_a5(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    billing.when_settled(numbers.when_settled)
    made = await waiting(shop, buyer)
    worker = Jobs(shop.database)
    jobs.register(worker, shop)
    await worker.run_due()
    await answer(gateway, await asked(gateway, made), approve=True)
    async with shop.database.team(buyer) as session:
        assert (await billing.look(session, gateway, buyer, made.id)).ok
    await worker.run_due()
    assert await check_end(shop, gateway, made) is PurchaseState.COMPLETED


async def test_refused_at_the_bank_it_ends_with_nothing_held_a5(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    made = await waiting(shop, buyer)
    await answer(gateway, await asked(gateway, made), approve=False)
    await carry_out(shop, made)
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED
    async with shop.database.team(buyer) as session:
        # The card is not to blame: it may buy again (A1).
        assert (await billing.standing(session, buyer)).may_buy


@pytest.mark.parametrize("late", [False, True])
async def test_given_up_or_out_of_time_it_ends_and_cannot_be_confirmed_later_a5(
    shop: Shop, gateway: TestGateway, buyer: str, late: bool
) -> None:
    made = await waiting(shop, buyer)
    still_open = await asked(gateway, made)
    async with shop.database.team(buyer) as session:
        if late:
            found = await session.get_one(Purchase, made.id)
            found.waits_since -= saga.AUTHENTICATION_PATIENCE
        else:
            await purchase.give_up(session, buyer, made.id)
    await carry_out(shop, made)
    assert await check_end(shop, gateway, made) is PurchaseState.FAILED
    await answer(gateway, still_open, approve=True)
    assert (await asked(gateway, made)).state is HoldState.VOIDED


async def test_the_owners_time_at_the_bank_is_not_taken_from_the_carriers_faults_b(
    shop: Shop, gateway: TestGateway, buyer: str
) -> None:
    made = await waiting(shop, buyer)
    async with shop.database.team(buyer) as session:
        found = await session.get_one(Purchase, made.id)
        found.waits_since -= saga.AUTHENTICATION_PATIENCE - timedelta(minutes=1)
    await answer(gateway, await asked(gateway, made), approve=True)
    taken = await purchasing.step(shop, buyer, made.id)
    assert taken is not None
    assert taken.state is PurchaseState.AUTHORISED
    async with shop.database.team(buyer) as session:
        found = await session.get_one(Purchase, made.id)
        assert found.waits_since == found.updated_at


async def test_only_a_waiting_purchase_can_be_given_up(
    shop: Shop, gateway: TestGateway, buyer: str, other_team: str
) -> None:
    made = await waiting(shop, buyer)
    with pytest.raises(problems.PurchaseNotFound):
        async with shop.database.team(other_team) as session:
            await purchase.give_up(session, other_team, made.id)
    for refusal in (None, problems.PurchaseNotWaiting):
        async with shop.database.team(buyer) as session:
            if refusal is None:
                await purchase.give_up(session, buyer, made.id)
            else:
                with pytest.raises(refusal):
                    await purchase.give_up(session, buyer, made.id)


async def test_less_than_a_card_can_be_charged_is_not_charged_with_the_purchase_a6(
    shop: Shop, team: str, stripe_installed: StandIn
) -> None:
    assert billing.least("USD") == Money.of("0.50")
    assert billing.least("JPY") == Money.of("50", "JPY")
    last_day = datetime(2026, 5, 31, 12, tzinfo=UTC)
    rent = Money.of("2.00")
    assert purchase.today(rent, last_day, "UTC") == Money.of("0")
    assert purchase.today(rent, last_day - timedelta(days=15), "UTC") == Money.of("1.03")
