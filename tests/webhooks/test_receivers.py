"""The receivers that the page shows: each runs as it is and takes only what is signed (W5)."""

import asyncio
import importlib.util
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from offhook.webhooks import signing, snippets
from ports import free_port

ROOT = Path(__file__).resolve().parents[2]
RECEIVERS = ROOT / "src" / "offhook" / "webhooks" / "receivers"
MODULES = ROOT / "frontend" / "node_modules"
BODY = '{"type":"call.ended","data":{"name":"Zoë 🥐 \u2028"}}'.encode()
needs_node = pytest.mark.skipif(
    not (MODULES / "standardwebhooks").is_dir() and "CI" not in os.environ,
    reason="the npm packages of frontend/ are not installed",
)


async def check(client: httpx.AsyncClient, secret: str) -> None:
    """Takes what is signed now; refuses other bytes, another secret, an old signature."""
    present = datetime.now(UTC)
    old = present - timedelta(minutes=6)
    rotated = [signing.new_secret(), secret]
    for at, body, signers, status in (
        (present, BODY, [secret], 204),
        (present, BODY, rotated, 204),
        (present, BODY + b" ", [secret], 400),
        (present, BODY, [signing.new_secret()], 400),
        (old, BODY, [secret], 400),
    ):
        headers = signing.headers("msg_1", at, BODY, signers)
        answer = await client.post("/hooks", content=body, headers=headers)
        assert answer.status_code == status


async def test_the_python_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = signing.new_secret()
    monkeypatch.setenv("OFFHOOK_WEBHOOK_SECRET", secret)
    spec = importlib.util.spec_from_file_location("receiver", RECEIVERS / "receiver.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    transport = httpx.ASGITransport(module.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
        await check(client, secret)


@needs_node
async def test_the_node_receiver(tmp_path: Path) -> None:
    """The npm library finds its packages beside the script."""
    shutil.copy(RECEIVERS / "receiver.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    secret, port = signing.new_secret(), free_port()
    process = await asyncio.create_subprocess_exec(
        "node",
        str(tmp_path / "receiver.mjs"),
        env={**os.environ, "OFFHOOK_WEBHOOK_SECRET": secret, "PORT": str(port)},
    )
    try:
        transport = httpx.AsyncHTTPTransport(retries=8)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", transport=transport
        ) as client:
            await check(client, secret)
    finally:
        process.kill()
        await process.wait()


def test_each_receiver_is_shown_as_it_is() -> None:
    assert [each.text for each in snippets.ALL] == [
        (RECEIVERS / each.file).read_text("utf-8") for each in snippets.ALL
    ]
