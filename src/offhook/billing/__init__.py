"""Subscription, cards, holds and charges; the port to payment gateways and the test gateway.

    await billing.on_team_created(session, team_id)            # an active trial
    standing = await billing.standing(session, team_id)        # .may_buy .services_on .reason
    gateway = billing.TestGateway(database.url)                # await gateway.aclose()
    outcome = await billing.hold(session, gateway, team_id, key=, money=, description=, reference=)
    outcome = await billing.capture(session, gateway, team_id, key)      # .ok .sentence .code
    await billing.void(session, gateway, team_id, key)
    billing.when_suspended(handler)                            # handler(session, team_id), N11

`routers` are for app.py; they find the gateway in `app.state.gateway`.
"""

from offhook.billing import api, pages
from offhook.billing.cards import add_card
from offhook.billing.charges import Outcome, capture, hold, void
from offhook.billing.gateway import (
    Card,
    CardInput,
    CardInvalid,
    Declined,
    Gateway,
    Hold,
    HoldState,
    Unreachable,
)
from offhook.billing.rules import Missing, Standing, Step, SubscriptionState
from offhook.billing.subscriptions import (
    change_subscription,
    on_team_created,
    standing,
    when_suspended,
)
from offhook.billing.test_gateway import TestGateway

routers = (api.router, pages.router)
banners = pages.banners

__all__ = [
    "Card",
    "CardInput",
    "CardInvalid",
    "Declined",
    "Gateway",
    "Hold",
    "HoldState",
    "Missing",
    "Outcome",
    "Standing",
    "Step",
    "SubscriptionState",
    "TestGateway",
    "Unreachable",
    "add_card",
    "banners",
    "capture",
    "change_subscription",
    "hold",
    "on_team_created",
    "routers",
    "standing",
    "void",
    "when_suspended",
]
