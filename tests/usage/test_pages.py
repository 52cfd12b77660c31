"""The usage page, its fragments and the REST answer (U9, pages.md)."""

from collections.abc import Mapping, Sequence
from importlib import import_module

import pytest
from httpx import AsyncClient
from usage_desk import Desk

from offhook import usage
from offhook.db import Database, Session
from offhook.usage import Service
from web_fixtures import Person


@pytest.fixture
def rooms() -> Sequence[str]:
    return ("teams", "usage")


@pytest.fixture
async def used(database: Database, owner: Person, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A team that used a limit up, with one number named by the room above."""

    async def labels(session: Session, team_id: str) -> Mapping[str, usage.Label]:
        return {"num_a": usage.Label("Front <desk>", "+16502530000")}

    monkeypatch.setattr(import_module("offhook.usage.names"), "_sources", [labels])
    desk = Desk(database, owner.team_id)
    number = await desk.number("num_a", calls=3, sms=100)
    await desk.call(number, "call_a", 70)
    await desk.reserve(number, "call_b")
    await desk.take(number, "in_1")
    await desk.limit(number, Service.SMS, 1)
    return desk


async def test_the_page_shows_use_limits_pool_and_reset(used: Desk, client: AsyncClient) -> None:
    page = (await client.get("/usage")).text
    assert "Front &lt;desk&gt;" in page
    assert "57 <span" in page  # of 60 free minutes
    assert "Limit reached: no replies until" in page
    assert "Limit reached: no calls until" in page
    assert "UTC" in page


async def test_the_page_of_a_new_team_says_what_to_do(client: AsyncClient) -> None:
    page = (await client.get("/usage")).text
    assert "No usage yet" in page
    assert 'href="/numbers/add"' in page


async def test_the_pool_is_a_fragment_for_other_pages(used: Desk, client: AsyncClient) -> None:
    fragment = (await client.get("/usage/pool")).text
    assert "<html" not in fragment
    assert "used by Front &lt;desk&gt; 3" in fragment
    month = (await client.get("/usage/month")).text
    assert "<html" not in month
    assert "Charged so far" in month


async def test_the_rest_answer_says_the_same(used: Desk, client: AsyncClient) -> None:
    answer = (await client.get("/api/v1/usage")).json()
    calls = next(n for n in answer["numbers"] if n["service"] == "calls")
    assert (calls["name"], calls["number"]) == ("Front <desk>", "+16502530000")
    assert (calls["used"], calls["held"], calls["limit"], calls["left"]) == (3, 0, 3, 0)
    assert calls["charged"] == {"amount": "0.00", "currency": "USD"}
    pool = next(p for p in answer["free"] if p["service"] == "calls")
    assert (pool["size"], pool["left"], pool["by_number"]) == (60, 57, {"num_a": 3})
    assert answer["period"]["timezone"] == "UTC"
