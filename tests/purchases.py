"""Purchases in steps, for the tests of this room: quote, order, carry out, check the end."""

from sqlalchemy import func, select

from number_fixtures import BY, CALLBACKS
from offhook.billing import HoldState, TestGateway
from offhook.billing.models import Charge
from offhook.carriers import Carrier, NumberType, Search
from offhook.db import Database, EventRow
from offhook.numbers import NumberStatus, purchase, purchasing
from offhook.numbers.models import Number, Purchase, Quote
from offhook.numbers.purchase import Listing
from offhook.numbers.purchasing import Shop
from offhook.numbers.saga import PurchaseState
from offhook.phone import E164
from offhook.prices import Money

FIRST_MONTH = Money.of("1.16")


async def search(database: Database, carrier: Carrier, team: str, query: Search) -> list[Listing]:
    async with database.team(team) as session:
        return await purchase.search(session, carrier, query, carrier_name="simulator")


async def quote(shop: Shop, team: str, e164: str = "") -> Quote:
    if not e164:
        found = await search(shop.database, shop.carrier, team, Search(area_code="415", limit=1))
        e164 = found[0].offer.e164
    async with shop.database.team(team) as session:
        shown = await purchase.quote(
            session,
            shop.carrier,
            team,
            BY,
            e164=E164(e164),
            number_type=NumberType.LOCAL,
            zone="UTC",
            carrier_name="simulator",
        )
        shown.first_month_micros = FIRST_MONTH.micros  # whatever day it is
        return shown


async def order(
    database: Database, team: str, shown: Quote, key: str = "k", terms: str = ""
) -> Purchase:
    async with database.team(team) as session:
        return await purchase.order(
            session,
            team,
            BY,
            quote_id=shown.id,
            accepted_terms=terms or shown.terms_version,
            idempotency_key=key,
        )


async def ordered(shop: Shop, team: str, key: str = "k") -> Purchase:
    return await order(shop.database, team, await quote(shop, team), key)


async def carry_out(shop: Shop, made: Purchase) -> PurchaseState | None:
    return await purchasing.carry_out(shop, made.team_id, made.id)


async def check_end(shop: Shop, gateway: TestGateway, made: Purchase) -> PurchaseState:
    """The only two ends there are: {1 number, 1 charge} or {none at the carrier, no charge}."""
    async with shop.database.team(made.team_id) as session:
        found = await session.get_one(Purchase, made.id)
        rows = (await session.scalars(select(Number))).all()
        charges = (await session.scalars(select(Charge))).all()
        told = await session.scalar(select(func.count()).where(EventRow.name == "number.purchased"))
    at_carrier = await shop.carrier.list_numbers()
    orders = {each.state for each in await gateway.orders()}
    state = PurchaseState(found.state)
    if state is PurchaseState.COMPLETED:
        assert [(each.e164, each.status) for each in rows] == [(made.e164, NumberStatus.DISABLED)]
        assert rows[0].id == found.number_id
        assert rows[0].held_since is not None
        assert [each.order_tag for each in at_carrier] == [made.id]
        assert at_carrier[0].callbacks == CALLBACKS
        assert (orders, [each.state for each in charges]) == (
            {HoldState.CAPTURED},
            [HoldState.CAPTURED],
        )
        assert told == 1
    else:
        assert state is PurchaseState.FAILED
        assert found.failure
        assert (list(rows), at_carrier, told) == ([], [], 0)
        assert orders <= {HoldState.VOIDED, HoldState.DECLINED}
        assert {each.state for each in charges} <= {HoldState.VOIDED, HoldState.DECLINED}
    return state
