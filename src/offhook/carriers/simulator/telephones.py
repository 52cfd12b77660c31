"""How handsets reach the simulated network: a WebSocket for a telephone, plain HTTP for texts.

A token in the URL or the Authorization header names the telephone's number (`account`); a browser
must come from one of our own origins. Messages are JSON; audio is binary, mu-law at 8 kHz, in
any length towards the network and 160 bytes (20 ms) a message from it.

to the network:   {"type": "text", "to", "body", "media"?}
                  {"type": "call", "to", "hidden"?, "verstat"?}
                  {"type": "dtmf", "digits"}  {"type": "hang_up"}
                  {"type": "answer", "call"}  {"type": "refuse", "call"}
from the network: ready, text, text_sent, text_state, ringing, answered, refused, ended, say,
                  incoming, joined, error
"""

import asyncio
import json
import time
from collections.abc import Collection
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from offhook.carriers.simulator import media, store
from offhook.carriers.simulator.account import handset_number
from offhook.carriers.simulator.calls import Switchboard
from offhook.carriers.simulator.handsets import Event, Handsets
from offhook.carriers.simulator.live import LiveCall
from offhook.carriers.simulator.messages import Messages, as_text
from offhook.carriers.simulator.resources import ApiError
from offhook.carriers.simulator.store import Store

RECENT_TEXTS = 50
MAX_QUEUED = 3_000  # one minute of frames for a telephone that does not read
MAX_TEXT_CHARACTERS = 16_000
MAX_JSON_CHARACTERS = MAX_TEXT_CHARACTERS + media.MAX_BYTES * 4 // 3
POLICY_VIOLATION = 1008


class Telephones:
    """The endpoints; `origins` are the pages that may embed a handset."""

    def __init__(
        self,
        *,
        secret: bytes,
        origins: Collection[str],
        database: Store,
        handsets: Handsets,
        messages: Messages,
        switchboard: Switchboard,
    ) -> None:
        self._secret = secret
        self._origins = frozenset(origins)
        self._store = database
        self._handsets = handsets
        self._messages = messages
        self._switchboard = switchboard

    def routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute("/handset", self._telephone),
            Route("/handset/texts", self._texts, methods=["GET", "POST", "OPTIONS"]),
        ]

    def _number(self, token: str, origin: str | None) -> str | None:
        if origin is not None and origin not in self._origins:
            return None
        return handset_number(self._secret, token, now_s=int(time.time()))

    async def _texts(self, request: Request) -> Response:
        origin = request.headers.get("origin")
        allowed = {
            "Access-Control-Allow-Origin": origin or "",
            "Access-Control-Allow-Headers": "authorization, content-type",
            "Vary": "Origin",
        }
        headers = allowed if origin in self._origins else {}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        number = self._number(token, origin)
        if number is None:
            return JSONResponse({"sentence": "The handset's token is not valid."}, 403, headers)
        if request.method == "GET":
            return JSONResponse({"texts": await self._recent(number)}, headers=headers)
        try:
            row = await self._send(number, json.loads(await request.body()))
        except ApiError as error:
            return JSONResponse({"sentence": error.message}, error.status, headers)
        except (ValueError, TypeError, AttributeError, KeyError):
            return JSONResponse({"sentence": "Not the JSON of a text."}, 400, headers)
        return JSONResponse(as_text(row), 201, headers)

    async def _send(self, number: str, data: Any) -> store.Row:
        to, body = str(data.get("to", "")), str(data.get("body", ""))
        if len(body) > MAX_TEXT_CHARACTERS:
            raise ApiError(400, 21617, "The text is too long.")
        return await self._messages.receive(
            sender=str(data.get("from") or number),
            to=to,
            body=body,
            pictures=media.read(data.get("media", [])),
        )

    async def _recent(self, number: str) -> list[dict[str, Any]]:
        def find(db: store.sqlite3.Connection) -> list[store.Row]:
            sent = store.select(db, "message", {"from": number})
            received = store.select(db, "message", {"to": number})
            merged = {row.sid: row for row in (*sent, *received)}
            return sorted(merged.values(), key=lambda row: row.created_s)[-RECENT_TEXTS:]

        return [as_text(row) for row in await self._store.do(find)]

    async def _telephone(self, socket: WebSocket) -> None:
        token = socket.query_params.get("token", "")
        number = self._number(token, socket.headers.get("origin"))
        if number is None:
            await socket.close(POLICY_VIOLATION)
            return
        await socket.accept()
        telephone = _Telephone(socket)
        self._handsets.connect(number, telephone)
        writing = asyncio.create_task(telephone.write())
        try:
            texts = await self._recent(number)
            telephone.tell({"type": "ready", "number": number, "texts": texts})
            await self._serve(socket, telephone, number)
        except WebSocketDisconnect:
            pass  # the telephone is gone; its call ends below
        finally:
            self._handsets.disconnect(number, telephone)
            if telephone.call:
                telephone.call.hang_up()
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _serve(self, socket: WebSocket, telephone: "_Telephone", number: str) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            audio = message.get("bytes")
            if audio is not None:
                if telephone.call:
                    telephone.call.microphone.hear(audio)
                continue
            try:
                await self._obey(telephone, number, str(message.get("text") or ""))
            except ApiError as error:
                telephone.tell({"type": "error", "code": error.code, "sentence": error.message})
            except (ValueError, TypeError, KeyError, RecursionError):
                telephone.tell({"type": "error", "code": 0, "sentence": "Not understood."})

    async def _obey(self, telephone: "_Telephone", number: str, text: str) -> None:
        data = _object(text)
        call = telephone.call
        match data.get("type"):
            case "text":
                row = await self._send(number, data)
                telephone.tell(as_text(row) | {"type": "text_sent"})
            case "call":
                await self._dial(telephone, number, data)
            case "dtmf" if call:
                call.press(str(data.get("digits", ""))[:64])
            case "hang_up" if call:
                call.hang_up()
            case "answer":
                telephone.call = self._switchboard.live(str(data.get("call", "")))
                if telephone.call:
                    telephone.call.pick_up()
            case "refuse":
                refused = self._switchboard.live(str(data.get("call", "")))
                if refused and not refused.answered:
                    refused.hang_up()
            case _:
                raise ValueError(data.get("type"))

    async def _dial(self, telephone: "_Telephone", number: str, data: dict[str, Any]) -> None:
        if telephone.call and not telephone.call.over:
            raise ApiError(409, 0, "This telephone is in a call.")
        telephone.call = await self._switchboard.call_in(
            sender=str(data.get("from") or number),
            to=str(data.get("to", "")),
            handset=telephone,
            hidden=bool(data.get("hidden")),
            verstat=str(data.get("verstat", "")),
        )


class _Telephone:
    """The socket's other half: a bounded queue, so that the network never waits for a telephone."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[str | bytes] = asyncio.Queue(MAX_QUEUED)
        self.call: LiveCall | None = None

    def tell(self, event: Event) -> None:
        self._put(json.dumps(dict(event)))

    def play(self, audio: bytes) -> None:
        self._put(audio)

    async def write(self) -> None:
        while True:
            item = await self._queue.get()
            try:
                if isinstance(item, str):
                    await self._socket.send_text(item)
                else:
                    await self._socket.send_bytes(item)
            except (WebSocketDisconnect, RuntimeError):
                return  # closed meanwhile; the reading side notices too

    def _put(self, item: str | bytes) -> None:
        if not self._queue.full():
            self._queue.put_nowait(item)


def _object(text: str) -> dict[str, Any]:
    if len(text) > MAX_JSON_CHARACTERS:
        raise ValueError("too long")
    data: Any = json.loads(text)
    if not isinstance(data, dict):
        raise TypeError("no object")
    return cast("dict[str, Any]", data)
