"""Cards, holds and standing on a real database and with the test gateway (A1, A5, N11, SEC7)."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from offhook import billing
from offhook.billing import CardInput, HoldState, Step, SubscriptionState, TestGateway, cards
from offhook.billing.gateway import Order
from offhook.billing.models import Charge
from offhook.billing.rules import CardStatus, MissingCode
from offhook.billing.subscriptions import StepNotAllowed
from offhook.db import Database, EventRow, Session
from offhook.prices import Money

GOOD, POOR = "4242 4242 4242 4242", "4000000000000341"
RENT = Money.of("1.16")


def card_input(number: str = GOOD, *, month: int = 12, year: int = 2099) -> CardInput:
    return CardInput(number, month, year, "123")


async def add(database: Database, gateway: TestGateway, team: str, number: str = GOOD) -> str:
    async with database.team(team) as session:
        return (await billing.add_card(session, gateway, team, card_input(number))).id


async def missing(database: Database, team: str) -> list[str]:
    async with database.team(team) as session:
        return [each.code for each in (await billing.standing(session, team)).missing]


async def hold(database: Database, gateway: TestGateway, team: str, key: str) -> billing.Outcome:
    async with database.team(team) as session:
        return await billing.hold(
            session, gateway, team, key=key, money=RENT, description="Rent", reference="pur_1"
        )


async def test_a_new_team_has_a_trial_and_lacks_only_a_card_a1(
    database: Database, gateway: TestGateway, team: str
) -> None:
    assert await missing(database, team) == [MissingCode.PAYMENT_METHOD]
    await add(database, gateway, team)
    assert await missing(database, team) == []


async def test_no_card_number_is_stored_anywhere(
    database: Database, gateway: TestGateway, team: str
) -> None:
    await add(database, gateway, team)
    async with database.system() as session:
        for table in ("payment_methods", "test_gateway_cards"):
            rows = await session.execute(text(f"SELECT t::text FROM {table} AS t"))  # noqa: S608
            assert "4242424242424242" not in str(rows.all())
    assert "4242" not in repr(card_input())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (card_input("4111111111111112"), "number"),
        (card_input("four"), "number"),
        (card_input(""), "number"),
        (card_input(month=13), "expiry_month"),
        (card_input(month=0), "expiry_month"),
        (card_input(year=2020), "expiry_year"),
        (CardInput(GOOD, 12, 2099, "12"), "code"),
        (CardInput(GOOD, 12, 2099, "１２３"), "code"),
    ],
)
async def test_a_card_that_cannot_be_used_is_refused_with_its_field(
    database: Database, gateway: TestGateway, team: str, given: CardInput, field: str
) -> None:
    with pytest.raises(billing.CardInvalid) as refused:
        async with database.team(team) as session:
            await billing.add_card(session, gateway, team, given)
    assert refused.value.details["errors"][0]["field"] == field
    assert await missing(database, team) == [MissingCode.PAYMENT_METHOD]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("4000000000000002", "card_declined"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000000069", "expired_card"),
        ("4000000000000127", "incorrect_cvc"),
    ],
)
async def test_a_card_that_its_bank_declines_is_not_stored_and_says_why(
    database: Database, gateway: TestGateway, team: str, number: str, code: str
) -> None:
    with pytest.raises(billing.Declined) as refused:
        await add(database, gateway, team, number)
    assert (refused.value.decline_code, refused.value.status) == (code, 402)
    assert await missing(database, team) == [MissingCode.PAYMENT_METHOD]


async def test_a_declined_charge_is_recorded_and_blocks_buying_a1(
    database: Database, gateway: TestGateway, team: str
) -> None:
    await add(database, gateway, team, POOR)
    outcome = await hold(database, gateway, team, "pur_1")
    assert (outcome.ok, outcome.code) == (False, "card_declined")
    assert outcome.sentence
    assert await missing(database, team) == [MissingCode.CARD_DECLINED]
    async with database.team(team) as session:
        charge = (await session.scalars(select(Charge))).one()
        names = (await session.scalars(select(EventRow.name))).all()
    assert (charge.state, charge.decline_code) == (HoldState.DECLINED, "card_declined")
    assert names == ["payment.failed"]


async def test_a_card_that_works_added_after_a_decline_takes_over_a1(
    database: Database, gateway: TestGateway, team: str
) -> None:
    await add(database, gateway, team, POOR)
    await hold(database, gateway, team, "pur_1")
    good = await add(database, gateway, team)
    async with database.team(team) as session:
        on_file = await cards.on_file(session, team)
    assert [(each.id == good, each.is_default) for each in on_file] == [
        (True, True),
        (False, False),
    ]
    assert await missing(database, team) == []


async def test_a_hold_is_taken_once_however_often_it_is_asked_a5(
    database: Database, gateway: TestGateway, team: str
) -> None:
    await add(database, gateway, team)
    for _ in range(3):
        assert (await hold(database, gateway, team, "pur_1")).ok
    for _ in range(2):
        async with database.team(team) as session:
            assert (await billing.capture(session, gateway, team, "pur_1")).ok
    orders = await gateway.orders()
    assert [(each.state, each.money) for each in orders] == [(HoldState.CAPTURED, RENT)]


async def test_a_hold_of_a_rolled_back_transaction_is_found_again_a5(
    database: Database, gateway: TestGateway, team: str
) -> None:
    class Killed(BaseException):
        pass

    await add(database, gateway, team)
    with pytest.raises(Killed):
        async with database.team(team) as session:
            await billing.hold(
                session, gateway, team, key="k", money=RENT, description="", reference=""
            )
            raise Killed
    found = await gateway.find("k", customer=team)
    assert found is not None
    assert found.state is HoldState.HELD
    assert (await hold(database, gateway, team, "k")).ok
    assert len(await gateway.orders()) == 1


async def test_voided_money_is_given_back_even_after_it_was_taken_a5(
    database: Database, gateway: TestGateway, team: str
) -> None:
    await add(database, gateway, team)
    await hold(database, gateway, team, "a")
    await hold(database, gateway, team, "b")
    async with database.team(team) as session:
        await billing.capture(session, gateway, team, "a")
    for key in ("a", "b", "never ordered"):
        async with database.team(team) as session:
            await billing.void(session, gateway, team, key)
    assert {each.state for each in await gateway.orders()} == {HoldState.VOIDED}
    async with database.team(team) as session:
        outcome = await billing.capture(session, gateway, team, "a")
    assert (outcome.ok, outcome.code) == (False, "hold_expired")


async def test_thirty_parallel_holds_with_one_key_hold_once_sec23(
    database: Database, gateway: TestGateway, team: str
) -> None:
    await add(database, gateway, team)
    async with database.team(team) as session:
        token = (await cards.on_file(session, team))[0].token
    order = Order("k", team, RENT, token)
    holds = await asyncio.gather(*(gateway.authorise(order, at=_at()) for _ in range(30)))
    assert {each.state for each in holds} == {HoldState.HELD}
    assert len(await gateway.orders()) == 1


async def test_removing_the_default_card_makes_the_newest_left_the_default(
    database: Database, gateway: TestGateway, team: str
) -> None:
    first, second = [await add(database, gateway, team) for _ in range(2)]
    async with database.team(team) as session:
        await cards.remove_card(session, gateway, team, first)
    async with database.team(team) as session:
        on_file = await cards.on_file(session, team)
    assert [(each.id, each.is_default) for each in on_file] == [(second, True)]


async def test_parallel_changes_of_cards_leave_one_default_sec23(
    database: Database, gateway: TestGateway, team: str
) -> None:
    ids = [await add(database, gateway, team) for _ in range(3)]

    async def choose(card_id: str) -> None:
        async with database.team(team) as session:
            await cards.set_default(session, team, card_id)

    await asyncio.gather(*(choose(ids[n % 3]) for n in range(12)))
    async with database.team(team) as session:
        assert sum(each.is_default for each in await cards.on_file(session, team)) == 1


async def test_another_teams_card_is_not_there_sec7(
    database: Database, gateway: TestGateway, team: str, other_team: str
) -> None:
    theirs = await add(database, gateway, other_team)
    for use in (cards.card, cards.set_default):
        with pytest.raises(cards.CardNotFound):
            async with database.team(team) as session:
                await use(session, team, theirs)
    with pytest.raises(cards.CardNotFound):
        async with database.team(team) as session:
            await cards.remove_card(session, gateway, team, theirs)


async def test_suspension_is_told_once_and_services_end_in_its_transaction_n11(
    database: Database, team: str
) -> None:
    ended: list[str] = []

    async def end(session: Session, team_id: str) -> None:
        ended.append(team_id)

    billing.when_suspended(end)
    for step in (Step.CHARGE_FAILED, Step.UNPAID, Step.CANCEL):
        async with database.team(team) as session:
            state = await billing.change_subscription(session, team, step)
    assert state is SubscriptionState.CANCELLED
    assert ended == [team]
    async with database.team(team) as session:
        standing = await billing.standing(session, team)
        assert not standing.services_on
        await billing.change_subscription(session, team, Step.ACTIVATE)
        assert (await billing.standing(session, team)).services_on
        with pytest.raises(StepNotAllowed):
            await billing.change_subscription(session, team, Step.UNPAID)
        names = (await session.scalars(select(EventRow.name).order_by(EventRow.position))).all()
    assert names == [
        "subscription.past_due",
        "subscription.suspended",
        "subscription.suspended",
        "subscription.restored",
    ]


async def test_with_billing_off_every_team_is_active_and_nothing_is_held_u10(
    database: Database, gateway: TestGateway, team: str, billing_off: None
) -> None:
    async with database.team(team) as session:
        standing = await billing.standing(session, team)
    assert standing.may_buy
    assert (await hold(database, gateway, team, "k")).ok
    assert await gateway.orders() == []


async def test_a_declined_card_is_valid_again_after_a_charge_that_works(
    database: Database, gateway: TestGateway, team: str
) -> None:
    card_id = await add(database, gateway, team)
    async with database.team(team) as session:
        (await cards.card(session, team, card_id)).status = CardStatus.DECLINED
    assert (await hold(database, gateway, team, "k")).ok
    assert await missing(database, team) == []


def _at() -> datetime:
    return datetime(2026, 5, 14, 12, tzinfo=UTC)
