"""What a team's numbers cost by the month (A6): in advance, also disabled, not given back.

The month in which a number was quoted is paid with its purchase, by its days. A number of the
team's own carrier account has no rent here.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, select

from offhook import prices
from offhook.billing import Rent
from offhook.db import Session
from offhook.numbers.models import Activity, Number, Purchase, Quote
from offhook.prices import Money


async def rents_due(
    session: Session, team_id: str, start: datetime, end: datetime
) -> Sequence[Rent]:
    """The rents of the month [start, end), at the prices in force when it starts (UP5)."""
    numbers = await session.scalars(
        select(Number)
        .outerjoin(Purchase, Purchase.id == Number.purchase_id)
        .outerjoin(Quote, Quote.id == Purchase.quote_id)
        .where(
            Number.team_id == team_id,
            Number.held_since < end,
            Number.account_id.is_(None),
            # The quote's month is paid already, also where the money was taken just after it.
            func.coalesce(Quote.created_at, Number.held_since) < start,
            ~exists().where(
                Activity.team_id == team_id,
                Activity.number_id == Number.id,
                Activity.action == "deleted",
                Activity.at < start,
            ),
        )
        .order_by(Number.held_since, Number.id)
    )
    return [await _rent(session, number, start) for number in numbers.all()]


async def _rent(session: Session, number: Number, at: datetime) -> Rent:
    try:
        price = await prices.price_at(
            session,
            carrier=number.carrier,
            country=number.country,
            number_type=number.type,
            at=at,
        )
    except prices.PriceMissing:  # its kind is no longer sold: as it was bought
        return Rent(number.id, "", Money(number.rent_micros, number.currency))
    return Rent(number.id, price.id, price.monthly)
