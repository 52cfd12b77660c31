"""What the routes of billing find in the application: the gateway."""

from typing import Annotated, cast
from urllib.parse import quote

from fastapi import Depends
from starlette.requests import Request

from offhook.billing.gateway import Gateway
from offhook.billing.opening import script_origin
from offhook.billing.test_gateway import TestGateway
from offhook.errors import Conflict
from offhook.settings import Settings


class CardFormNeeded(Conflict):
    code = "card_form_needed"


def _gateway(request: Request) -> Gateway:
    return cast("Gateway", request.app.state.gateway)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def test_gateway(gateway: Gateway) -> TestGateway:
    """The gateway whose cards we may see typed; with Stripe its own form takes them."""
    if isinstance(gateway, TestGateway):
        return gateway
    raise CardFormNeeded(
        "Card numbers are given to Stripe, never to us.",
        remedy="Add the card under Billing, or begin a setup: POST /api/v1/billing/cards/setups.",
    )


def publishable_key(request: Request) -> str:
    return _settings(request).stripe_publishable_key


def stripe_page(request: Request) -> dict[str, str]:
    """What a page with Stripe's script needs; the script comes from Stripe, as its rules ask."""
    return {
        "script": f"{script_origin(_settings(request))}/v3/",
        "key": publishable_key(request),
    }


CurrentGateway = Annotated[Gateway, Depends(_gateway)]


def confirm_url(charge_id: str, back: str = "") -> str:
    """The page on which a card's owner confirms a payment; then the browser goes `back`."""
    return f"/billing/charges/{charge_id}/confirm" + (f"?back={quote(back)}" if back else "")
