"""The numbers that the test gateway takes, and what each does: a literal table.

Numbers and behaviour are those of Stripe's test mode (docs.stripe.com/testing): a number that its
bank declines cannot be stored either, but for the one made for that; 3-D Secure comes in Stripe's
shades. Knows no database.
"""

from dataclasses import dataclass
from datetime import datetime

from offhook.billing.gateway import CardInput, CardInvalid
from offhook.billing.rules import is_expired

MIN_CODE_DIGITS = 3
MAX_CODE_DIGITS = 4
MAX_MONTH = 12


@dataclass(frozen=True, slots=True)
class TestKind:
    """How a card behaves. "on session": its owner is there, at a purchase; "off": an invoice."""

    __test__ = False
    name: str
    brand: str = "Visa"
    setup_declines: str = ""
    charge_declines: str = ""
    setup_authenticates: bool = False
    on_session_authenticates: bool = False
    off_session_authenticates: bool = False


def _asks(name: str, *, always: bool, charge_declines: str = "") -> TestKind:
    """A card with 3-D Secure: at its setup and each purchase; `always` also on invoices."""
    return TestKind(
        name,
        setup_authenticates=True,
        on_session_authenticates=True,
        off_session_authenticates=always,
        charge_declines=charge_declines,
    )


NUMBERS: dict[str, TestKind] = {
    "4242424242424242": TestKind("visa"),
    "5555555555554444": TestKind("mastercard", "Mastercard"),
    "378282246310005": TestKind("amex", "American Express"),
    # Declined already when they are stored.
    "4000000000000002": TestKind("declined", setup_declines="card_declined"),
    "4000000000009995": TestKind("poor", setup_declines="insufficient_funds"),
    "4000000000009987": TestKind("lost", setup_declines="lost_card"),
    "4000000000009979": TestKind("stolen", setup_declines="stolen_card"),
    "4000000000000069": TestKind("expired", setup_declines="expired_card"),
    "4000000000000127": TestKind("wrong code", setup_declines="incorrect_cvc"),
    "4000000000000119": TestKind("error", setup_declines="processing_error"),
    # Stored, and declined when it is charged.
    "4000000000000341": TestKind("declines later", charge_declines="card_declined"),
    # 3-D Secure: at the setup and at purchases; then invoices need no more.
    "4000002500003155": _asks("asks at setup", always=False),
    "4000008260003178": _asks(
        "asks, then poor", always=False, charge_declines="insufficient_funds"
    ),
    # 3-D Secure each time, invoices too.
    "4000000000003220": _asks("asks", always=True),
    "4000002760003184": _asks("asks always", always=True),
    "4000008400001629": _asks("asks, then declined", always=True, charge_declines="card_declined"),
}
TEST_CARDS = {kind.name: kind for kind in NUMBERS.values()}


def check(card: CardInput, at: datetime) -> tuple[TestKind, str]:
    """The behaviour of a typed card and its last digits. Raises CardInvalid with the field."""
    digits = "".join(each for each in card.number if each.isdigit())
    if digits not in NUMBERS:
        raise CardInvalid(
            "This is not a test card.",
            field="number",
            remedy="No payment gateway is set up, so only test cards are taken: "
            "use 4242 4242 4242 4242.",
        )
    if not 1 <= card.expiry_month <= MAX_MONTH:
        raise CardInvalid(f"{card.expiry_month} is not a month.", field="expiry_month")
    if is_expired(card.expiry_month, card.expiry_year, at):
        shown = f"{card.expiry_month:02}/{card.expiry_year}"
        raise CardInvalid(f"The card expired in {shown}.", field="expiry_year")
    is_code = card.code.isascii() and card.code.isdigit()
    if not (is_code and MIN_CODE_DIGITS <= len(card.code) <= MAX_CODE_DIGITS):
        raise CardInvalid("The security code has 3 or 4 digits.", field="code")
    return NUMBERS[digits], digits[-4:]
