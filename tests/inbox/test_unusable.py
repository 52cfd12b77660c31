"""A zero byte in an address or a body is the sender's mistake, never a server error (SEC8)."""

import httpx
import pytest


@pytest.mark.parametrize(
    "path", ["/api/v1/conversations/%00", "/api/v1/contacts/a%00b", "/inbox/%00", "/contacts/%00"]
)
async def test_a_zero_byte_in_an_address_is_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422, answer.text
