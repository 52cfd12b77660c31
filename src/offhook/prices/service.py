"""Looking up the price in force, and adding a version. Prices belong to no team."""

from datetime import datetime

from sqlalchemy import select

from offhook.db import Session, new_id, now
from offhook.errors import Invalid
from offhook.prices import rules
from offhook.prices.models import PriceVersion
from offhook.prices.money import Money
from offhook.prices.rules import NumberType, Price, PriceMissing


class PriceInPast(Invalid):
    """A new price must not change what has happened already (UP5)."""

    code = "price_in_past"


async def versions(
    session: Session, *, carrier: str, country: str, number_type: str
) -> list[Price]:
    """Every version for one kind of number, for `in_force`: shipped ones, then the operator's,
    so that of one instant the operator's wins.
    """
    rows = await session.scalars(
        select(PriceVersion).where(
            PriceVersion.carrier == carrier,
            PriceVersion.country == country,
            PriceVersion.number_type == number_type,
        )
    )
    kind = (carrier, country, number_type)
    listed = [p for p in rules.shipped() if (p.carrier, p.country, p.number_type) == kind]
    return [*listed, *map(_price, rows)]


async def price_at(
    session: Session, *, carrier: str, country: str, number_type: str, at: datetime
) -> Price:
    """The price in force at `at` (UP5). Raises PriceMissing."""
    known = await versions(session, carrier=carrier, country=country, number_type=number_type)
    price = rules.in_force(known, at)
    if price is None:
        raise PriceMissing(
            f"No price is set for {number_type} numbers of {country} at {carrier}.",
            remedy="The operator can add one to the price list.",
            carrier=carrier,
            country=country,
            number_type=number_type,
        )
    return price


async def add_price(
    session: Session,
    *,
    carrier: str,
    country: str,
    number_type: NumberType,
    monthly: Money,
    minute: tuple[Money, Money],
    message: tuple[Money, Money],
    valid_from: datetime,
) -> Price:
    """A new version from `valid_from` on; `minute` and `message` are (inbound, outbound).

    Raises PriceInPast where it would reach back.
    """
    present = await now(session)
    if valid_from < present:
        raise PriceInPast(
            f"A price cannot be valid from {valid_from:%Y-%m-%d %H:%M} UTC, which has passed.",
            remedy="Choose a later time.",
        )
    row = PriceVersion(
        id=new_id("price"),
        carrier=carrier,
        country=country,
        number_type=number_type.value,
        currency=monthly.currency,
        monthly=monthly.micros,
        minute_inbound=minute[0].micros,
        minute_outbound=minute[1].micros,
        message_inbound=message[0].micros,
        message_outbound=message[1].micros,
        valid_from=valid_from,
        created_at=present,
    )
    session.add(row)
    await session.flush()
    return _price(row)


def _price(row: PriceVersion) -> Price:
    return Price(
        id=row.id,
        carrier=row.carrier,
        country=row.country,
        number_type=NumberType(row.number_type),
        monthly=Money(row.monthly, row.currency),
        minute_inbound=Money(row.minute_inbound, row.currency),
        minute_outbound=Money(row.minute_outbound, row.currency),
        message_inbound=Money(row.message_inbound, row.currency),
        message_outbound=Money(row.message_outbound, row.currency),
        valid_from=row.valid_from,
    )
