"""Versioned price lists and money.

    price = await prices.price_at(
        session, carrier="simulator", country="US", number_type="local", at=instant
    )
    price.monthly, price.per_minute(), price.per_message(Direction.OUTBOUND)   # Money
    prices.FREE_MINUTES, prices.FREE_MESSAGES, prices.terms(), prices.TERMS_VERSION

`Money` is exact; round once, per invoice line: `(price.per_minute() * minutes).rounded()`.
"""

from offhook.prices.money import Money
from offhook.prices.rules import (
    FREE_MESSAGES,
    FREE_MINUTES,
    TERMS_VERSION,
    Direction,
    NumberType,
    Price,
    PriceMissing,
    in_force,
    shipped,
    terms,
)
from offhook.prices.service import PriceInPast, add_price, price_at, versions

__all__ = [
    "FREE_MESSAGES",
    "FREE_MINUTES",
    "TERMS_VERSION",
    "Direction",
    "Money",
    "NumberType",
    "Price",
    "PriceInPast",
    "PriceMissing",
    "add_price",
    "in_force",
    "price_at",
    "shipped",
    "terms",
    "versions",
]
