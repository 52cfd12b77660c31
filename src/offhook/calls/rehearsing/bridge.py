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
from typing import cast

from fastapi import APIRouter
from starlette.websockets import WebSocket

from offhook.calls import admission
from offhook.calls.joining.bridge import REFUSED, carry_to
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
        url = f"{node.url}/stream" if node is not None else None
    await carry_to(socket, url, _first(ticket, secret))


def _first(ticket: Ticket, secret: bytes) -> str:
    return streams.dump(
        streams.Start(
            stream_id=ticket.id,
            account_id="",
            call_id=ticket.id,
            parameters=ticket.fields(secret),
        )
    )
