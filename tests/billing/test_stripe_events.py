"""Stripe's signed events: verified, stored once, and never believed but looked up."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import func, select
from stripe_server import Json, StandIn

from offhook import billing
from offhook.billing import Charge, HoldState, cards, matters
from offhook.billing.gateway import SetupState
from offhook.billing.models import GatewayEvent, PaymentMethod
from offhook.billing.stripe_gateway import StripeGateway
from offhook.db import Database, Jobs, Session
from offhook.prices import Money
from offhook.settings import Settings
from web_fixtures import Site, new_app

EVENTS = "/billing/stripe/events"
RENT = Money.of("1.16")
GOOD, ASKS = "4242424242424242", "4000000000003220"


@dataclass
class Desk:
    """A team with Stripe, Stripe itself, and the way from there to us."""

    database: Database
    stripe: StandIn
    gateway: StripeGateway
    team: str
    client: httpx.AsyncClient
    worker: Jobs

    async def post(self, body: str, signature: str) -> httpx.Response:
        headers: dict[bytes, bytes] = {}
        if signature:
            headers[b"Stripe-Signature"] = signature.encode()
        return await self.client.post(EVENTS, content=body, headers=headers)

    async def told(self, kind: str, about: Json) -> None:
        """Stripe tells an event, and a worker goes on from it."""
        assert (await self.post(*self.stripe.event(kind, about))).status_code == 204
        await self.worker.run_due()

    async def setup(self, number: str) -> str:
        """A card that its owner has given to Stripe; nobody has told us."""
        async with self.database.team(self.team) as session:
            setup = await cards.begin(session, self.gateway, self.team)
        assert setup.action is not None
        self.stripe.give_card(setup.action.client_secret, number)
        self.stripe.answer(setup.action.client_secret, approve=True)
        return setup.id

    async def add_card(self, number: str = GOOD) -> PaymentMethod:
        setup_id = await self.setup(number)
        async with self.database.team(self.team) as session:
            added = await cards.finish(session, self.gateway, self.team, setup_id)
        assert isinstance(added, PaymentMethod)
        return added

    async def hold(self, key: str) -> billing.Outcome:
        async with self.database.team(self.team) as session:
            return await billing.hold(
                session,
                self.gateway,
                self.team,
                key=key,
                money=RENT,
                description="Rent",
                reference=key,
            )

    async def charge(self, key: str) -> Charge:
        async with self.database.team(self.team) as session:
            return (await session.scalars(select(Charge).where(Charge.key == key))).one()

    async def on_file(self) -> list[PaymentMethod]:
        async with self.database.team(self.team) as session:
            return list(await cards.on_file(session, self.team))


@pytest.fixture
async def desk(
    database: Database, team: str, stripe_installed: StandIn, settings: Settings
) -> AsyncIterator[Desk]:
    app = new_app(settings.model_copy(update=_typed(stripe_installed, settings)), database)
    gateway = stripe_installed.gateway()
    worker = Jobs(database)
    billing.register_events(worker, database, gateway)
    async with Site(app, database).client() as client:
        yield Desk(database, stripe_installed, gateway, team, client, worker)
    await gateway.aclose()


def _typed(stripe: StandIn, settings: Settings) -> dict[str, object]:
    given = Settings.model_validate(stripe.settings())
    return {name: getattr(given, name) for name in stripe.settings()}


async def test_an_event_without_the_right_signature_is_refused_and_not_stored(desk: Desk) -> None:
    body, signature = desk.stripe.event("payment_intent.succeeded", {"id": "pi_1"})
    _, old = desk.stripe.event("x", {"id": "pi_1"}, at=int(time.time()) - 301)
    changed = body.replace("pi_1", "pi_2")
    for bad_body, bad in [
        (changed, signature),
        (body, ""),
        (body, old),
        (body, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        (body, signature.replace("v1=", "v0=")),
        (body, "t=soon,v1=é"),
        (body, "é"),
        (body[:-1], signature),
    ]:
        answer = await desk.post(bad_body, bad)
        assert answer.status_code == 400, bad
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "bad_signature"
    async with desk.database.system() as session:
        assert await session.scalar(select(func.count()).select_from(GatewayEvent)) == 0


async def test_an_event_that_is_signed_but_no_event_is_refused(desk: Desk) -> None:
    for about in ({"id": "pi_1"}, {"nothing": 1}):
        body, _ = desk.stripe.event("payment_intent.succeeded", about)
        broken = json.dumps({**json.loads(body), "data": {}})
        signed = desk.stripe.sign(broken)
        assert (await desk.post(broken, signed)).status_code == 400


async def test_an_event_told_twice_is_handled_once(desk: Desk) -> None:
    await desk.add_card()
    await desk.hold("pur_1")
    intent = desk.stripe.intent_of("pur_1")
    told = desk.stripe.event("payment_intent.succeeded", intent, event_id="evt_same")
    desk.stripe.requests.clear()
    for _ in range(2):
        assert (await desk.post(*told)).status_code == 204
    await desk.worker.run_due()
    assert desk.stripe.requests.count(f"GET /v1/payment_intents/{intent['id']}") == 1


async def test_events_we_do_not_hear_and_objects_of_others_change_nothing(desk: Desk) -> None:
    await desk.told("invoice.paid", {"id": "in_1"})
    for kind in ("payment_intent.succeeded", "setup_intent.succeeded", "payment_method.detached"):
        await desk.told(kind, {"id": "xx_nobody_knows"})
    for kind in ("charge.refunded", "charge.dispute.created"):
        await desk.told(kind, {"id": "xx_nobody_knows"})


async def test_a_confirmed_payment_is_learnt_and_told_even_when_the_browser_is_gone(
    desk: Desk,
) -> None:
    heard: list[tuple[str, str]] = []

    async def settled(session: Session, charge: Charge) -> None:
        heard.append((charge.key, charge.state))

    billing.when_settled(settled)
    await desk.add_card(ASKS)
    assert (await desk.hold("pur_1")).waits
    intent = desk.stripe.intent_of("pur_1")
    await desk.told("payment_intent.requires_action", intent)
    assert heard == []
    desk.stripe.answer(intent["client_secret"], approve=True)
    for _ in range(2):
        await desk.told("payment_intent.amount_capturable_updated", intent)
    assert heard == [("pur_1", HoldState.HELD)]
    assert (await desk.charge("pur_1")).state == HoldState.HELD


@pytest.mark.parametrize(
    "lie", ["payment_intent.succeeded", "payment_intent.canceled", "payment_intent.payment_failed"]
)
async def test_an_event_is_not_believed_in_whatever_order_it_comes(desk: Desk, lie: str) -> None:
    await desk.add_card()
    await desk.hold("pur_1")
    intent = desk.stripe.intent_of("pur_1")
    await desk.told(lie, {**intent, "status": "succeeded", "amount": 1})
    charge = await desk.charge("pur_1")
    assert (charge.state, charge.micros) == (HoldState.HELD, RENT.micros)


async def test_a_payment_that_is_cancelled_or_given_back_at_stripe_is_so_here(desk: Desk) -> None:
    await desk.add_card()
    await desk.hold("pur_1")
    desk.stripe.cancel({}, desk.stripe.intent_of("pur_1")["id"])
    await desk.told("payment_intent.canceled", desk.stripe.intent_of("pur_1"))
    assert (await desk.charge("pur_1")).state == HoldState.VOIDED
    await desk.hold("pur_2")
    async with desk.database.team(desk.team) as session:
        await billing.capture(session, desk.gateway, desk.team, "pur_2")
    intent = desk.stripe.intent_of("pur_2")
    desk.stripe.refund({"payment_intent": intent["id"]})
    await desk.told("charge.refunded", {"id": intent["latest_charge"]})
    assert (await desk.charge("pur_2")).state == HoldState.VOIDED


async def test_a_card_given_to_stripe_is_on_file_even_when_the_browser_is_gone(
    desk: Desk,
) -> None:
    setup_id = await desk.setup(GOOD)
    assert await desk.on_file() == []
    for _ in range(2):
        await desk.told("setup_intent.succeeded", {"id": setup_id})
    assert [each.last4 for each in await desk.on_file()] == ["4242"]


async def test_a_cards_new_expiry_date_is_taken_over_from_its_network(desk: Desk) -> None:
    card = await desk.add_card()
    desk.stripe.objects[card.token]["card"] |= {"exp_month": 3, "exp_year": 2101, "last4": "4243"}
    await desk.told("payment_method.automatically_updated", {"id": card.token})
    (after,) = await desk.on_file()
    assert (after.expiry_month, after.expiry_year, after.last4) == (3, 2101, "4243")


async def test_a_card_detached_at_stripe_leaves_the_file_and_another_becomes_default(
    desk: Desk,
) -> None:
    first, second = await desk.add_card(), await desk.add_card()
    desk.stripe.detach({}, first.token)
    for _ in range(2):
        await desk.told("payment_method.detached", {"id": first.token})
    assert [(each.id, each.is_default) for each in await desk.on_file()] == [(second.id, True)]


async def test_a_dispute_is_shown_until_it_is_over(desk: Desk) -> None:
    await desk.add_card()
    await desk.hold("pur_1")
    dispute = desk.stripe.dispute("pur_1")
    await desk.told("charge.dispute.created", dispute)
    async with desk.database.team(desk.team) as session:
        (banner,) = await matters.banners(session, desk.team)
    assert "disputed" in banner.sentence
    assert (await desk.charge("pur_1")).dispute == "needs_response"
    dispute["status"] = "won"
    await desk.told("charge.dispute.closed", dispute)
    async with desk.database.team(desk.team) as session:
        assert await matters.banners(session, desk.team) == []


async def test_without_a_signing_secret_there_are_no_events(
    database: Database, settings: Settings
) -> None:
    async with Site(new_app(settings, database), database).client() as client:
        answer = await client.post(EVENTS, content="{}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "stripe_not_configured"


async def test_another_teams_setup_is_not_there_sec7(desk: Desk, other_team: str) -> None:
    setup_id = await desk.setup(GOOD)
    with pytest.raises(cards.SetupNotFound):
        async with desk.database.team(other_team) as session:
            await cards.finish(session, desk.gateway, other_team, setup_id)
    found = await desk.gateway.find_setup(setup_id)
    assert found is not None
    assert found.state is SetupState.DONE
