"""What Stripe tells us by signed events: each only makes us look at the object itself.

An event is stored once by its id, whatever the order in which they come, and answered at once; a
job then asks Stripe what has become of the payment, the card or the setup, and goes on from there.
Nothing in an event is believed but the name of the object that it is about.
"""

import logging
from datetime import timedelta
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import APIRouter, Header
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from starlette.requests import Request
from starlette.responses import Response

from offhook.billing import cards, charges, customers
from offhook.billing.gateway import Card, Gateway, Hold
from offhook.billing.models import Charge, GatewayEvent, PaymentMethod
from offhook.billing.opening import STRIPE
from offhook.billing.rules import CardStatus
from offhook.db import Database, Jobs, Session, enqueue, now, touch
from offhook.errors import NotFound, Problem
from offhook.settings import Settings
from offhook.teams import SystemSession

if TYPE_CHECKING:  # loaded only where its key is set
    from offhook.billing.stripe_gateway import StripeGateway

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
CALLBACKS = "/billing/stripe/"
"""The prefix of what Stripe calls: signed, so that no page of ours need prove itself."""

EVENT_JOB = "billing.gateway_event"
KEPT = timedelta(days=30)  # Stripe tells an event again for three days
FORGET_S = 3600.0
PAYMENT = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "payment_intent.requires_action",
        "payment_intent.amount_capturable_updated",
    }
)
SETUP = frozenset({"setup_intent.succeeded"})
CARD = frozenset(
    {
        "payment_method.detached",
        "payment_method.updated",
        "payment_method.automatically_updated",  # a new expiry date, from the card's network
    }
)
REFUND = frozenset({"charge.refunded"})
DISPUTE = frozenset({"charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"})
HEARD = PAYMENT | SETUP | CARD | REFUND | DISPUTE


class BadSignature(Problem):
    code = "bad_signature"
    status = 400


class NotConfigured(NotFound):
    code = "stripe_not_configured"


@router.post(CALLBACKS + "events", status_code=HTTPStatus.NO_CONTENT)
async def receive(
    request: Request,
    session: SystemSession,
    stripe_signature: Annotated[str, Header()] = "",
) -> Response:
    """Store an event whose signature is right; the same one again changes nothing."""
    settings = cast("Settings", request.app.state.settings)
    secret = settings.stripe_webhook_secret.get_secret_value()
    if not secret:
        raise NotConfigured("Stripe's events are not set up here.")
    told = _verified(await request.body(), stripe_signature, secret)
    if told is None:
        raise BadSignature(
            "This event was not signed by Stripe, or too long ago.",
            remedy="Check the signing secret of the event destination.",
        )
    await _store(session, *told)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _verified(body: bytes, signature: str, secret: str) -> tuple[str, str, str] | None:
    """Id, type and object of an event that is signed, and not older than five minutes."""
    objects = import_module("offhook.billing.stripe_objects")
    return objects.verified(body, signature, secret)


async def _store(session: Session, event_id: str, kind: str, object_id: str) -> None:
    if kind not in HEARD:
        return
    stored = await session.scalar(
        insert(GatewayEvent)
        .values(id=event_id, type=kind, object_id=object_id, received_at=await now(session))
        .on_conflict_do_nothing()
        .returning(GatewayEvent.id)
    )
    if stored is not None:
        await enqueue(session, EVENT_JOB, lock=object_id, kind=kind, object_id=object_id)


def register(jobs: Jobs, database: Database, gateway: Gateway) -> None:
    """Make the work on events known to a worker."""

    async def handle(kind: str, object_id: str) -> None:
        await look_at(database, gateway, kind, object_id)

    async def forget() -> None:
        async with database.system() as session:
            before = await now(session) - KEPT
            await session.execute(delete(GatewayEvent).where(GatewayEvent.received_at < before))

    jobs.add(EVENT_JOB, handle)
    jobs.every(FORGET_S, "billing.forget_events", forget)


async def look_at(database: Database, gateway: Gateway, kind: str, object_id: str) -> None:
    """Ask Stripe about the object of an event and go on. Raises Unreachable: tried again."""
    if gateway.name != STRIPE:
        return
    stripe = cast("StripeGateway", gateway)
    if kind in SETUP:
        setup = await stripe.find_setup(object_id)
        if setup is not None and (team_id := await _team(database, setup.customer)):
            async with database.team(team_id) as session:
                await cards.finish(session, gateway, team_id, object_id)
    elif kind in CARD:
        await _card_changed(database, object_id, await stripe.card(object_id))
    elif kind in DISPUTE:
        if found := await stripe.dispute(object_id):
            intent_id, how_far = found
            await _disputed(database, await stripe.payment(intent_id), how_far)
    else:
        intent_id = await stripe.charge_intent(object_id) if kind in REFUND else object_id
        await _payment_changed(database, gateway, await stripe.payment(intent_id))


async def _payment_changed(database: Database, gateway: Gateway, found: Hold | None) -> None:
    """A payment that no row of ours knows is that of a transaction under way, which looks again."""
    if found is None or not found.key:
        return
    if team_id := await _team(database, found.customer):
        async with database.team(team_id) as session:
            await charges.look(session, gateway, team_id, found.key)


async def _disputed(database: Database, found: Hold | None, how_far: str) -> None:
    if found is None or not (team_id := await _team(database, found.customer)):
        return
    async with database.team(team_id) as session:
        charge = await session.scalar(
            select(Charge).where(Charge.team_id == team_id, Charge.key == found.key)
        )
        if charge is not None:
            log.error("charge %s of team %s is disputed: %s", charge.id, team_id, how_far)
            charge.dispute = how_far[:30]
            await touch(session, team_id, "charges")


async def _card_changed(database: Database, token: str, now_is: tuple[Card, str] | None) -> None:
    """What Stripe has of a card now: another expiry date, or nobody's card any more."""
    async with database.system() as session:
        team_id = await session.scalar(
            select(PaymentMethod.team_id).where(
                PaymentMethod.token == token, PaymentMethod.removed_at.is_(None)
            )
        )
    if team_id is None:
        return
    async with database.team(team_id) as session:
        for row in await cards.on_file(session, team_id, lock=True):
            if row.token == token:
                await _update(session, row, now_is)


async def _update(session: Session, row: PaymentMethod, now_is: tuple[Card, str] | None) -> None:
    if now_is is None or not now_is[1]:
        await cards.forget(session, row)
        return
    card, _ = now_is
    until = (card.expiry_month, card.expiry_year)
    if until != (row.expiry_month, row.expiry_year):
        row.status = CardStatus.VALID  # a new card of the same account
    row.brand, row.last4 = card.brand, card.last4
    row.expiry_month, row.expiry_year = until
    await touch(session, row.team_id, "cards")


async def _team(database: Database, customer: str) -> str | None:
    async with database.system() as session:
        return await customers.team_of(session, customer)
