"""REST of numbers: a customer's way from search to deletion, codes of refusals, tenants (SEC7)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from number_fixtures import add_asking_card, add_card, make_agent
from offhook import billing, numbers
from offhook.billing import TestGateway
from offhook.carriers import Carriers
from offhook.db import Jobs
from offhook.numbers import jobs
from offhook.numbers.purchasing import Shop
from offhook.vault import open_vault
from web_fixtures import Person, Site, new_member, new_owner


@pytest.fixture
async def api(
    site: Site, owner: Person, carriers: Carriers, gateway: TestGateway
) -> AsyncIterator[httpx.AsyncClient]:
    """A program of the owner's team, with the simulated carrier behind the application."""
    site.app.state.carriers = carriers
    site.app.state.vault = open_vault(site.app.state.settings)
    site.app.state.gateway = gateway
    async with site.program(await site.key(owner)) as client:
        yield client


async def work(shop: Shop) -> None:
    worker = Jobs(shop.database)
    jobs.register(worker, shop)
    await worker.run_due()


async def quote(api: httpx.AsyncClient) -> dict[str, str]:
    found = (await api.get("/api/v1/numbers/available?area_code=415&sms=true")).json()
    answer = await api.post("/api/v1/numbers/quotes", json={"e164": found[0]["e164"]})
    assert answer.status_code == 201
    return answer.json()


async def order(api: httpx.AsyncClient, shown: dict[str, str], key: str = "k") -> httpx.Response:
    return await api.post(
        "/api/v1/numbers/purchases",
        json={"quote_id": shown["id"], "accept_terms": shown["terms_version"]},
        headers={"Idempotency-Key": key},
    )


async def bought(api: httpx.AsyncClient, shop: Shop) -> str:
    made = (await order(api, await quote(api))).json()
    await work(shop)
    done = (await api.get(f"/api/v1/numbers/purchases/{made['id']}")).json()
    assert done["state"] == "completed"
    return done["number_id"]


async def test_from_search_to_deletion_over_rest(
    api: httpx.AsyncClient, shop: Shop, owner: Person, gateway: TestGateway
) -> None:
    refused = await order(api, await quote(api))
    assert (refused.status_code, refused.json()["code"]) == (402, "purchase_not_allowed")
    card = await api.post(
        "/api/v1/billing/cards",
        json={"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2099, "code": "123"},
    )
    assert card.status_code == 201
    number_id = await bought(api, shop)
    own = f"/api/v1/numbers/{number_id}"
    detail = (await api.get(own)).json()
    assert [each["code"] for each in detail["missing"]] == ["name", "agent", "service"]
    not_ready = await api.post(f"{own}/enable")
    assert (not_ready.status_code, not_ready.json()["code"]) == (409, "number_not_ready")
    agent_id = await make_agent(shop.database, owner.team_id)
    change = {"name": " Front desk ", "agent_id": agent_id, "calls_enabled": True}
    changed = await api.patch(own, json=change)
    assert (changed.status_code, changed.json()["name"]) == (200, "Front desk")
    assert (await api.post(f"{own}/enable")).json()["status"] == "enabled"
    limited = await api.put(f"{own}/limits/calls", json={"limit": 300})
    assert limited.json()["limit"] == 300
    last = await api.patch(own, json={"calls_enabled": False})
    assert (last.status_code, last.json()["code"]) == (409, "last_service")
    early = await api.delete(own)
    assert (early.status_code, early.json()["code"]) == (409, "number_still_enabled")
    assert (await api.post(f"{own}/disable")).json()["status"] == "disabled"
    untyped = await api.delete(own)
    assert (untyped.status_code, untyped.json()["code"]) == (422, "confirmation_wrong")
    gone = await api.delete(own, params={"confirmation": detail["e164"]})
    assert (gone.status_code, gone.json()["status"]) == (202, "releasing")
    await work(shop)
    assert (await api.get(own)).json()["status"] == "released"
    assert (await api.get("/api/v1/numbers")).json()["items"] == []
    kept = (await api.get("/api/v1/numbers?status=released")).json()["items"]
    assert [each["id"] for each in kept] == [number_id]
    log = (await api.get(f"{own}/activity")).json()["items"]
    assert [each["action"] for each in reversed(log)] == [
        "purchased", "configured", "enabled", "limited", "disabled", "deleted", "released",
    ]  # fmt: skip
    charges = (await api.get("/api/v1/billing/charges")).json()["items"]
    assert [each["state"] for each in charges] == ["captured"]


@pytest.mark.parametrize("limit", [0, -1, 1.5, "300 ", True, 1_000_001, []])
async def test_a_limit_that_is_no_positive_whole_number_is_refused_u1(
    api: httpx.AsyncClient, shop: Shop, owner: Person, gateway: TestGateway, limit: object
) -> None:
    await add_card(shop.database, gateway, owner.team_id)
    number_id = await bought(api, shop)
    answer = await api.put(f"/api/v1/numbers/{number_id}/limits/sms", json={"limit": limit})
    assert (answer.status_code, answer.json()["code"]) == (422, "limit_invalid")


async def test_a_purchase_without_a_key_or_terms_is_refused_a4_a5(
    api: httpx.AsyncClient, shop: Shop, owner: Person, gateway: TestGateway
) -> None:
    await add_card(shop.database, gateway, owner.team_id)
    shown = await quote(api)
    body = {"quote_id": shown["id"], "accept_terms": shown["terms_version"]}
    keyless = await api.post("/api/v1/numbers/purchases", json=body)
    assert (keyless.status_code, keyless.json()["code"]) == (422, "validation_failed")
    termless = await api.post(
        "/api/v1/numbers/purchases",
        json={"quote_id": shown["id"]},
        headers={"Idempotency-Key": "k"},
    )
    assert (termless.status_code, termless.json()["code"]) == (422, "terms_not_accepted")


async def test_members_do_not_buy_delete_or_touch_cards_a1(
    api: httpx.AsyncClient, site: Site, owner: Person
) -> None:
    member = await new_member(site.database, owner.team_id)
    async with site.client(member) as client:
        for method, path, body in [
            ("POST", "/api/v1/numbers/quotes", {"e164": "+14155550100"}),
            ("POST", "/api/v1/numbers/purchases", {"quote_id": "quo_1"}),
            ("DELETE", "/api/v1/numbers/num_1", None),
            ("DELETE", "/api/v1/billing/cards/card_1", None),
        ]:
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")


async def test_every_address_of_a_number_is_404_for_another_team_sec7(
    api: httpx.AsyncClient, site: Site, shop: Shop, owner: Person, gateway: TestGateway
) -> None:
    await add_card(shop.database, gateway, owner.team_id)
    shown = await quote(api)
    made = (await order(api, shown)).json()
    await work(shop)
    number_id = (await api.get(f"/api/v1/numbers/purchases/{made['id']}")).json()["number_id"]
    card = (await api.get("/api/v1/billing/cards")).json()[0]["id"]
    stranger = await new_owner(site.database, "Garage")
    own = f"/api/v1/numbers/{number_id}"
    async with site.client(stranger) as client:
        for method, path, body in [
            ("GET", own, None),
            ("PATCH", own, {"name": "x"}),
            ("POST", f"{own}/enable", None),
            ("POST", f"{own}/disable", None),
            ("PUT", f"{own}/limits/calls", {"limit": 1}),
            ("GET", f"{own}/activity", None),
            ("DELETE", own, None),
            ("GET", f"/api/v1/numbers/quotes/{shown['id']}", None),
            ("GET", f"/api/v1/numbers/purchases/{made['id']}", None),
            ("DELETE", f"/api/v1/billing/cards/{card}", None),
            ("POST", f"/api/v1/billing/cards/{card}/default", None),
            ("GET", f"/numbers/{number_id}", None),
            ("GET", f"/numbers/{number_id}/limits", None),
            ("GET", f"/numbers/purchases/{made['id']}", None),
        ]:
            answer = await client.request(method, path, json=body)
            assert answer.status_code == 404, (method, path)
        assert (await client.get("/api/v1/numbers")).json()["items"] == []
        assert (await client.get("/api/v1/billing/charges")).json()["items"] == []


async def test_an_unknown_field_is_refused_and_names_itself(
    api: httpx.AsyncClient, shop: Shop, owner: Person, gateway: TestGateway
) -> None:
    await add_card(shop.database, gateway, owner.team_id)
    number_id = await bought(api, shop)
    answer = await api.patch(f"/api/v1/numbers/{number_id}", json={"nmae": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == "nmae"


@pytest.mark.parametrize("approve", [True, False])
async def test_a_purchase_that_the_bank_asks_about_is_confirmed_or_given_up_over_rest_a5(
    api: httpx.AsyncClient, shop: Shop, owner: Person, gateway: TestGateway, approve: bool
) -> None:
    billing.when_settled(numbers.when_settled)
    await add_asking_card(shop.database, gateway, owner.team_id)
    made = (await order(api, await quote(api))).json()
    purchase = f"/api/v1/numbers/purchases/{made['id']}"
    await work(shop)
    waiting = (await api.get(purchase)).json()
    assert waiting["state"] == "authenticating"
    confirmation = f"/api/v1/billing/charges/{waiting['charge_id']}/confirmation"
    asked = (await api.get(confirmation)).json()
    if approve:
        await gateway.answer(asked["url"].rpartition("/")[2], approve=True)
        assert (await api.post(confirmation)).json()["state"] == "held"
    else:
        assert (await api.post(f"{purchase}/give-up")).json()["state"] == "voiding"
    await work(shop)
    done = (await api.get(purchase)).json()
    assert done["state"] == ("completed" if approve else "failed")
    again = await api.post(f"{purchase}/give-up")
    assert (again.status_code, again.json()["code"]) == (409, "purchase_not_waiting")
