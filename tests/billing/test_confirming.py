"""Payments that their card's bank wants confirmed: charged invoices, pages, REST (3-D Secure)."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select
from stripe_server import PUBLISHABLE_KEY, StandIn

from offhook import billing
from offhook.billing import (
    CardInput,
    Charge,
    HoldState,
    Outcome,
    TestGateway,
    cards,
    charges,
    matters,
    subscriptions,
)
from offhook.billing.gateway import Setup
from offhook.db import Database, EventRow, Session
from offhook.prices import Money
from web_fixtures import Person, Site, new_owner

DUE = Money.of("12.40")
ASKS, ASKS_AT_SETUP, GOOD = "4000000000003220", "4000002500003155", "4242424242424242"


@pytest.fixture
async def client(
    site: Site, owner: Person, gateway: TestGateway
) -> AsyncIterator[httpx.AsyncClient]:
    site.app.state.gateway = gateway
    async with site.client(owner) as client:
        yield client


async def add(database: Database, gateway: TestGateway, team: str, number: str) -> None:
    async with database.team(team) as session:
        added = await billing.type_card(session, gateway, team, CardInput(number, 12, 2099, "123"))
    if isinstance(added, Setup):
        assert added.action is not None
        await gateway.answer(added.action.url.rpartition("/")[2], approve=True)
        async with database.team(team) as session:
            await cards.finish(session, gateway, team, added.id)


async def charge_now(database: Database, gateway: TestGateway, team: str, key: str) -> Outcome:
    async with database.team(team) as session:
        return await billing.charge_now(
            session,
            gateway,
            team,
            key=key,
            money=DUE,
            description="Invoice 2026-05",
            reference="inv_1",
        )


async def states(gateway: TestGateway) -> list[tuple[str, str]]:
    return [(each.key, str(each.state)) for each in await gateway.orders()]


def form_of(page: httpx.Response) -> str:
    """The address that the page's bank button leads to."""
    return page.text.partition("/billing/test-bank/")[2].partition("?")[0]


@pytest.mark.parametrize("number", [GOOD, ASKS_AT_SETUP])
async def test_an_invoice_is_charged_with_nobody_there(
    database: Database, gateway: TestGateway, team: str, number: str
) -> None:
    await add(database, gateway, team, number)
    for _ in range(2):
        assert (await charge_now(database, gateway, team, "inv_1/1")).ok
    assert await states(gateway) == [("inv_1/1", "captured")]


async def test_an_invoice_that_the_bank_wants_confirmed_is_confirmed_on_its_page(
    database: Database, gateway: TestGateway, owner: Person, client: httpx.AsyncClient
) -> None:
    heard: list[str] = []

    async def settled(session: Session, charge: Charge) -> None:
        heard.append(charge.state)

    billing.when_settled(settled)
    await add(database, gateway, owner.team_id, ASKS)
    outcome = await charge_now(database, gateway, owner.team_id, "inv_1/1")
    assert (outcome.ok, outcome.waits, outcome.code) == (False, False, "authentication_required")
    async with database.team(owner.team_id) as session:
        (banner,) = await matters.banners(session, owner.team_id)
        names = (await session.scalars(select(EventRow.name))).all()
        # The bank asked; the card itself was not declined, and may buy (A1).
        assert (await billing.standing(session, owner.team_id)).may_buy
    assert banner.href == billing.confirm_url(outcome.charge_id)
    assert names == ["payment.failed"]
    page = await client.get(banner.href)
    assert "12.40" in page.text
    bank = f"/billing/test-bank/{form_of(page)}"
    assert "12.40" in (await client.get(bank)).text
    for answer in ("refuse", "approve"):
        sent = await client.post(bank, data={"answer": answer, "back": "//evil.example"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/billing")
    assert heard == [HoldState.CAPTURED]
    assert await states(gateway) == [("inv_1/1", "captured")]
    async with database.team(owner.team_id) as session:
        assert await matters.banners(session, owner.team_id) == []
    assert (await client.get(banner.href)).status_code == 303
    # The next attempt finds it paid.
    assert (await charge_now(database, gateway, owner.team_id, "inv_1/2")).ok
    assert len(await gateway.orders()) == 1


async def test_two_who_learn_of_a_payment_at_once_tell_it_once(
    database: Database, gateway: TestGateway, team: str
) -> None:
    heard: list[str] = []

    async def settled(session: Session, charge: Charge) -> None:
        heard.append(charge.state)

    async def look() -> None:
        async with database.team(team) as session:
            await charges.look(session, gateway, team, "inv_1/1")

    billing.when_settled(settled)
    await add(database, gateway, team, ASKS)
    await charge_now(database, gateway, team, "inv_1/1")
    found = await gateway.find("inv_1/1", customer=team)
    assert found is not None
    assert found.action is not None
    await gateway.answer(found.action.url.rpartition("/")[2], approve=True)
    async with database.team(team) as session:
        await subscriptions.subscription(session, team, lock=True)
        both = [asyncio.create_task(look()) for _ in range(2)]
        await asyncio.sleep(0.3)  # both have read the charge, and wait
    await asyncio.gather(*both)
    assert heard == [HoldState.CAPTURED]


async def test_the_next_attempt_ends_the_one_that_waits_so_that_nobody_pays_twice(
    database: Database, gateway: TestGateway, owner: Person, client: httpx.AsyncClient
) -> None:
    await add(database, gateway, owner.team_id, ASKS)
    first = await charge_now(database, gateway, owner.team_id, "inv_1/1")
    asked = await gateway.find("inv_1/1", customer=owner.team_id)
    assert asked is not None
    assert asked.action is not None
    await charge_now(database, gateway, owner.team_id, "inv_1/2")
    await gateway.answer(asked.action.url.rpartition("/")[2], approve=True)
    assert await states(gateway) == [("inv_1/1", "declined"), ("inv_1/2", "declined")]
    assert (await client.get(billing.confirm_url(first.charge_id))).status_code == 303
    async with database.team(owner.team_id) as session:
        assert len(await matters.banners(session, owner.team_id)) == 1


async def test_an_attempt_confirmed_meanwhile_is_what_the_next_one_finds(
    database: Database, gateway: TestGateway, team: str
) -> None:
    await add(database, gateway, team, ASKS)
    await charge_now(database, gateway, team, "inv_1/1")
    asked = await gateway.find("inv_1/1", customer=team)
    assert asked is not None
    assert asked.action is not None
    await gateway.answer(asked.action.url.rpartition("/")[2], approve=True)
    assert (await charge_now(database, gateway, team, "inv_1/2")).ok
    assert await states(gateway) == [("inv_1/1", "captured")]


async def test_another_teams_payment_and_bank_are_not_there_sec7(
    database: Database, gateway: TestGateway, owner: Person, site: Site
) -> None:
    site.app.state.gateway = gateway
    await add(database, gateway, owner.team_id, ASKS)
    outcome = await charge_now(database, gateway, owner.team_id, "inv_1/1")
    asked = await gateway.find("inv_1/1", customer=owner.team_id)
    assert asked is not None
    assert asked.action is not None
    async with site.client(await new_owner(database)) as stranger:
        for address in (billing.confirm_url(outcome.charge_id), asked.action.url):
            assert (await stranger.get(address)).status_code == 404
            assert (await stranger.post(address, data={"answer": "approve"})).status_code == 404
        rest = f"/api/v1/billing/charges/{outcome.charge_id}/confirmation"
        assert (await stranger.get(rest)).status_code == 404
        assert (await stranger.post(rest)).status_code == 404
    assert await states(gateway) == [("inv_1/1", "declined")]


async def test_a_card_whose_bank_asks_is_added_over_rest(
    gateway: TestGateway, client: httpx.AsyncClient
) -> None:
    typed = {"number": ASKS, "expiry_month": 12, "expiry_year": 2099, "code": "123"}
    begun = await client.post("/api/v1/billing/cards", json=typed)
    assert begun.status_code == 202
    finish = f"/api/v1/billing/cards/setups/{begun.json()['id']}"
    assert (await client.post(finish)).json()["state"] == "open"
    await gateway.answer(begun.json()["url"].rpartition("/")[2], approve=True)
    for _ in range(2):
        assert (await client.post(finish)).json()["last4"] == "3220"
    assert len((await client.get("/api/v1/billing/cards")).json()) == 1
    assert (await client.post("/api/v1/billing/cards/setups/other")).status_code == 404


async def test_a_payment_is_confirmed_over_rest(
    database: Database, gateway: TestGateway, owner: Person, client: httpx.AsyncClient
) -> None:
    await add(database, gateway, owner.team_id, ASKS)
    outcome = await charge_now(database, gateway, owner.team_id, "inv_1/1")
    address = f"/api/v1/billing/charges/{outcome.charge_id}/confirmation"
    told = (await client.get(address)).json()
    assert (told["state"], told["page"]) == ("declined", billing.confirm_url(outcome.charge_id))
    await gateway.answer(told["url"].rpartition("/")[2], approve=True)
    assert (await client.post(address)).json()["state"] == "captured"
    assert (await client.get(address)).json()["url"] == ""


async def test_with_stripe_card_numbers_are_given_to_stripe_alone(
    stripe_installed: StandIn, site: Site, owner: Person
) -> None:
    site.app.state.settings = site.app.state.settings.model_copy(
        update={"stripe_publishable_key": PUBLISHABLE_KEY}
    )
    site.app.state.gateway = stripe_installed.gateway()
    typed = {"number": GOOD, "expiry_month": 12, "expiry_year": 2099, "code": "123"}
    async with site.client(owner) as client:
        refused = await client.post("/api/v1/billing/cards", json=typed)
        assert (refused.status_code, refused.json()["code"]) == (409, "card_form_needed")
        begun = (await client.post("/api/v1/billing/cards/setups")).json()
        assert begun["publishable_key"] == PUBLISHABLE_KEY
        stripe_installed.give_card(begun["client_secret"], GOOD)
        added = await client.post(f"/api/v1/billing/cards/setups/{begun['id']}")
        assert (added.status_code, added.json()["last4"]) == (200, "4242")
        removed = await client.delete(f"/api/v1/billing/cards/{added.json()['id']}")
        assert removed.status_code == 204
    (card,) = stripe_installed.of_kind("payment_method")
    assert card["customer"] is None
    await site.app.state.gateway.aclose()
