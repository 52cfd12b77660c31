"""Pages of webhooks: make an endpoint, watch a test arrive, switch off, replay, read."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hook_receiver import answer, receiver
from httpx import AsyncClient
from webhook_desk import Desk

from offhook.teams.models import Role
from offhook.webhooks.routes import banners
from offhook.webhooks.rules import EndpointState
from web_fixtures import Person, Site, new_member


@pytest.fixture
async def owned(site: Site, desk: Desk, owner: Person) -> Desk:
    """The desk works for the owner's team."""
    site.app.state.vault = desk.vault
    desk.team = owner.team_id
    return desk


async def test_an_endpoint_is_made_and_its_secret_shown_once_w13(
    client: AsyncClient, owned: Desk
) -> None:
    assert "No endpoints yet" in (await client.get("/webhooks")).text
    form = await client.get("/webhooks/new")
    assert "call.ended" in form.text
    made = await client.post(
        "/webhooks/new",
        data={
            "url": "https://example.com/hooks",
            "name": "Books",
            "every": "",
            "events": ["call.ended"],
        },
    )
    (secret,) = re.findall(r"data-secret>(whsec_[^<]+)<", made.text)
    listed = await client.get("/webhooks")
    assert "Books" in listed.text
    (path,) = set(re.findall(r"/webhooks/endpoints/whe_\w+", listed.text))
    page = await client.get(path)
    assert page.status_code == 200
    assert secret not in page.text + listed.text
    rotated = await client.post(f"{path}/secrets", data={})
    assert "whsec_" in rotated.text
    assert rotated.text.count(secret) == 0


async def test_a_refused_address_is_said_beside_the_form(client: AsyncClient, owned: Desk) -> None:
    refused = await client.post(
        "/webhooks/new",
        data={"url": "ftp://example.com", "every": "*"},
        headers={"hx-request": "true"},
    )
    assert refused.status_code == 422
    assert "does not begin with https://" in refused.text


async def test_a_test_is_watched_until_it_arrives(client: AsyncClient, owned: Desk) -> None:
    async with receiver(answer(503, b"busy")) as there:
        endpoint, secret = await owned.endpoint(there.url)
        sent = await client.post(f"/webhooks/endpoints/{endpoint.id}/test")
        path = sent.headers["location"]
        assert "None yet." in (await client.get(path)).text
        await owned.dispatcher.run_due()
        assert there.received(secret)[0].json["type"] == "webhook.test"
    state = await client.get(f"{path}/state")
    assert "503" in state.text
    assert "busy" in state.text
    assert "2 of 10" in state.text
    assert endpoint.url in (await client.get("/webhooks/deliveries?state=pending")).text


async def test_switched_off_and_on_again_and_replayed_by_hand_w11_w14(
    client: AsyncClient, owned: Desk
) -> None:
    async with receiver() as there:
        endpoint, _ = await owned.endpoint(there.url)
        path = f"/webhooks/endpoints/{endpoint.id}"
        await client.post(f"{path}/off")
        assert (await owned.get(endpoint.id)).state is EndpointState.OFF
        assert "switched off by hand" in (await client.get(path)).text
        await owned.bake(2)
        await client.post(f"{path}/on")
        span = {"start": "2020-01-01T00:00", "end": "2999-01-01T00:00"}
        refused = await client.post(f"{path}/replay", data=span, headers={"hx-request": "true"})
        assert "more than 30 days ago" in refused.text
        span["start"] = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M}"
        assert (await client.post(f"{path}/replay", data=span)).status_code == 303
        await owned.dispatcher.run_due()
        assert len(there.requests) == 2
        (delivery, _) = await owned.deliveries()
        assert (await client.post(f"/webhooks/deliveries/{delivery.id}/replay")).status_code == 303
        await client.post(f"{path}/remove")
        assert (await client.get(path)).status_code == 404


async def test_one_that_was_switched_off_by_itself_is_named_on_every_page_w10(
    site: Site, client: AsyncClient, owned: Desk
) -> None:
    site.app.state.web.banners.append(banners)
    async with receiver(answer(410)) as there:
        await owned.endpoint(there.url, name="Books")
        await owned.bake()
        await owned.dispatcher.run_due()
    assert "“Books” was switched off" in (await client.get("/banners")).text


async def test_the_catalogue_shows_each_event_and_an_example(client: AsyncClient) -> None:
    page = (await client.get("/webhooks/events")).text
    assert "call.refused" in page
    assert "A call was not answered" in page
    assert "&#34;type&#34;: &#34;transcript.ready&#34;" in page
    verify = (await client.get("/webhooks/verify")).text
    for language in ("Python", "Node", "Go"):
        assert language in verify


async def test_a_member_sees_and_changes_nothing(
    site: Site, client: AsyncClient, owned: Desk, owner: Person
) -> None:
    endpoint, _ = await owned.endpoint("https://example.com/hooks")
    member = await new_member(site.database, owner.team_id, Role.MEMBER)
    async with site.client(member) as theirs:
        page = await theirs.get(f"/webhooks/endpoints/{endpoint.id}")
        assert page.status_code == 200
        assert "Switch off" not in page.text
        refused = await theirs.post(f"/webhooks/endpoints/{endpoint.id}/off")
        assert refused.status_code == 403
        assert (await theirs.get("/webhooks/new")).status_code == 403
