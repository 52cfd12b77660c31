"""The web process's end of a rehearsal's WebSocket, carried on to a media process with room.

The ticket in the address is the proof of who talks. To the media process this is a carrier's
stream: the first message is ours, the rest is what the browser sends and gets, unseen:

    both ways     media, mark                      as in Twilio's Media Streams
    to the page   clear                            the same
                  {"event": "words", speaker, text}      what is being said, "" once it is a turn
                  {"event": "turn", id, speaker, text, interrupted, citations}    as far as heard
                  {"event": "task", task_id, title, state, done, request, response}
                  {"event": "notice", text}
"""

import time
from contextlib import suppress
from typing import cast

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from offhook.calls import admission
from offhook.calls.joining.bridge import AWAY, OVER, REFUSED, carry
from offhook.calls.rehearsing import tickets
from offhook.calls.rehearsing.tickets import Ticket
from offhook.carriers import streams
from offhook.db import Database

router = APIRouter(include_in_schema=False)


@router.websocket("/agents/{agent_id}/line")
async def line(socket: WebSocket, agent_id: str) -> None:
    """A rehearsal, until either end closes."""
    secret = cast("bytes", socket.app.state.secret)
    ticket = tickets.read(secret, socket.query_params, now_s=int(time.time()))
    if ticket is None or ticket.agent_id != agent_id:
        await socket.close(REFUSED)
        return
    database = cast("Database", socket.app.state.database)
    async with database.system() as session:
        node = await admission.free_node(session)
        url = node.url if node is not None else ""
    await socket.accept()
    code = AWAY
    if url:
        with suppress(OSError, WebSocketException):
            async with connect(
                f"{url}/stream", proxy=None, compression=None, open_timeout=5
            ) as media:
                await media.send(_first(ticket, secret))
                await carry(socket, media)
                code = media.close_code if media.close_code in {OVER, REFUSED} else AWAY
    with suppress(RuntimeError, WebSocketDisconnect):  # the browser was the first to go
        await socket.close(code)


def _first(ticket: Ticket, secret: bytes) -> str:
    return streams.dump(
        streams.Start(
            stream_id=ticket.id,
            account_id="",
            call_id=ticket.id,
            parameters=ticket.fields(secret),
        )
    )
