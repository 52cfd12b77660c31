"""A1, N11, U10 as tables: who may buy, whose numbers work, and a subscription's steps."""

from datetime import UTC, datetime
from itertools import product

import pytest

from offhook.billing import rules
from offhook.billing.rules import (
    NEXT,
    CardFacts,
    CardStatus,
    MissingCode,
    Step,
    SubscriptionState,
)

AT = datetime(2026, 5, 14, 12, tzinfo=UTC)
GOOD = CardFacts("Visa", "4242", 12, 2030, CardStatus.VALID)
LAST_MONTH = CardFacts("Visa", "1111", 4, 2026, CardStatus.VALID)
THIS_MONTH = CardFacts("Visa", "2222", 5, 2026, CardStatus.VALID)
DECLINED = CardFacts("Visa", "0002", 12, 2030, CardStatus.DECLINED)
T, A, P, S, C = SubscriptionState


@pytest.mark.parametrize(
    ("state", "card", "may_buy", "services_on", "missing"),
    [
        (T, GOOD, True, True, []),
        (A, GOOD, True, True, []),
        (A, THIS_MONTH, True, True, []),
        (T, None, False, True, [MissingCode.PAYMENT_METHOD]),
        (T, LAST_MONTH, False, True, [MissingCode.CARD_EXPIRED]),
        (T, DECLINED, False, True, [MissingCode.CARD_DECLINED]),
        (P, GOOD, False, True, [MissingCode.SUBSCRIPTION]),
        (P, DECLINED, False, True, [MissingCode.SUBSCRIPTION, MissingCode.CARD_DECLINED]),
        (S, GOOD, False, False, [MissingCode.SUBSCRIPTION]),
        (S, None, False, False, [MissingCode.SUBSCRIPTION, MissingCode.PAYMENT_METHOD]),
        (C, GOOD, False, False, [MissingCode.SUBSCRIPTION]),
    ],
)
def test_standing_names_every_missing_thing_with_its_remedy_a1(
    state: SubscriptionState,
    card: CardFacts | None,
    may_buy: bool,
    services_on: bool,
    missing: list[MissingCode],
) -> None:
    standing = rules.standing(state, card, AT)
    assert (standing.may_buy, standing.services_on) == (may_buy, services_on)
    assert [each.code for each in standing.missing] == missing
    assert all(each.sentence and each.remedy for each in standing.missing)
    assert bool(standing.reason) is not services_on


@pytest.mark.parametrize(
    ("cards", "chosen"),
    [
        ([], None),
        ([GOOD], 0),
        ([DECLINED, GOOD], 1),
        ([LAST_MONTH, DECLINED, GOOD], 2),
        ([DECLINED, LAST_MONTH], 0),
        ([GOOD, GOOD], 0),
    ],
)
def test_a_charge_goes_to_the_default_card_or_the_first_usable_one(
    cards: list[CardFacts], chosen: int | None
) -> None:
    assert rules.charged_card(cards, AT) == chosen


@pytest.mark.parametrize(("state", "step"), list(product(SubscriptionState, Step)))
def test_every_step_of_a_subscription_is_decided_u10(state: SubscriptionState, step: Step) -> None:
    expected = {
        "trial": {"activate": A, "charge_failed": P, "unpaid": S, "cancel": C},
        "active": {"charge_failed": P, "cancel": C},
        "past_due": {"paid": A, "unpaid": S, "cancel": C},
        "suspended": {"paid": A, "cancel": C},
        "cancelled": {"activate": A},
    }
    assert NEXT.get((state, step)) == expected[state].get(step)
