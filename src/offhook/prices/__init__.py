"""Versioned price lists and money.

    price = await prices.price_at(
        session, carrier="simulator", country="US", number_type="local", at=instant
    )
    price.monthly, price.per_minute(), price.per_message(Direction.OUTBOUND)   # Money
    prices.FREE_MINUTES, prices.FREE_MESSAGES, prices.terms(), prices.TERMS_VERSION

The operator's editor (/operator/prices) adds versions; `effect_from` lets the room that has the
usage tell what they would have done to last month.

`Money` is exact; round once, per invoice line: `(price.per_minute() * minutes).rounded()`.
"""

from offhook.prices.drafts import LEAD, PriceInPast, PriceInvalid, read_amount, read_time
from offhook.prices.effect import Effect, TeamEffect, effect_from
from offhook.prices.models import PriceVersion
from offhook.prices.money import Money
from offhook.prices.rules import (
    FREE_MESSAGES,
    FREE_MINUTES,
    TERMS_VERSION,
    CarrierKind,
    Direction,
    NumberType,
    Price,
    PriceMissing,
    in_force,
    shipped,
    terms,
)
from offhook.prices.service import add_price, all_of, price_at, stands_for, versions

__all__ = [
    "FREE_MESSAGES",
    "FREE_MINUTES",
    "LEAD",
    "TERMS_VERSION",
    "CarrierKind",
    "Direction",
    "Effect",
    "Money",
    "NumberType",
    "Price",
    "PriceInPast",
    "PriceInvalid",
    "PriceMissing",
    "PriceVersion",
    "TeamEffect",
    "add_price",
    "all_of",
    "effect_from",
    "in_force",
    "price_at",
    "read_amount",
    "read_time",
    "shipped",
    "stands_for",
    "terms",
    "versions",
]
