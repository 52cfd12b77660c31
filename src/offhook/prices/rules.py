"""What a price is, which version is in force (UP5), the free allowances and the terms (A3, A4).

The shipped price list is data (list.toml). A version is never changed: a new price is a new
version with a later `valid_from`. Knows no database.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files

from offhook.errors import Conflict
from offhook.prices.money import Money

FREE_MINUTES = 60  # per team and month, shared by all its numbers (U6)
FREE_MESSAGES = 100
TERMS_VERSION = "2026-01"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class NumberType(StrEnum):
    LOCAL = "local"
    MOBILE = "mobile"
    TOLL_FREE = "toll_free"


class CarrierKind(StrEnum):
    """Who carries a number, as the price list tells them apart."""

    SIMULATOR = "simulator"
    TWILIO = "twilio"
    OWN = "own"  # a number of the team's own carrier account: no rent of ours (A7)


class PriceMissing(Conflict):
    """No price is set for a kind of number, so it can be neither offered nor rated."""

    code = "price_missing"


@dataclass(frozen=True, slots=True)
class Price:
    """One version of the price of one kind of number at one carrier."""

    id: str
    carrier: str
    country: str
    number_type: NumberType
    monthly: Money
    minute_inbound: Money
    minute_outbound: Money
    message_inbound: Money
    message_outbound: Money
    valid_from: datetime

    @property
    def kind(self) -> tuple[str, str, str]:
        """What the price is for: carrier, country, number type."""
        return self.carrier, self.country, self.number_type.value

    def per_minute(self, direction: Direction = Direction.INBOUND) -> Money:
        return self.minute_inbound if direction is Direction.INBOUND else self.minute_outbound

    def per_message(self, direction: Direction = Direction.OUTBOUND) -> Money:
        return self.message_inbound if direction is Direction.INBOUND else self.message_outbound


def in_force(versions: Iterable[Price], at: datetime) -> Price | None:
    """The version valid at `at` (UP5): the latest that began; of two at one instant the last."""
    chosen: Price | None = None
    for version in versions:
        if version.valid_from <= at and (chosen is None or version.valid_from >= chosen.valid_from):
            chosen = version
    return chosen


@cache
def shipped() -> tuple[Price, ...]:
    """The price list that comes with Offhook, each row once for each of its carriers."""
    document = tomllib.loads(files("offhook.prices").joinpath("list.toml").read_text("utf-8"))
    currency = document["currency"]
    return tuple(
        Price(
            id=f"{carrier}-{row['country']}-{row['type']}-{edition['valid_from']}",
            carrier=carrier,
            country=row["country"],
            number_type=NumberType(row["type"]),
            monthly=Money.of(row["monthly"], currency),
            minute_inbound=Money.of(row["minute"][0], currency),
            minute_outbound=Money.of(row["minute"][1], currency),
            message_inbound=Money.of(row["message"][0], currency),
            message_outbound=Money.of(row["message"][1], currency),
            valid_from=datetime.fromisoformat(edition["valid_from"]).replace(tzinfo=UTC),
        )
        for edition in document["edition"]
        for row in edition["prices"]
        for carrier in edition["carriers"]
    )


@cache
def terms() -> str:
    """The text that a buyer accepts (A4), Markdown; its version is TERMS_VERSION."""
    return files("offhook.prices").joinpath("terms.md").read_text("utf-8")
