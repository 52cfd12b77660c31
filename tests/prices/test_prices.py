"""The price list: complete for the simulator's countries, versioned by its start (UP5, A3, A4)."""

from datetime import UTC, datetime, timedelta

import pytest

from offhook import prices
from offhook.db import Database, Session
from offhook.prices import Direction, Money, NumberType

COUNTRIES = ("US", "CA", "GB", "DE", "FR", "AU")
NOON = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("number_type", list(NumberType))
@pytest.mark.parametrize("carrier", ["simulator", "twilio"])
def test_every_kind_on_sale_has_one_shipped_price(
    country: str, number_type: NumberType, carrier: str
) -> None:
    kind = (carrier, country, number_type)
    found = [p for p in prices.shipped() if (p.carrier, p.country, p.number_type) == kind]
    assert len(found) == 1
    assert all(m.micros > 0 for m in (found[0].monthly, found[0].per_minute()))


def test_the_terms_name_their_version_and_the_allowances() -> None:
    assert prices.TERMS_VERSION in prices.terms()
    assert f"first {prices.FREE_MINUTES} minutes" in prices.terms()
    assert f"first {prices.FREE_MESSAGES} messages" in prices.terms()


async def local(session: Session, at: datetime) -> prices.Price:
    return await prices.price_at(
        session, carrier="simulator", country="US", number_type="local", at=at
    )


async def raise_price(session: Session, minute: str, valid_from: datetime) -> prices.Price:
    return await prices.add_price(
        session,
        carrier="simulator",
        country="US",
        number_type=NumberType.LOCAL,
        monthly=Money.of("2"),
        minute=(Money.of(minute), Money.of("0.03")),
        message=(Money.of("0.01"), Money.of("0.01")),
        valid_from=valid_from,
    )


async def test_the_operators_version_is_in_force_from_its_first_instant(
    clocked: Database,
) -> None:
    later = NOON + timedelta(days=1)
    async with clocked.system() as session:
        await raise_price(session, "0.0137", later)
    async with clocked.system() as session:
        before = await local(session, later - timedelta(microseconds=1))
        after = await local(session, later)
    assert before.per_minute().amount == "0.02"
    assert (after.per_minute().amount, after.per_minute(Direction.OUTBOUND).amount) == (
        "0.0137",
        "0.03",
    )


async def test_a_price_does_not_reach_back(clocked: Database) -> None:
    async with clocked.system() as session:
        with pytest.raises(prices.PriceInPast):
            await raise_price(session, "0.05", NOON - timedelta(seconds=1))


async def test_a_kind_without_a_price_is_named(clocked: Database) -> None:
    async with clocked.system() as session:
        with pytest.raises(prices.PriceMissing, match="local numbers of ZZ at simulator"):
            await prices.price_at(
                session, carrier="simulator", country="ZZ", number_type="local", at=NOON
            )
