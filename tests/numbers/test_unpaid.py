"""Numbers of a team that does not pay: A6, UN8 to UN11, N11, UX8, against the real close."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from number_fixtures import BY, bring, make_agent, make_enabled, make_number, make_ready, make_team
from offhook import billing, numbers, usage
from offhook.billing import CardInput, TestGateway, collecting, invoicing
from offhook.billing.models import Invoice, InvoiceLine
from offhook.billing.totals import LineKind
from offhook.carriers import Account, Network
from offhook.db import Database
from offhook.numbers import Answerer, Number, NumberStatus, Refusal, Service, rents_due
from offhook.prices import Money
from offhook.settings import Settings
from offhook.vault import open_vault

FAILS_LATER, GOOD = "4000000000000341", "4242424242424242"
DAY = timedelta(days=1)


class Clock:
    instant: datetime


@pytest.fixture(autouse=True)
def joined() -> None:
    """As app.py joins the rooms."""
    billing.rents_from(rents_due)
    billing.when_suspended(numbers.stop_suspended)


async def add_card(database: Database, gateway: TestGateway, team: str, number: str) -> None:
    async with database.team(team) as session:
        await billing.add_card(session, gateway, team, CardInput(number, 12, 2099, "123"))


async def answers(database: Database, team: str, number_id: str) -> str:
    async with database.team(team) as session:
        match await numbers.answering(session, team, number_id, Service.CALLS):
            case Answerer():
                return "answers"
            case Refusal(reason=reason):
                return reason
            case None:
                return "no number"


async def test_ux8_live_to_day_14_rejected_to_day_20_then_as_before(
    clocked: Database, gateway: TestGateway, clock: Clock
) -> None:
    clock.instant = datetime(2026, 1, 10, tzinfo=UTC)
    team = await make_team(clocked, "Bakery")
    agent = await make_agent(clocked, team)
    async with clocked.team(team) as session:
        await usage.period_at(session, team, clock.instant)
    one, two = [await make_enabled(clocked, team, agent) for _ in range(2)]
    off = await make_ready(clocked, team, agent)  # the team's own choice
    await add_card(clocked, gateway, team, FAILS_LATER)
    clock.instant = datetime(2026, 2, 4, tzinfo=UTC)
    await invoicing.close_due(clocked)
    day_0 = clock.instant
    for day in (0, 1, 2, 4, 6, 8, 11, 13, 14, 17, 20):
        clock.instant = day_0 + day * DAY
        await collecting.collect_due(clocked, gateway)
        seen = [await answers(clocked, team, each) for each in (one, two, off)]
        lives = "answers" if day < 14 else "suspended"
        assert (day, seen) == (day, [lives, lives, "disabled"])
    await add_card(clocked, gateway, team, GOOD)
    clock.instant += timedelta(minutes=1)
    await collecting.collect_due(clocked, gateway)
    after = [await answers(clocked, team, each) for each in (one, two, off)]
    assert after == ["answers", "answers", "disabled"]


async def test_rents_are_in_advance_for_every_held_number_a6(
    clocked: Database, clock: Clock, settings: Settings
) -> None:
    clock.instant = datetime(2026, 1, 10, tzinfo=UTC)
    team = await make_team(clocked, "Bakery")
    async with clocked.team(team) as session:
        await usage.period_at(session, team, clock.instant)
    kept = await make_number(clocked, team)
    deleted_before, deleted_after, own = [await make_number(clocked, team) for _ in range(3)]
    await bring(
        clocked, open_vault(settings), team, own, Account("AC" + "0" * 32, "t" * 32, Network.TWILIO)
    )
    async with clocked.team(team) as session:
        e164 = {number.id: number.e164 for number in await session.scalars(select(Number))}
        await numbers.delete(session, team, deleted_before, BY, confirmation=e164[deleted_before])
    clock.instant = datetime(2026, 2, 1, 0, 5, tzinfo=UTC)
    new = await make_number(clocked, team)  # its days of February were paid with the purchase
    async with clocked.team(team) as session:
        await numbers.delete(session, team, deleted_after, BY, confirmation=e164[deleted_after])
    for month in (2, 3):
        clock.instant = datetime(2026, month, 4, tzinfo=UTC)
        await invoicing.close_due(clocked)
    async with clocked.team(team) as session:
        rows = await session.execute(
            select(InvoiceLine.number_id, InvoiceLine.description, InvoiceLine.amount_micros)
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .where(InvoiceLine.kind == LineKind.RENT)
            .order_by(Invoice.sequence, InvoiceLine.position)
        )
        two = Money.of("2").micros
        assert [tuple(row) for row in rows] == [
            (kept, "Rent, February 2026", two),
            (deleted_after, "Rent, February 2026", two),
            (kept, "Rent, March 2026", two),
            (new, "Rent, March 2026", two),
        ]


async def test_released_after_suspension_all_numbers_go_back_un11(
    clocked: Database, clock: Clock
) -> None:
    team = await make_team(clocked, "Bakery")
    agent = await make_agent(clocked, team)
    await make_enabled(clocked, team, agent)
    await make_number(clocked, team)
    async with clocked.team(team) as session:
        await numbers.release_suspended(session, team)
    async with clocked.team(team) as session:
        states = (await session.scalars(select(Number.status))).all()
    assert set(states) == {NumberStatus.RELEASING}
