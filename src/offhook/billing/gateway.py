"""The port to whoever moves the money: hold, take, let go, remember a card.

Every gateway implements `Gateway`. An order is named by our idempotency key; the same key never
holds twice, so after a doubt one looks up or asks again by key. Knows no team and no purchase.

    GatewayProblem
    ├── Declined      the card's bank said no; nothing is held. `decline_code` says why
    ├── CardInvalid   the card cannot be stored as it was given
    └── Unreachable   no usable answer: it may or may not have happened, look it up by key
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from offhook.errors import Conflict, Invalid, Problem, Unavailable
from offhook.prices import Money


class HoldState(StrEnum):
    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class CardInput:
    """What a person typed; passed on to the gateway and never stored or logged here."""

    number: str
    expiry_month: int
    expiry_year: int
    code: str

    def __repr__(self) -> str:
        return "CardInput(…)"


@dataclass(frozen=True, slots=True)
class Card:
    """A stored card: the gateway's token for it, and what may be shown."""

    token: str
    brand: str
    last4: str
    expiry_month: int
    expiry_year: int


@dataclass(frozen=True, slots=True)
class Hold:
    key: str
    money: Money
    state: HoldState
    made_at: datetime
    decline_code: str = ""


class GatewayProblem(Problem):
    code = "gateway_problem"


class Declined(GatewayProblem, Conflict):
    code = "card_declined"
    status = 402

    def __init__(self, sentence: str, *, decline_code: str, remedy: str = "") -> None:
        super().__init__(
            sentence,
            remedy=remedy or "Add another card, or make one that works the default.",
            decline_code=decline_code,
        )
        self.decline_code = decline_code


class CardInvalid(GatewayProblem, Invalid):
    code = "card_invalid"
    status = 422

    def __init__(self, sentence: str, *, field: str, remedy: str = "") -> None:
        errors: list[dict[str, Any]] = [{"field": field, "sentence": sentence}]
        super().__init__(sentence, remedy=remedy, errors=errors)


class Unreachable(GatewayProblem, Unavailable):
    code = "gateway_unreachable"
    status = 503


class Gateway(Protocol):
    """One merchant account at one payment gateway. Raises nothing but the tree above."""

    async def add_card(self, card: CardInput, *, customer: str, at: datetime) -> Card:
        """Store a card for `customer` (a team's id). CardInvalid where it cannot be used."""
        ...

    async def remove_card(self, token: str) -> None:
        """Forget a card; one that is unknown is no error."""
        ...

    async def authorise(self, key: str, money: Money, *, token: str, at: datetime) -> Hold:
        """Hold `money` on a card. The same key answers with the first outcome again."""
        ...

    async def find(self, key: str) -> Hold | None:
        """What became of the order with this key, or None: it never arrived."""
        ...

    async def capture(self, key: str) -> Hold:
        """Take what is held. Taking it again changes nothing. Declined when it is held no more."""
        ...

    async def void(self, key: str) -> None:
        """Let go what is held, or give back what was taken; an unknown key is no error."""
        ...
