"""What is used of a vendor, and what it costs at the operator's rates. Pure.

A rate is for one vendor, model and kind, valid from an instant on, and never changed, as a price
is (UP5). Amounts are whole units; a cost is rounded once, to a millionth, when it is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from offhook.prices import Money

MILLION = 1_000_000
MINUTE_MS = 60_000


class Kind(StrEnum):
    """What a vendor charges for."""

    TOKENS_IN = "tokens_in"  # read by a language model, without those from its cache
    TOKENS_CACHED = "tokens_cached"
    TOKENS_OUT = "tokens_out"
    REPLIES = "replies"  # of a language model, or of the offline answerer
    LISTENED_MS = "listened_ms"  # audio given to a recogniser
    SPOKEN_CHARACTERS = "spoken_characters"  # text given to a synthesiser
    LOOK_UPS = "look_ups"  # of a caller's name, at the carrier

    @property
    def per(self) -> int:
        """How many units a rate is for."""
        return {Kind.LISTENED_MS: MINUTE_MS, Kind.REPLIES: 1, Kind.LOOK_UPS: 1}.get(self, MILLION)

    @property
    def words(self) -> str:
        """The unit of a rate as people say it."""
        return {
            Kind.TOKENS_IN: "1 million tokens read",
            Kind.TOKENS_CACHED: "1 million tokens from the cache",
            Kind.TOKENS_OUT: "1 million tokens written",
            Kind.REPLIES: "reply",
            Kind.LISTENED_MS: "minute listened",
            Kind.SPOKEN_CHARACTERS: "1 million characters spoken",
            Kind.LOOK_UPS: "look-up of a name",
        }[self]


@dataclass(frozen=True, slots=True)
class Used:
    """So many units of one kind from one vendor's model."""

    kind: Kind
    vendor: str
    model: str
    amount: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What `kind.per` units cost from `valid_from` on."""

    id: str
    vendor: str
    model: str
    kind: Kind
    money: Money
    valid_from: datetime

    def cost(self, amount: int) -> Money:
        """Of `amount` units, rounded half-even to a millionth."""
        return self.money.share(amount, self.kind.per)


def in_force(rates: Iterable[Rate], used: Used, at: datetime) -> Rate | None:
    """The latest rate for what was used that had begun by `at`."""
    mine = [
        rate
        for rate in rates
        if (rate.vendor, rate.model, rate.kind) == (used.vendor, used.model, used.kind)
        and rate.valid_from <= at
    ]
    return max(mine, key=lambda rate: rate.valid_from, default=None)


def added(used: Iterable[Used]) -> list[Used]:
    """The same with one entry for each vendor, model and kind; nothing used is left out."""
    totals: dict[tuple[Kind, str, str], int] = {}
    for each in used:
        key = (each.kind, each.vendor, each.model)
        totals[key] = totals.get(key, 0) + each.amount
    return [Used(*key, amount) for key, amount in sorted(totals.items()) if amount > 0]


def amount_words(kind: Kind, amount: int) -> str:
    """An amount as a page shows it."""
    if kind is Kind.LISTENED_MS:
        return f"{amount / 1000:,.1f} s listened"
    if kind is Kind.LOOK_UPS:
        return f"{amount:,} {'name' if amount == 1 else 'names'} looked up"
    unit = {
        Kind.TOKENS_IN: "tokens read",
        Kind.TOKENS_CACHED: "tokens from the cache",
        Kind.TOKENS_OUT: "tokens written",
        Kind.SPOKEN_CHARACTERS: "characters spoken",
    }.get(kind, "reply" if amount == 1 else "replies")
    return f"{amount:,} {unit}"
