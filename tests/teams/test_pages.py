"""Signing up, in and out; members; the pages of a team."""

import pytest
from httpx import AsyncClient


@pytest.mark.parametrize("path", ["/team", "/team/settings", "/team/api-keys", "/account"])
async def test_every_page_renders(client: AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200, response.text
    assert "Daily Bread" in response.text


async def test_design_page_renders(client: AsyncClient) -> None:
    response = await client.get("/design")
    assert response.status_code == 200
