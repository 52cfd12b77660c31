"""Subscription, cards, holds and charges; the port to payment gateways, Stripe, the test gateway.

    await billing.on_team_created(session, team_id)            # an active trial
    standing = await billing.standing(session, team_id)        # .may_buy .services_on .reason
    gateway = billing.open_gateway(settings, database.url)     # await gateway.aclose()
    outcome = await billing.hold(session, gateway, team_id, key=, money=, description=, reference=)
    outcome = await billing.look(session, gateway, team_id, key)  # while outcome.waits (3-D Secure)
    outcome = await billing.capture(session, gateway, team_id, key)      # .ok .sentence .code
    await billing.void(session, gateway, team_id, key)
    outcome = await billing.charge_now(…)                   # as hold; nobody there, taken at once
    billing.confirm_url(outcome.charge_id)                     # where the card's owner confirms it
    billing.least(currency)                                    # below it, no card is charged
    billing.when_settled(handler)                              # handler(session, charge)
    billing.when_suspended(handler)                            # handler(session, team_id), N11
    billing.rents_from(source)         # source(session, team_id, start, end) -> Sequence[Rent]
    billing.legs_from(source)          # alike -> Sequence[Leg]: second legs of transfers, UM9
    billing.when_released(handler)                             # handler(session, team_id), UN11
    found = await billing.entries_of_line(session, team_id, line_id, paging)   # .entries .next

app.py joins `usage.audit_also(billing.audit)`, `usage.invoices_from(billing.invoice_links)` and
`billing.when_settled(billing.on_charge_settled)`.

The routes (routes.py, for app.py alone) find the gateway in `app.state.gateway`.
"""

from offhook.billing.audit import audit
from offhook.billing.cards import add_card, type_card
from offhook.billing.charges import (
    Outcome,
    capture,
    charge_now,
    hold,
    look,
    void,
    when_settled,
)
from offhook.billing.charges import get as charge
from offhook.billing.collecting import on_charge_settled
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
from offhook.billing.invoices import entries_of_line
from offhook.billing.invoices import links as invoice_links
from offhook.billing.jobs import register as register_jobs
from offhook.billing.legs import Leg, legs_from
from offhook.billing.models import Charge
from offhook.billing.opening import least, open_gateway, origins
from offhook.billing.rents import Rent, rents_from
from offhook.billing.rules import Missing, Standing, Step, SubscriptionState
from offhook.billing.situations import NotPaid, not_paid
from offhook.billing.stripe_events import CALLBACKS
from offhook.billing.stripe_events import register as register_events
from offhook.billing.subscriptions import (
    change_subscription,
    on_team_created,
    serves,
    standing,
    state_of,
    subscription,
    when_released,
    when_suspended,
)
from offhook.billing.test_gateway import TestGateway
from offhook.billing.web import confirm_url

__all__ = [
    "CALLBACKS",
    "Card",
    "CardInput",
    "CardInvalid",
    "Charge",
    "Declined",
    "Gateway",
    "Hold",
    "HoldState",
    "Leg",
    "Missing",
    "NotPaid",
    "Outcome",
    "Rent",
    "Standing",
    "Step",
    "SubscriptionState",
    "TestGateway",
    "Unreachable",
    "add_card",
    "audit",
    "capture",
    "change_subscription",
    "charge",
    "charge_now",
    "confirm_url",
    "entries_of_line",
    "hold",
    "invoice_links",
    "least",
    "legs_from",
    "look",
    "not_paid",
    "on_charge_settled",
    "on_team_created",
    "open_gateway",
    "origins",
    "register_events",
    "register_jobs",
    "rents_from",
    "serves",
    "standing",
    "state_of",
    "subscription",
    "type_card",
    "void",
    "when_released",
    "when_settled",
    "when_suspended",
]
