"""A tiny application that a carrier calls: it verifies, answers from a script, streams."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from offhook import carriers
from offhook.carriers import Account
from offhook.carriers.simulator.server import _Server  # pyright: ignore[reportPrivateUsage] - tests

Script = Callable[[WebSocket], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Callback:
    path: str
    fields: dict[str, str]
    verified: bool


@dataclass
class Application:
    """`answers` by path: a body, a status, or a list of them taken in turn."""

    account: Account
    url: str = ""
    answers: dict[str, list[str | int]] = field(default_factory=dict[str, list[str | int]])
    callbacks: list[Callback] = field(default_factory=list[Callback])
    script: Script | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def stream_url(self) -> str:
        return self.url.replace("http://", "ws://") + "/stream"

    def at(self, path: str) -> list[Callback]:
        return [each for each in self.callbacks if each.path == path]

    async def wait_for(self, path: str, count: int = 1) -> list[Callback]:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: len(self.at(path)) >= count)
        return self.at(path)

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        fields = carriers.read_form(body)
        url = carriers.callback_url(
            self.url, request.scope["raw_path"], request.scope["query_string"]
        )
        verified = carriers.verify_form(
            self.account.token, url, fields, request.headers.get(carriers.SIGNATURE_HEADER)
        )
        path = request.url.path
        async with self._news:
            self.callbacks.append(Callback(path, dict(fields), verified))
            self._news.notify_all()
        script = self.answers.get(path, [""])
        given = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(given, int):
            return Response(status_code=given)
        return Response(given, media_type="text/xml")

    async def stream(self, websocket: WebSocket) -> None:
        await websocket.accept()
        assert self.script is not None
        await self.script(websocket)


@asynccontextmanager
async def running_application(account: Account) -> AsyncGenerator[Application]:
    application = Application(account)
    app = Starlette(
        routes=[
            WebSocketRoute("/stream", application.stream),
            Route("/{path:path}", application.answer, methods=["GET", "POST"]),
        ]
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    application.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = _Server(app)
    serving = asyncio.create_task(server.serve([listener]))
    await server.ready.wait()
    try:
        yield application
    finally:
        server.stop()
        await serving
