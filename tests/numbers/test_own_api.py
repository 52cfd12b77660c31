"""REST of own carrier accounts and imports (A7): codes of refusals, roles, tenants (SEC7)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from offhook.carriers import Carriers
from offhook.db import Jobs
from offhook.numbers.own import jobs
from offhook.numbers.own.bringing import Importer
from offhook.teams.models import Role
from offhook.vault import open_vault
from web_fixtures import Person, Site, new_member, new_owner

ACCOUNTS = "/api/v1/carrier-accounts"


@pytest.fixture
async def api(site: Site, owner: Person, carriers: Carriers) -> AsyncIterator[httpx.AsyncClient]:
    """A program of the owner's team, with the simulated carrier behind the application."""
    site.app.state.carriers = carriers
    site.app.state.vault = open_vault(site.app.state.settings)
    async with site.program(await site.key(owner)) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_from_an_account_to_its_removal_over_rest(
    api: httpx.AsyncClient, carriers: Carriers, importer: Importer
) -> None:
    customer = await carriers.simulated_customer()
    given = {"sid": customer.sid, "token": customer.token, "network": "simulator"}
    assert code(await api.post(ACCOUNTS, json=given | {"sid": "AC1"})) == (
        422,
        "carrier_account_invalid",
    )
    wrong = await api.post(ACCOUNTS, json=given | {"token": "0" * 32})
    assert code(wrong) == (409, "carrier_account_not_usable")
    assert "Account Info" in wrong.json()["remedy"]
    once = {"Idempotency-Key": "connect-1"}
    made = await api.post(ACCOUNTS, json=given, headers=once)
    again = await api.post(ACCOUNTS, json=given, headers=once)
    assert (made.status_code, made.json()) == (201, again.json())
    assert customer.token not in made.text
    assert code(await api.post(ACCOUNTS, json=given)) == (409, "carrier_account_exists")
    own = f"{ACCOUNTS}/{made.json()['id']}"
    assert [each["id"] for each in (await api.get(ACCOUNTS)).json()] == [made.json()["id"]]
    assert (await api.post(f"{own}/test")).json()["test"]["health"] == "works"
    refused = await api.put(f"{own}/token", json={"token": "0" * 32})
    assert code(refused) == (409, "carrier_account_not_usable")
    assert (await api.put(f"{own}/token", json={"token": customer.token})).status_code == 200
    (choice, *_) = (await api.get(f"{own}/numbers")).json()
    assert (choice["reports_to"], choice["importable"]) == (["old-office.example"], True)
    assert (choice["minute_inbound_micros"], choice["message_outbound_micros"]) == (10_000, 5_000)
    body = {"account_id": made.json()["id"], "numbers": [choice["e164"]]}
    strange = await api.post("/api/v1/numbers/imports", json=body | {"numbers": ["+14155550100"]})
    assert code(strange) == (409, "number_not_in_account")
    begun = await api.post("/api/v1/numbers/imports", json=body)
    assert begun.status_code == 202
    worker = Jobs(importer.database)
    jobs.register(worker, importer)
    await worker.run_due()
    shown = (await api.get(f"/api/v1/numbers/imports/{begun.json()[0]['id']}")).json()
    assert shown["state"] == "imported"
    number = (await api.get(f"/api/v1/numbers/{shown['number_id']}")).json()
    assert (number["account_id"], number["rent_micros"]) == (made.json()["id"], 0)
    early = await api.post(f"/api/v1/numbers/imports/{shown['id']}/give-up")
    assert code(early) == (409, "nothing_to_give_up")
    assert code(await api.delete(own)) == (409, "carrier_account_in_use")
    await api.delete(f"/api/v1/numbers/{number['id']}", params={"confirmation": number["e164"]})
    await worker.run_due()
    assert (await api.delete(own)).status_code == 204
    assert code(await api.get(own)) == (404, "carrier_account_not_found")


async def test_another_teams_accounts_are_not_there_and_members_only_look_sec7(
    api: httpx.AsyncClient, site: Site, owner: Person
) -> None:
    account = (await api.post(f"{ACCOUNTS}/simulated")).json()
    path = f"{ACCOUNTS}/{account['id']}"
    (choice, *_) = (await api.get(f"{path}/numbers")).json()
    body = {"account_id": account["id"], "numbers": [choice["e164"]]}
    begun = (await api.post("/api/v1/numbers/imports", json=body)).json()[0]
    member = await new_member(site.database, owner.team_id, Role.MEMBER)
    async with site.client(member) as client:
        assert (await client.get(path)).status_code == 200
        for answer in (
            await client.post(f"{path}/test"),
            await client.delete(path),
            await client.put(f"{path}/token", json={"token": "0" * 32}),
            await client.post("/api/v1/numbers/imports", json=body),
        ):
            assert answer.status_code == 403
    stranger = await new_owner(site.database)
    async with site.client(stranger) as client:
        for answer in (
            await client.get(path),
            await client.get(f"{path}/numbers"),
            await client.post(f"{path}/test"),
            await client.delete(path),
            await client.put(f"{path}/token", json={"token": "0" * 32}),
            await client.post("/api/v1/numbers/imports", json=body),
            await client.get(f"/api/v1/numbers/imports/{begun['id']}"),
            await client.post(f"/api/v1/numbers/imports/{begun['id']}/give-up"),
            await client.get(f"/numbers/own/{account['id']}"),
            await client.get(f"/numbers/imports/{begun['batch_id']}"),
        ):
            assert answer.status_code == 404, answer.request.url
        assert (await client.get(ACCOUNTS)).json() == []
