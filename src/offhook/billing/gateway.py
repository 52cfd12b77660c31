"""The port to whoever moves the money: hold, take, let go, remember a card.

Every gateway implements `Gateway`. An order is named by our idempotency key; the same key never
holds twice, so after a doubt one looks up or asks again by key. A card's bank may want to hear
from its owner first (3-D Secure): then an order waits, with the `Action` that the owner's browser
needs, until it is looked up again. Knows no team and no purchase.

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

AUTHENTICATION_REQUIRED = "authentication_required"
AUTHENTICATION_FAILED = "authentication_failed"


class HoldState(StrEnum):
    AUTHENTICATING = "authenticating"  # the card's owner is asked by the bank; nothing is held
    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    DECLINED = "declined"


class SetupState(StrEnum):
    """How far storing a card has come; an open one waits for the card or for its owner."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CardInput:
    """What a person typed; passed on to the test gateway and never stored or logged here."""

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
class Action:
    """What the browser of the card's owner needs to authenticate: one of the two.

    `client_secret` is for Stripe's script (`token`: the card that it is about); `url` is a page of
    ours, where the test gateway plays the bank. It is asked for when it is shown and never stored.
    """

    client_secret: str = ""
    token: str = ""
    url: str = ""

    def __repr__(self) -> str:
        return "Action(…)"


@dataclass(frozen=True, slots=True)
class Setup:
    """A card on its way into the gateway's keeping. `action`: what the browser needs for it."""

    id: str
    customer: str
    state: SetupState
    card: Card | None = None
    action: Action | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid: `key` is ours and names it for ever, `token` is the customer's card."""

    key: str
    customer: str
    money: Money
    token: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """An order as the gateway has it. With an `action` its owner may still authenticate it."""

    key: str
    money: Money
    state: HoldState
    made_at: datetime
    decline_code: str = ""
    customer: str = ""
    action: Action | None = None


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

    def __init__(self, sentence: str, *, retry_after_s: int | None = None) -> None:
        details = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
        super().__init__(sentence, remedy="Try again in a moment.", **details)


DECLINED_BECAUSE = {
    "card_declined": "The card was declined by its bank.",
    "insufficient_funds": "The card has insufficient funds.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is wrong.",
    "lost_card": "The card was declined by its bank.",
    "stolen_card": "The card was declined by its bank.",
    "processing_error": "The card could not be charged because of an error at its bank.",
    "amount_too_small": "The amount is too small to be charged to a card.",
    "card_unknown": "The payment gateway does not know this card.",
    "hold_expired": "The amount is no longer held on the card.",
    AUTHENTICATION_REQUIRED: "The card's bank asks its owner to confirm the payment.",
    AUTHENTICATION_FAILED: "The payment was not confirmed with the card's bank.",
}


def declined(decline_code: str, said: str = "") -> Declined:
    """A decline in our words where we have some, else in the gateway's (`said`)."""
    known = DECLINED_BECAUSE.get(decline_code)
    sentence = known or said or DECLINED_BECAUSE["card_declined"]
    remedy = ""
    if decline_code in {AUTHENTICATION_REQUIRED, AUTHENTICATION_FAILED}:
        remedy = "Confirm the payment with the card's bank, or use another card."
    return Declined(sentence, decline_code=decline_code, remedy=remedy)


class Gateway(Protocol):
    """One merchant account at one payment gateway. Raises nothing but the tree above."""

    @property
    def name(self) -> str:
        """Which gateway keeps a card: "test" or "stripe"."""
        ...

    async def open_customer(self, team_id: str) -> str:
        """The gateway's name for a team; asked again soon after, it is the same."""
        ...

    async def begin_setup(self, customer: str) -> Setup:
        """Make ready for a new card, which its owner then gives to the gateway, not to us."""
        ...

    async def find_setup(self, setup_id: str) -> Setup | None:
        """How far a setup has come; None where there is none of this id."""
        ...

    async def remove_card(self, token: str) -> None:
        """Forget a card; one that is unknown is no error."""
        ...

    async def authorise(self, order: Order, *, at: datetime) -> Hold:
        """Hold an order's money while its buyer is there: `held`, or `authenticating`.

        The same key answers with the first outcome again, as it has become since. Raises Declined.
        """
        ...

    async def charge(self, order: Order, *, at: datetime) -> Hold:
        """Take an order's money at once, with nobody there to authenticate.

        Repeated as `authorise`. A bank that insists on its owner declines with
        `authentication_required`: nothing is taken, and `find` gives the action for its owner.
        """
        ...

    async def find(self, key: str, *, customer: str) -> Hold | None:
        """What became of the order with this key, or None: it never arrived."""
        ...

    async def capture(self, key: str, *, customer: str) -> Hold:
        """Take what is held. Taking it again changes nothing. Declined when it is held no more."""
        ...

    async def void(self, key: str, *, customer: str) -> None:
        """Let go what is held or waits, or give back what was taken; an unknown key is no error.

        Afterwards nobody can authenticate the order any more.
        """
        ...

    async def aclose(self) -> None:
        """End its connections."""
        ...
