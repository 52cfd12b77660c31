"""SEC23: 200 parallel requests per operation on what is limited, each with a provable outcome.

Through REST, as a program would send them; the database's connections are as few as in a process.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from sqlalchemy import func, select

from number_fixtures import BY, add_card, make_agent, make_ready
from offhook import billing, numbers
from offhook.billing import TestGateway
from offhook.billing.cards import MAX_CARDS
from offhook.billing.models import PaymentMethod
from offhook.carriers import Carriers
from offhook.db import EventRow, Jobs
from offhook.numbers import jobs
from offhook.numbers.models import Activity, Number
from offhook.numbers.own import jobs as own_jobs
from offhook.numbers.own.bringing import Importer
from offhook.numbers.purchasing import Shop
from offhook.teams.models import ApiKey
from offhook.vault import open_vault
from web_fixtures import Person, Site

REQUESTS = 200
AT_ONCE = 40

Ask = Callable[[int], Awaitable[httpx.Response]]


@pytest.fixture
async def api(
    site: Site, owner: Person, carriers: Carriers, gateway: TestGateway
) -> AsyncIterator[httpx.AsyncClient]:
    """A program of the owner's team, with the simulated carrier behind the application."""
    site.app.state.carriers = carriers
    site.app.state.vault = open_vault(site.app.state.settings)
    site.app.state.gateway = gateway
    async with site.database.team(owner.team_id) as session:
        await billing.on_team_created(session, owner.team_id)  # as app.py joins it
    async with site.program(await site.key(owner)) as client:
        yield client


@pytest.fixture
async def number(shop: Shop, owner: Person) -> str:
    """A number that only waits to be enabled."""
    agent = await make_agent(shop.database, owner.team_id)
    return await make_ready(shop.database, owner.team_id, agent)


async def storm(ask: Ask) -> tuple[Counter[int], list[httpx.Response]]:
    """Send them all, as many at once as a client has connections; how each was answered."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(index: int) -> httpx.Response:
        async with gate:
            return await ask(index)

    answers = await asyncio.gather(*(one(index) for index in range(REQUESTS)))
    return Counter(each.status_code for each in answers), list(answers)


async def actions(shop: Shop, team: str, number_id: str) -> list[Activity]:
    async with shop.database.team(team) as session:
        rows = await session.scalars(
            select(Activity).where(Activity.number_id == number_id).order_by(Activity.position)
        )
        return list(rows)


async def told(shop: Shop, team: str, name: str) -> int:
    async with shop.database.team(team) as session:
        return await session.scalar(select(func.count()).where(EventRow.name == name)) or 0


async def test_a_limit_changed_by_all_is_one_chain_of_changes(
    api: httpx.AsyncClient, shop: Shop, owner: Person, number: str
) -> None:
    """Each change starts where the one before ended, and what is in force is the last one's."""
    path = f"/api/v1/numbers/{number}/limits/calls"
    statuses, _ = await storm(lambda n: api.put(path, json={"limit": n + 1}))
    assert statuses == {200: REQUESTS}
    changes = [a for a in await actions(shop, owner.team_id, number) if a.action == "limited"]
    values = [change.after["calls_limit"] for change in changes]
    assert sorted(values) == list(range(1, REQUESTS + 1))
    assert [change.before["calls_limit"] for change in changes] == [None, *values[:-1]]
    assert (await api.get(f"/api/v1/numbers/{number}")).json()["calls"]["limit"] == values[-1]


async def test_enabled_disabled_and_deleted_by_all_it_happens_once(
    api: httpx.AsyncClient, shop: Shop, owner: Person, number: str
) -> None:
    path = f"/api/v1/numbers/{number}"
    for step, event in (("enable", "number.enabled"), ("disable", "number.disabled")):
        statuses, _ = await storm(lambda _, step=step: api.post(f"{path}/{step}"))
        assert statuses == {200: REQUESTS}
        assert await told(shop, owner.team_id, event) == 1
    e164 = (await api.get(path)).json()["e164"]
    statuses, _ = await storm(lambda _: api.delete(path, params={"confirmation": e164}))
    assert statuses == {202: REQUESTS}
    worker = Jobs(shop.database)
    jobs.register(worker, shop)
    await worker.run_due()
    assert (await api.get(path)).json()["status"] == "released"
    done = [each.action for each in await actions(shop, owner.team_id, number)]
    assert done == ["configured", "enabled", "disabled", "deleted", "released"]
    assert await told(shop, owner.team_id, "number.released") == 1


async def test_one_quote_ordered_by_all_with_other_keys_is_one_purchase(
    api: httpx.AsyncClient, shop: Shop, owner: Person, gateway: TestGateway
) -> None:
    await add_card(shop.database, gateway, owner.team_id)
    found = (await api.get("/api/v1/numbers/available?area_code=415&sms=true")).json()
    shown = (await api.post("/api/v1/numbers/quotes", json={"e164": found[0]["e164"]})).json()
    body = {"quote_id": shown["id"], "accept_terms": shown["terms_version"]}

    def order(n: int) -> Awaitable[httpx.Response]:
        key = {"Idempotency-Key": f"k{n % 2 * n}"}  # half of them share one key
        return api.post("/api/v1/numbers/purchases", json=body, headers=key)

    statuses, answers = await storm(order)
    ids = {each.json()["id"] for each in answers if each.status_code == 202}
    assert len(ids) == 1
    assert set(statuses) <= {202, 409}
    refused = {each.json()["code"] for each in answers if each.status_code == 409}
    assert refused <= {"quote_used"}
    assert statuses[202] in {1, REQUESTS // 2}
    worker = Jobs(shop.database)
    jobs.register(worker, shop)
    await worker.run_due()
    assert len(await gateway.orders()) == len(await shop.carrier.list_numbers()) == 1


async def test_one_number_imported_by_all_is_held_once(
    api: httpx.AsyncClient, importer: Importer, owner: Person
) -> None:
    account = (await api.post("/api/v1/carrier-accounts/simulated")).json()
    path = f"/api/v1/carrier-accounts/{account['id']}/numbers"
    e164 = (await api.get(path)).json()[0]["e164"]
    body = {"account_id": account["id"], "numbers": [e164]}
    statuses, answers = await storm(lambda _: api.post("/api/v1/numbers/imports", json=body))
    assert statuses == {202: 1, 409: REQUESTS - 1}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"number_taken"}
    worker = Jobs(importer.database)
    own_jobs.register(worker, importer)
    await worker.run_due()
    async with importer.database.team(owner.team_id) as session:
        (held,) = (await session.scalars(select(Number))).all()
        assert held.held_since is not None
        await numbers.delete(session, owner.team_id, held.id, BY, confirmation=e164)
    await worker.run_due()
    again = await api.post("/api/v1/numbers/imports", json=body)
    assert again.status_code == 202


async def test_cards_are_as_many_as_fit_and_one_is_the_default(
    api: httpx.AsyncClient, shop: Shop, owner: Person
) -> None:
    """Whatever was answered with 201 is there, nothing else is, and none beyond the most."""
    card = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2099, "code": "123"}
    statuses, answers = await storm(lambda _: api.post("/api/v1/billing/cards", json=card))
    assert statuses == {201: MAX_CARDS, 409: REQUESTS - MAX_CARDS}
    async with shop.database.team(owner.team_id) as session:
        rows = (await session.scalars(select(PaymentMethod))).all()
    assert {a.json()["id"] for a in answers if a.status_code == 201} == {row.id for row in rows}
    assert sum(row.is_default for row in rows) == 1


async def test_every_key_that_was_answered_works_and_no_other_is_there(
    api: httpx.AsyncClient, site: Site, owner: Person
) -> None:
    statuses, answers = await storm(lambda n: api.post("/api/v1/api-keys", json={"name": f"{n}"}))
    assert statuses == {201: REQUESTS}
    made = {answer.json()["id"]: answer.json()["key"] for answer in answers}
    assert len(set(made.values())) == REQUESTS
    async with site.database.team(owner.team_id) as session:
        rows = {row.id for row in await session.scalars(select(ApiKey))}
    assert len(rows - set(made)) == 1  # the one that these were asked for with
    async with site.program(next(iter(made.values()))) as program:
        assert (await program.get("/api/v1/numbers")).status_code == 200
