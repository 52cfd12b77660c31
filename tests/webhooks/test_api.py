"""REST of webhooks: roles, tenants, secrets, deliveries and replay (W5, W6, W11, W13, SEC7)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hook_receiver import answer, receiver
from httpx import AsyncClient
from sqlalchemy import text
from webhook_desk import Baked, Desk

from offhook.db import Database
from offhook.teams.models import Role
from offhook.webhooks import rules
from web_fixtures import Person, Site, new_member, new_owner

BASE = "/api/v1/webhooks"
HOUR = timedelta(hours=1)


@pytest.fixture
async def owned(site: Site, desk: Desk, owner: Person) -> Desk:
    """The desk works for the owner's team."""
    site.app.state.vault = desk.vault
    desk.team = owner.team_id
    return desk


async def made(client: AsyncClient, url: str = "https://example.com/hooks", **more: Any) -> Any:
    response = await client.post(f"{BASE}/endpoints", json={"url": url, **more})
    assert response.status_code == 201, response.text
    return response.json()


async def test_an_endpoint_is_made_read_changed_and_removed(
    client: AsyncClient, owned: Desk
) -> None:
    endpoint = await made(client, name="Books", events=["message.received"])
    assert endpoint["secret"].startswith("whsec_")
    path = f"{BASE}/endpoints/{endpoint['id']}"
    found = (await client.get(path)).json()
    assert "secret" not in found
    assert found["events"] == ["message.received"]
    changed = await client.put(path, json={"url": "https://example.com/x", "with_text": True})
    assert changed.json() | {"with_text": True, "events": ["*"]} == changed.json()
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.get(f"{BASE}/endpoints")).json() == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"url": "ftp://example.com"}, "url_refused"),
        ({"url": "https://user:pw@example.com"}, "url_refused"),
        ({"url": "https://example.com", "events": ["no.such"]}, "webhook_endpoint_invalid"),
        ({"url": "https://example.com", "events": []}, "webhook_endpoint_invalid"),
        ({"url": "https://example.com", "name": "x" * 81}, "validation_failed"),
    ],
)
async def test_bad_input_is_refused_in_words(
    client: AsyncClient, owned: Desk, given: dict[str, Any], code: str
) -> None:
    response = await client.post(f"{BASE}/endpoints", json=given)
    assert response.status_code == 422
    assert response.json()["code"] == code
    assert response.json()["remedy"]


async def test_a_member_reads_and_changes_nothing(
    site: Site, client: AsyncClient, owned: Desk, owner: Person
) -> None:
    endpoint = await made(client)
    member = await new_member(site.database, owner.team_id, Role.MEMBER)
    path = f"{BASE}/endpoints/{endpoint['id']}"
    async with site.client(member) as theirs:
        assert (await theirs.get(path)).status_code == 200
        assert (await theirs.get(f"{path}/secrets")).status_code == 403
        for method, where in (
            ("POST", f"{path}/test"),
            ("POST", f"{path}/disable"),
            ("DELETE", path),
        ):
            assert (await theirs.request(method, where)).status_code == 403


async def test_another_team_finds_nothing_sec7(
    site: Site, client: AsyncClient, owned: Desk
) -> None:
    async with receiver() as there:
        endpoint = await made(client, there.url)
        (event,) = await owned.bake()
        await owned.dispatcher.run_due()
    (delivery,) = await owned.deliveries()
    stranger = await new_owner(site.database, "Rye")
    async with site.client(stranger) as theirs:
        for method, path in (
            ("GET", f"/endpoints/{endpoint['id']}"),
            ("DELETE", f"/endpoints/{endpoint['id']}"),
            ("POST", f"/endpoints/{endpoint['id']}/test"),
            ("GET", f"/deliveries/{delivery.id}"),
            ("POST", f"/deliveries/{delivery.id}/replay"),
            ("POST", f"/events/{event.id}/replay"),
        ):
            assert (await theirs.request(method, BASE + path)).status_code == 404, path
        assert (await theirs.get(f"{BASE}/deliveries")).json()["items"] == []


async def test_the_secret_is_sealed_and_shown_once_w13(
    client: AsyncClient, owned: Desk, database: Database
) -> None:
    endpoint = await made(client)
    rotated = await client.post(f"{BASE}/endpoints/{endpoint['id']}/secrets", json={})
    secrets = [endpoint["secret"], rotated.json()["secret"]]
    async with database.system() as session:
        tables = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        for table in tables.all():
            rows = await session.scalars(text(f'SELECT t::text FROM "{table}" AS t'))  # noqa: S608 - our own tables
            dump = "\n".join(rows)
            for secret in secrets:
                assert secret.removeprefix("whsec_") not in dump, table


async def test_at_most_three_secrets_live_and_the_current_one_stays_w6(
    client: AsyncClient, owned: Desk
) -> None:
    endpoint = await made(client)
    path = f"{BASE}/endpoints/{endpoint['id']}/secrets"
    assert [(await client.post(path, json={})).status_code for _ in range(3)] == [201, 201, 409]
    live = (await client.get(path)).json()
    assert len(live) == rules.MOST_SECRETS
    assert [each["expires_at"] is None for each in live] == [True, False, False]
    refused = await client.delete(f"{path}/{live[0]['id']}")
    assert refused.json()["code"] == "webhook_secret_needed"
    assert (await client.delete(f"{path}/{live[2]['id']}")).status_code == 204
    assert (await client.delete(f"{path}/{live[2]['id']}")).status_code == 404
    assert (await client.post(path, json={"at_once": True})).status_code == 201
    assert len((await client.get(path)).json()) == 1


async def test_a_delivery_shows_every_attempt_and_the_first_kilobyte_w11(
    client: AsyncClient, owned: Desk
) -> None:
    async with receiver(answer(500, b"\xff\0" + b"n" * 5000)) as there:
        endpoint = await made(client, there.url)
        await owned.bake()
        await owned.dispatcher.run_due()
        body = there.requests[0].body.decode()
        signature = there.requests[0].headers["webhook-signature"]
    query = {"endpoint_id": endpoint["id"], "state": "pending", "event": "bread.baked"}
    (row,) = (await client.get(f"{BASE}/deliveries", params=query)).json()["items"]
    assert row["next_at"] is not None
    shown = (await client.get(f"{BASE}/deliveries/{row['id']}")).json()
    assert shown["body"] == body
    (attempt,) = shown["tried"]
    assert attempt["status"] == 500
    assert attempt["headers"]["webhook-signature"] == signature
    assert len(attempt["answer"]) == rules.ANSWER_KEPT
    assert attempt["answer"].startswith("\ufffd\ufffdnnn")


async def test_one_delivery_is_replayed_with_the_same_id_w11(
    client: AsyncClient, owned: Desk
) -> None:
    async with receiver() as there:
        endpoint = await made(client, there.url)
        await owned.bake()
        await owned.dispatcher.run_due()
        (delivery,) = await owned.deliveries()
        path = f"{BASE}/deliveries/{delivery.id}/replay"
        key = {"Idempotency-Key": "again-1"}
        assert [(await client.post(path, headers=key)).status_code for _ in range(2)] == [200] * 2
        await owned.dispatcher.run_due()
        first, second = there.received(endpoint["secret"])
    assert (first.id, first.body) == (second.id, second.body)
    shown = (await client.get(f"{BASE}/deliveries/{delivery.id}")).json()
    assert [each["number"] for each in shown["tried"]] == [2, 1]


async def test_an_event_is_replayed_to_whoever_wants_it_w11(
    client: AsyncClient, owned: Desk
) -> None:
    (event,) = await owned.bake()
    async with receiver() as there, receiver() as other, receiver() as off:
        endpoint = await made(client, there.url)
        await made(client, other.url, events=["message.received"])
        switched = await made(client, off.url)
        await client.post(f"{BASE}/endpoints/{switched['id']}/disable")
        response = await client.post(f"{BASE}/events/{event.id}/replay")
        assert response.json() == {"count": 1}
        await owned.dispatcher.run_due()
        (request,) = there.received(endpoint["secret"])
        assert request.id == event.id
        assert other.requests == off.requests == []


async def test_a_range_reaches_what_an_endpoint_missed_w11(
    client: AsyncClient, owned: Desk
) -> None:
    async with receiver() as there:
        endpoint = await made(client, there.url)
        path = f"{BASE}/endpoints/{endpoint['id']}"
        await owned.bake(2)
        await owned.dispatcher.run_due()
        await client.post(f"{path}/disable")
        missed = await owned.bake(3)
        present = datetime.now(UTC)
        span = {"start": str(present - HOUR), "end": str(present + HOUR)}
        refused = await client.post(f"{path}/replay", json=span)
        assert refused.json()["code"] == "webhook_endpoint_off"
        await client.post(f"{path}/enable")
        assert (await client.post(f"{path}/replay", json=span)).json() == {"count": 3}
        await owned.dispatcher.run_due()
        assert {each.id for each in missed} == {each.id for each in there.requests[2:]}
        whole = await client.post(f"{path}/replay", json={**span, "delivered_too": True})
        assert whole.json() == {"count": 5}
        await owned.dispatcher.run_due()
        assert len(there.received(endpoint["secret"])) == 10


@pytest.mark.parametrize(
    ("start", "end"), [(timedelta(0), -HOUR), (timedelta(days=-31), timedelta(0))]
)
async def test_a_range_that_is_empty_or_too_old_is_refused_w11(
    client: AsyncClient, owned: Desk, start: timedelta, end: timedelta
) -> None:
    endpoint = await made(client)
    present = datetime.now(UTC)
    span = {"start": str(present + start), "end": str(present + end)}
    response = await client.post(f"{BASE}/endpoints/{endpoint['id']}/replay", json=span)
    assert response.json()["code"] == "webhook_replay_invalid"


async def test_the_fifty_first_endpoint_is_refused(client: AsyncClient, owned: Desk) -> None:
    for _ in range(rules.MOST_ENDPOINTS):
        await made(client)
    response = await client.post(f"{BASE}/endpoints", json={"url": "https://example.com"})
    assert response.json()["code"] == "too_many_webhook_endpoints"


async def test_deliveries_of_a_conversation_are_found(client: AsyncClient, owned: Desk) -> None:
    await made(client)
    for name in ("cnv_1", "cnv_2"):
        await owned.publish(Baked(team_id=owned.team, conversation_id=name))
    query = {"conversation_id": "cnv_1"}
    (row,) = (await client.get(f"{BASE}/deliveries", params=query)).json()["items"]
    assert row["event"] == "bread.baked"
