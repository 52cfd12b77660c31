"""Which carrier this installation has, and the token that its callbacks are signed with."""

from importlib import import_module
from typing import cast

from offhook.carriers.port import Carrier
from offhook.carriers.simulator.account import Account, simulated_account
from offhook.errors import Invalid
from offhook.settings import Settings, secret_key


class CarrierNotConfigured(Invalid):
    code = "carrier_not_configured"


def account(settings: Settings) -> Account:
    """Our account at the carrier; its token signs callbacks (SEC1)."""
    if settings.carrier == "simulator":
        return simulated_account(secret_key(settings))
    token = settings.twilio_auth_token.get_secret_value()
    if not settings.twilio_account_sid or not token:
        raise CarrierNotConfigured(
            "The carrier is Twilio, but its account SID or auth token is missing.",
            remedy="Set OFFHOOK_TWILIO_ACCOUNT_SID and OFFHOOK_TWILIO_AUTH_TOKEN.",
        )
    return Account(settings.twilio_account_sid, token)


def open_carrier(settings: Settings) -> Carrier:
    """The carrier of the settings; one per event loop, to be closed with `aclose`.

    The simulated carrier is Twilio at another address. Raises CarrierNotConfigured.
    """
    ours = account(settings)
    origin = settings.simulator_url if settings.carrier == "simulator" else ""
    # The official client is imported here, on first use: it takes about a second.
    opened = import_module("offhook.carriers.twilio.opening").open_twilio(ours, origin)
    return cast("Carrier", opened)
