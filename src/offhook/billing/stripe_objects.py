"""Stripe's objects in our words: amounts, payments, cards, errors. Pure; knows no connection.

Amounts: docs.stripe.com/currencies. States of a PaymentIntent and of a SetupIntent:
docs.stripe.com/payments/paymentintents/lifecycle. Decline codes: docs.stripe.com/declines/codes.
"""

import logging
from datetime import UTC, datetime

import stripe

from offhook.billing.gateway import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REQUIRED,
    Action,
    Card,
    Declined,
    GatewayProblem,
    Hold,
    HoldState,
    Setup,
    SetupState,
    Unreachable,
    declined,
)
from offhook.prices import Money

log = logging.getLogger(__name__)

KEY = "offhook_key"
"""The metadata of a payment that holds our own name for it."""

MICROS = 1_000_000
ZERO_DECIMAL = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - a list of words reads best as words
)
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# No coins of their own any more, yet written with two digits, which must be zeros.
WHOLE_IN_HUNDREDTHS = frozenset({"ISK", "UGX"})
OUR_CODES = {
    "generic_decline": "card_declined",
    "invalid_cvc": "incorrect_cvc",
    "payment_intent_authentication_failure": AUTHENTICATION_FAILED,
    "setup_intent_authentication_failure": AUTHENTICATION_FAILED,
}
BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
CONFIRMABLE = frozenset({AUTHENTICATION_REQUIRED, AUTHENTICATION_FAILED})
DEFAULT_RETRY_S = 2


def minor_units(money: Money) -> int:
    """The amount as Stripe wants it. A Money that is no whole coin is a defect (ValueError)."""
    coin, step = _coin(money.currency)
    amount, rest = divmod(money.micros, coin)
    if rest or amount % step or amount <= 0:
        raise ValueError(f"{money} is no amount that a card can be charged")
    return amount


def money_of(amount: int, currency: str) -> Money:
    """The inverse of `minor_units`."""
    shown = currency.upper()
    return Money(amount * _coin(shown)[0], shown)


def _coin(currency: str) -> tuple[int, int]:
    """Micros of one of Stripe's units, and the number of units that an amount is a multiple of."""
    if currency in ZERO_DECIMAL:
        return MICROS, 1
    if currency in THREE_DECIMAL:
        return MICROS // 1000, 10
    return MICROS // 100, 100 if currency in WHOLE_IN_HUNDREDTHS else 1


def hold_of(intent: stripe.PaymentIntent) -> Hold:
    """A payment as an order. Raises Unreachable while Stripe itself waits for the network."""
    failed = intent.last_payment_error
    state = _state(intent)
    code = ""
    if state is HoldState.DECLINED:
        code = _code_of(failed)
    waits = state is HoldState.AUTHENTICATING
    may_be_confirmed = state is HoldState.DECLINED and code in CONFIRMABLE
    action = None
    if intent.client_secret and (waits or (may_be_confirmed and intent.status != "canceled")):
        card = id_of(getattr(failed, "payment_method", None))
        action = Action(client_secret=intent.client_secret, token=card)
    return Hold(
        key=key_of(intent),
        money=money_of(intent.amount, intent.currency),
        state=state,
        made_at=datetime.fromtimestamp(intent.created, UTC),
        decline_code=code,
        customer=id_of(intent.customer),
        action=action,
    )


def key_of(intent: stripe.PaymentIntent) -> str:
    """Our key of a payment; empty where it is not ours. (Stripe's objects have no `get`.)"""
    return intent.metadata[KEY] if KEY in intent.metadata else ""  # noqa: SIM401 - see above


def _state(intent: stripe.PaymentIntent) -> HoldState:
    match intent.status:
        case "requires_action":
            return HoldState.AUTHENTICATING
        case "requires_capture":
            return HoldState.HELD
        case "succeeded":
            charge = intent.latest_charge
            given_back = isinstance(charge, stripe.Charge) and charge.refunded
            return HoldState.VOIDED if given_back else HoldState.CAPTURED
        case "canceled":
            return HoldState.DECLINED if intent.last_payment_error else HoldState.VOIDED
        case "requires_payment_method" | "requires_confirmation":
            return HoldState.DECLINED
        case _:  # "processing"
            raise Unreachable("The payment is still being processed.")


def setup_of(intent: stripe.SetupIntent) -> Setup:
    """A setup; one whose card was refused stays open, its owner may give another."""
    given = intent.payment_method
    card = card_of(given) if isinstance(given, stripe.PaymentMethod) else None
    done = intent.status == "succeeded" and card is not None
    state = SetupState.DONE if done else SetupState.OPEN
    if intent.status == "canceled":
        state = SetupState.FAILED
    failed = intent.last_setup_error
    is_open = state is SetupState.OPEN
    return Setup(
        id=intent.id,
        customer=id_of(intent.customer),
        state=state,
        card=card if done else None,
        action=Action(client_secret=intent.client_secret or "") if is_open else None,
        sentence=declined(_code_of(failed), getattr(failed, "message", "")).sentence
        if failed and not done
        else "",
    )


def card_of(given: stripe.PaymentMethod) -> Card | None:
    """What may be shown of a stored card; None where it is no card."""
    card = given.card
    if card is None:
        return None
    brand: str = getattr(card, "display_brand", None) or card.brand
    return Card(
        token=given.id,
        brand=BRANDS.get(brand, brand.replace("_", " ").title())[:20],
        last4=card.last4,
        expiry_month=card.exp_month,
        expiry_year=card.exp_year,
    )


def id_of(named: object) -> str:
    """The id of an object that Stripe names by its id or sends whole."""
    return named if isinstance(named, str) else str(getattr(named, "id", ""))


def verified(body: bytes, signature: str, secret: str) -> tuple[str, str, str] | None:
    """Id, type and object's id of an event whose `Stripe-Signature` is right and at most five
    minutes old (docs.stripe.com/webhooks/signature); None else.
    """
    if not signature.isascii():  # the library compares text that must be ASCII
        return None
    try:
        event = stripe.Webhook.construct_event(body, signature, secret)
        return event.id, event.type, str(event.data.object["id"])
    except (stripe.SignatureVerificationError, ValueError, KeyError, AttributeError):
        return None


def problem_of(error: stripe.StripeError) -> GatewayProblem:
    """Stripe's error as one of the port's. What is our own mistake is logged, and told as such."""
    match error:
        case stripe.CardError():
            return _declined(error)
        case stripe.RateLimitError():
            after = (error.headers or {}).get("retry-after", "")
            wait = int(after) if after.isdigit() else DEFAULT_RETRY_S
            return Unreachable("Stripe asks us to wait.", retry_after_s=wait)
        case stripe.APIConnectionError() | stripe.APIError():
            log.warning("Stripe gave no usable answer: %s %s", error.http_status, error.request_id)
            return Unreachable("Stripe cannot be reached.")
        case stripe.AuthenticationError() | stripe.PermissionError():
            log.error("Stripe refuses our key: %s", error.request_id)
            return Unreachable("Stripe refuses this installation's key.")
        case _:  # InvalidRequestError, IdempotencyError
            log.error("Stripe refuses a request (%s): %s", error.code, error.request_id)
            return Unreachable("Stripe did not understand this installation.")


def refusal_of(error: stripe.InvalidRequestError) -> Declined | None:
    """A payment that Stripe will not even try: with this card, this amount; None: our mistake."""
    if error.code == "amount_too_small":
        return declined("amount_too_small")
    if error.code == "resource_missing" or "not attached" in (error.user_message or ""):
        return declined("card_unknown")
    return None


def _declined(error: stripe.CardError) -> Declined:
    code = _code_of(error.error) if error.error else _ours(error.code)
    return declined(code, error.user_message or "")


def _code_of(error: object) -> str:
    """Why an attempt failed; Stripe leaves out the fields that do not apply."""
    return _ours(getattr(error, "decline_code", None) or getattr(error, "code", None))


def _ours(code: str | None) -> str:
    found = code or "card_declined"
    return OUR_CODES.get(found, found)[:40]
