"""Who may buy and whose numbers work: subscription, cards, standing (A1, N11, U10). Pure.

The life of a subscription:

    trial     --activate-->  active
    trial     --charge_failed--> past_due     14 days in which everything works but buying
    trial     --unpaid-->    suspended        it has ended without a card (real gateways)
    active    --charge_failed--> past_due
    past_due  --paid-->      active
    past_due  --unpaid-->    suspended        numbers are treated as disabled
    suspended --paid-->      active
    any but cancelled --cancel--> cancelled   numbers are treated as disabled
    cancelled --activate-->  active
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SubscriptionState(StrEnum):
    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


class Step(StrEnum):
    ACTIVATE = "activate"
    CHARGE_FAILED = "charge_failed"
    PAID = "paid"
    UNPAID = "unpaid"
    CANCEL = "cancel"


NEXT: dict[tuple[SubscriptionState, Step], SubscriptionState] = {
    (SubscriptionState.TRIAL, Step.ACTIVATE): SubscriptionState.ACTIVE,
    (SubscriptionState.TRIAL, Step.CHARGE_FAILED): SubscriptionState.PAST_DUE,
    (SubscriptionState.TRIAL, Step.UNPAID): SubscriptionState.SUSPENDED,
    (SubscriptionState.TRIAL, Step.CANCEL): SubscriptionState.CANCELLED,
    (SubscriptionState.ACTIVE, Step.CHARGE_FAILED): SubscriptionState.PAST_DUE,
    (SubscriptionState.ACTIVE, Step.CANCEL): SubscriptionState.CANCELLED,
    (SubscriptionState.PAST_DUE, Step.PAID): SubscriptionState.ACTIVE,
    (SubscriptionState.PAST_DUE, Step.UNPAID): SubscriptionState.SUSPENDED,
    (SubscriptionState.PAST_DUE, Step.CANCEL): SubscriptionState.CANCELLED,
    (SubscriptionState.SUSPENDED, Step.PAID): SubscriptionState.ACTIVE,
    (SubscriptionState.SUSPENDED, Step.CANCEL): SubscriptionState.CANCELLED,
    (SubscriptionState.CANCELLED, Step.ACTIVATE): SubscriptionState.ACTIVE,
}

MAY_BUY = frozenset({SubscriptionState.TRIAL, SubscriptionState.ACTIVE})
SERVICES_ON = MAY_BUY | {SubscriptionState.PAST_DUE}


class CardStatus(StrEnum):
    VALID = "valid"
    DECLINED = "declined"  # its last charge was declined


class MissingCode(StrEnum):
    SUBSCRIPTION = "subscription"
    PAYMENT_METHOD = "payment_method"
    CARD_EXPIRED = "card_expired"
    CARD_DECLINED = "card_declined"


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that keeps the team from buying, what to do about it, and the page for it."""

    code: MissingCode
    sentence: str
    remedy: str
    href: str = "/billing"


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What the rules must know of the card that would be charged."""

    brand: str
    last4: str
    expiry_month: int
    expiry_year: int
    status: CardStatus


@dataclass(frozen=True, slots=True)
class Standing:
    """What a team may do now. `services_on` is about calls and texts, `may_buy` about numbers."""

    may_buy: bool
    services_on: bool
    reason: str
    missing: Sequence[Missing] = ()


def is_expired(month: int, year: int, at: datetime) -> bool:
    """A card is good to the end of the month printed on it."""
    return (year, month) < (at.year, at.month)


def standing(state: SubscriptionState, card: CardFacts | None, at: datetime) -> Standing:
    """The standing of a team whose charges go to `card` (A1, N11); names every missing thing."""
    missing = [*_missing_subscription(state), *_missing_card(card, at)]
    return Standing(
        may_buy=not missing,
        services_on=state in SERVICES_ON,
        reason="" if state in SERVICES_ON else f"The team's subscription is {state}.",
        missing=missing,
    )


EVERY_TEAM_ACTIVE = Standing(may_buy=True, services_on=True, reason="")


def is_usable(card: CardFacts, at: datetime) -> bool:
    """Valid in the sense of A1: not expired, last charge not declined."""
    expired = is_expired(card.expiry_month, card.expiry_year, at)
    return not expired and card.status is CardStatus.VALID


def charged_card(cards: Sequence[CardFacts], at: datetime) -> int | None:
    """The index of the card that charges go to; `cards` come with the default one first.

    The default where it is usable, else the first usable one, else the default; None without any.
    """
    for index, card in enumerate(cards):
        if is_usable(card, at):
            return index
    return 0 if cards else None


def _missing_subscription(state: SubscriptionState) -> list[Missing]:
    remedies = {
        SubscriptionState.PAST_DUE: "Pay the open amount: choose a card that works.",
        SubscriptionState.SUSPENDED: "Pay the open amount: choose a card that works.",
        SubscriptionState.CANCELLED: "Activate the subscription again.",
    }
    if state in MAY_BUY:
        return []
    shown = state.replace("_", " ")
    sentence = f"The team's subscription is {shown}; buying needs an active one."
    return [Missing(MissingCode.SUBSCRIPTION, sentence, remedies[state])]


def _missing_card(card: CardFacts | None, at: datetime) -> list[Missing]:
    if card is None:
        return [
            Missing(
                MissingCode.PAYMENT_METHOD,
                "There is no payment method on file.",
                "Add a card under Billing.",
            )
        ]
    shown = f"{card.brand} ending in {card.last4}"
    if is_expired(card.expiry_month, card.expiry_year, at):
        until = f"{card.expiry_month:02}/{card.expiry_year}"
        return [
            Missing(
                MissingCode.CARD_EXPIRED,
                f"The {shown} expired ({until}).",
                "Add another card, or make one that works the default.",
            )
        ]
    if card.status is CardStatus.DECLINED:
        return [
            Missing(
                MissingCode.CARD_DECLINED,
                f"The last charge to the {shown} was declined.",
                "Add another card, or make one that works the default.",
            )
        ]
    return []
