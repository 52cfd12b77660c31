"""What the ids in a log are called, on its page."""

from httpx import AsyncClient

from web_fixtures import Person


async def test_what_an_id_belongs_to_is_named_and_led_to_while_it_is_there(
    client: AsyncClient, owner: Person
) -> None:
    agent = (await client.post("/api/v1/agents", json={"name": "Night desk"})).json()["id"]
    text = {"kind": "text", "title": "Parking", "content": "Behind the shop.", "agent_ids": [agent]}
    source = (await client.post("/api/v1/knowledge/sources", json=text)).json()["id"]

    shown = await _log_of(client, "knowledge of an agent")
    assert f'<a class="link" href="/knowledge/{source}">Parking</a>' in shown
    assert f'<a class="link" href="/agents/{agent}">Night desk</a>' in shown
    member = await _log_of(client, "member")
    assert f'Member <span class="font-medium wrap-anywhere">{owner.email}</span>' in member

    assert (await client.delete(f"/api/v1/knowledge/sources/{source}")).is_success
    shown = await _log_of(client, "knowledge of an agent")
    assert ">Parking</span>" in shown
    assert f"/knowledge/{source}" not in shown


async def _log_of(client: AsyncClient, what: str) -> str:
    """The entries of one kind, as the page shows them."""
    page = (await client.get("/team/audit", params={"what": what})).text
    return page[page.index('id="verdict"') :]
