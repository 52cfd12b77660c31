"""Which gateway this installation has: Stripe where its key is set, else the test gateway.

Stripe's library is loaded here on first use; without a key it never is.
"""

from importlib import import_module

from offhook import settings as _settings
from offhook.billing.gateway import Gateway
from offhook.billing.test_gateway import TestGateway
from offhook.prices import Money
from offhook.settings import Settings
from offhook.web import Others

STRIPE, TEST = "stripe", "test"
STRIPE_SCRIPT = "https://js.stripe.com"
# docs.stripe.com/security/guide, Content Security Policy
STRIPE_FRAMES = (STRIPE_SCRIPT, "https://*.js.stripe.com", "https://hooks.stripe.com")
STRIPE_API = "https://api.stripe.com"

# docs.stripe.com/currencies, minimum and maximum charge amounts
STRIPE_LEAST = {
    **dict.fromkeys(("USD", "EUR", "CAD", "AUD", "NZD", "CHF", "SGD", "BRL"), "0.50"),
    "GBP": "0.30",
    "AED": "2.00",
    "BGN": "1.00",
    "CZK": "15.00",
    "DKK": "2.50",
    "HKD": "4.00",
    "HUF": "175.00",
    "INR": "0.50",
    "JPY": "50",
    "MXN": "10.00",
    "MYR": "2.00",
    "NOK": "3.00",
    "PLN": "2.00",
    "RON": "2.00",
    "SEK": "3.00",
    "THB": "10.00",
}


def least(currency: str) -> Money:
    """The smallest amount that the gateway charges to a card; nothing with the test gateway."""
    known = STRIPE_LEAST.get(currency, "0") if configured() == STRIPE else "0"
    return Money.of(known, currency)


def configured() -> str:
    """The name of the gateway whose cards count (`Gateway.name`)."""
    return STRIPE if _settings.load().stripe_secret_key.get_secret_value() else TEST


def open_gateway(settings: Settings, database_url: str) -> Gateway:
    """The gateway of `settings`; the caller closes it."""
    key = settings.stripe_secret_key.get_secret_value()
    if not key:
        return TestGateway(database_url)
    stripe = import_module("offhook.billing.stripe_gateway")
    return stripe.StripeGateway(key, settings.stripe_api_url)


def script_origin(settings: Settings) -> str:
    """Where Stripe's own script comes from, for the page of a card."""
    return settings.stripe_api_url.rstrip("/") or STRIPE_SCRIPT


def origins(settings: Settings) -> Others:
    """What our pages load from Stripe: its script, its form's frame, the bank's window."""
    if not settings.stripe_secret_key.get_secret_value():
        return Others()
    origin = script_origin(settings)
    if origin != STRIPE_SCRIPT:
        return Others(connect=(origin,), scripts=(origin,), frames=(origin,))
    return Others(
        connect=(STRIPE_API,), scripts=(STRIPE_SCRIPT, STRIPE_FRAMES[1]), frames=STRIPE_FRAMES
    )
