"""The pages and the REST of agents and knowledge, as a person and a program use them."""

import asyncio
import re

import pytest
from httpx import AsyncClient

HTMX = {"HX-Request": "true"}
TEXT = "# Shop\n\n## Hours\n\n| Day | Hours |\n| --- | --- |\n| Sunday | 8:00 - 12:00 |\n"


async def sample(client: AsyncClient) -> str:
    """The id of a new sample agent."""
    made = await client.post("/agents/sample", headers=HTMX)
    assert made.status_code == 204, made.text
    return made.headers["hx-redirect"].rpartition("/")[2]


async def test_a_newcomer_takes_the_sample_and_texts_its_draft(client: AsyncClient) -> None:
    assert "Take the sample agent" in (await client.get("/agents")).text
    agent_id = await sample(client)
    for section in ("behaviour", "voice", "knowledge", "numbers", "rubbish"):
        page = await client.get(f"/agents/{agent_id}?section={section}")
        assert page.status_code == 200
        assert "Daily Bread Bakery" in page.text
    sent = {"text": "How much is the rye loaf?"}
    talk = await client.post(f"/agents/{agent_id}/try", data=sent, headers=HTMX)
    assert "The rye loaf costs 4.80." in talk.text
    found = re.search(r'href="(/knowledge/passages/[^"]+)"', talk.text)
    assert found is not None
    opened = await client.get(found[1])
    assert opened.headers["location"].startswith("/knowledge/src_")
    assert (await client.get("/agents/rows")).status_code == 200


async def test_an_agent_is_made_edited_and_made_live_by_hand(client: AsyncClient) -> None:
    made = await client.post("/agents", data={"name": "Front desk"}, headers=HTMX)
    here = made.headers["hx-redirect"]
    page = await client.get(here)
    assert "Write what the agent is to do." in page.text
    refused = await client.post(f"{here}/live", headers=HTMX)
    assert refused.status_code == 409
    await client.post(f"{here}/behaviour", data={"name": "Desk", "instructions": "Be kind."})
    voice = {"greeting": "Hello!", "silence_ms": "soon"}
    wrong = await client.post(f"{here}/voice", data=voice, headers=HTMX)
    assert wrong.status_code == 422
    assert "soon" in wrong.text
    await client.post(f"{here}/voice", data={"greeting": "Hello!", "silence_ms": "900"})
    assert (await client.post(f"{here}/live", headers=HTMX)).status_code == 204
    assert (await client.post(f"{here}/pause", headers=HTMX)).status_code == 204
    assert (await client.post(f"{here}/draft", headers=HTMX)).status_code == 204
    assert (await client.post(f"{here}/delete", headers=HTMX)).status_code == 204
    assert (await client.get(here)).status_code == 404


async def test_knowledge_is_added_tried_replaced_given_and_deleted(client: AsyncClient) -> None:
    agent_id = await sample(client)
    for kind in ("text", "pair", "file"):
        assert (await client.get(f"/knowledge/add?kind={kind}&agent={agent_id}")).status_code == 200
    upload = {"file": ("hours.md", TEXT.encode(), "text/markdown")}
    made = await client.post("/knowledge/file", files=upload, headers=HTMX)
    here = made.headers["hx-redirect"]
    assert "Sunday" in (await client.get(here)).text
    choices = await client.get(f"/agents/choices?source={here.rpartition('/')[2]}")
    assert "checked" not in choices.text
    found = await client.get("/knowledge/ask?question=open on Sunday?", headers=HTMX)
    assert "8:00 - 12:00" in found.text
    replaced = {"title": "Hours", "content": "Closed in August."}
    assert (await client.post(here, data=replaced, headers=HTMX)).status_code == 204
    given = {"source_ids": [here.rpartition("/")[2]]}
    saved = await client.post(f"/agents/{agent_id}/knowledge", data=given, headers=HTMX)
    assert saved.status_code == 204
    assert (await client.get(f"{here}/passages")).status_code == 200
    assert (await client.post(f"{here}/delete", headers=HTMX)).status_code == 204
    assert (await client.get("/knowledge")).status_code == 200
    refused = await client.post(
        "/knowledge/file", files={"file": ("menu.txt", b"\x89PNG\r\n", "text/plain")}, headers=HTMX
    )
    assert refused.status_code == 422
    assert "is a picture" in refused.text


async def test_a_program_does_the_same_over_rest(client: AsyncClient) -> None:
    made = await client.post("/api/v1/agents", json={"name": "Desk", "greeting": "Hi!"})
    assert made.status_code == 201
    agent = made.json()
    here = f"/api/v1/agents/{agent['id']}"
    assert [each["code"] for each in agent["missing"]] == ["instructions"]
    changed = await client.patch(here, json={"instructions": "Help.", "options": {"check_in_s": 9}})
    assert changed.json()["options"]["check_in_s"] == 9
    assert (await client.post(f"{here}/live")).json()["status"] == "live"
    added = await client.post(
        "/api/v1/knowledge/sources",
        json={"kind": "text", "title": "Hours", "content": TEXT, "agent_ids": [agent["id"]]},
    )
    assert added.status_code == 201, added.text
    source = added.json()
    assert (source["state"], source["agent_ids"]) == ("ready", [agent["id"]])
    found = await client.get(
        "/api/v1/knowledge/search", params={"question": "Open Sunday?", "agent_id": agent["id"]}
    )
    assert found.json()[0]["answerable"] is True
    passages = await client.get(f"/api/v1/knowledge/sources/{source['id']}/passages")
    assert len(passages.json()["items"]) == 1
    upload = {"file": ("empty.txt", b"", "text/plain")}
    refused = await client.post("/api/v1/knowledge/files", files=upload)
    assert (refused.status_code, refused.json()["code"]) == (422, "source_empty")
    assert (await client.delete(f"/api/v1/knowledge/sources/{source['id']}")).status_code == 204
    assert len((await client.get("/api/v1/agents")).json()["items"]) == 1
    assert len((await client.get(f"{here}/versions")).json()) == 1
    assert (await client.post(f"{here}/pause", json={})).json()["status"] == "paused"
    assert (await client.delete(here)).status_code == 204
    assert (await client.get(here)).status_code == 404


@pytest.mark.parametrize("path", ["/agents", "/knowledge", "/api/v1/agents"])
async def test_nobody_sees_another_teams(client: AsyncClient, path: str) -> None:
    client.cookies.clear()
    assert (await client.get(path, headers=HTMX)).status_code in {204, 303, 401}


async def test_agents_that_are_given_a_source_at_once_all_have_it(client: AsyncClient) -> None:
    sent = {"title": "Parking", "content": "You can park behind the shop."}
    made = await client.post("/knowledge/text", data=sent, headers=HTMX)
    source_id = made.headers["hx-redirect"].rpartition("/")[2]
    agents: list[str] = []
    for number in range(5):
        made = await client.post("/agents", data={"name": f"Desk {number}"}, headers=HTMX)
        agents.append(made.headers["hx-redirect"].rpartition("/")[2])
    given = {"source_ids": source_id}
    await asyncio.gather(
        *(client.post(f"/agents/{each}/knowledge", data=given, headers=HTMX) for each in agents)
    )
    chosen = await client.get(f"/agents/choices?source={source_id}")
    assert chosen.text.count(" checked") == len(agents)
