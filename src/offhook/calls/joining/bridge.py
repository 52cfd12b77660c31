"""The web process's end of a member's WebSocket: carried on to the media process that has the call.

One address for browsers and programs, wherever the call is; the ticket in it is the proof of who
they are (api.py gives it out). What goes through is not looked at. A slow member stalls this bridge
alone: the media process leaves out what they do not hear (companion.py).
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import cast

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from offhook.calls.joining import service, tickets
from offhook.db import Database
from offhook.errors import Problem

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
OVER, REFUSED, AWAY = 1000, 1008, 1013


@router.websocket("/calls/{call_id}/line")
async def line(socket: WebSocket, call_id: str) -> None:
    """Both sides of a live call, and the member's voice, until either end closes."""
    url = await _address(socket, call_id)
    if url is None:
        await socket.close(REFUSED)
        return
    await carry_to(socket, url)


async def _address(socket: WebSocket, call_id: str) -> str | None:
    secret = cast("bytes", socket.app.state.secret)
    ticket = tickets.read(secret, call_id, socket.url.query, now_s=int(time.time()))
    if ticket is None:
        return None
    database = cast("Database", socket.app.state.database)
    try:
        async with database.team(ticket.team_id) as session:
            return await service.address(session, ticket, secret)
    except Problem as problem:
        log.info("no line to %s: %s", call_id[:40], problem)
        return None


async def carry_to(socket: WebSocket, url: str | None, first: str = "") -> None:
    """Accept a browser and carry it on to a media process, told `first`, until either end closes.
    Without a `url`, or where nobody answers there, it hears AWAY.
    """
    await socket.accept()
    code = AWAY
    if url is not None:
        with suppress(OSError, WebSocketException):
            async with connect(url, proxy=None, compression=None, open_timeout=5) as node:
                if first:
                    await node.send(first)
                await _carry(socket, node)
                code = node.close_code if node.close_code in {OVER, REFUSED} else AWAY
    with suppress(RuntimeError, WebSocketDisconnect):  # the browser was the first to go
        await socket.close(code)


async def _carry(socket: WebSocket, node: ClientConnection) -> None:
    """Both ways, until one of them ends."""
    ways = {asyncio.create_task(_to_node(socket, node)), asyncio.create_task(_back(socket, node))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _to_node(socket: WebSocket, node: ClientConnection) -> None:
    while (message := await socket.receive())["type"] == "websocket.receive":
        await node.send(message.get("bytes") or message.get("text") or "")


async def _back(socket: WebSocket, node: ClientConnection) -> None:
    async for message in node:
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_text(message)
