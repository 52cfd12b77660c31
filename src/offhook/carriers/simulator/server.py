"""The simulated carrier as a process: puts its parts together and serves them.

`serve` is the process; `running` the same within another one, for tests. Data in
OFFHOOK_HOME/simulator. Listens on the loopback interface unless the settings say otherwise.
"""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from offhook.carriers.simulator.account import simulated_account
from offhook.carriers.simulator.calls import Switchboard
from offhook.carriers.simulator.faults import Fault, Faults
from offhook.carriers.simulator.handsets import Handsets
from offhook.carriers.simulator.messages import Messages
from offhook.carriers.simulator.records import Change, apply
from offhook.carriers.simulator.rest import RestApi
from offhook.carriers.simulator.store import Entry, Store, read_log
from offhook.carriers.simulator.telephones import Telephones
from offhook.carriers.simulator.webhooks import Webhooks
from offhook.settings import Settings, secret_key

STOP_S = 3


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulated carrier, for tests: its address, its log and its faults."""

    url: str
    faults: Faults
    messages: Messages
    switchboard: Switchboard
    database: Store

    async def log(self) -> list[Entry]:
        return await self.database.do(read_log)


def log_path(settings: Settings) -> Path:
    """The file of `store.log_of`."""
    return settings.home_path / "simulator" / "carrier.sqlite"


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM."""
    listener = _listener(settings.host, settings.simulator_port)

    async def whole() -> None:
        async with _started(settings, listener) as (_, server):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, server.stop)
            await server.serve([listener])

    asyncio.run(whole())


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[Simulator]:
    """The same within this event loop, at `settings.simulator_port` (0: any free port)."""
    listener = _listener(settings.host, settings.simulator_port)
    async with _started(settings, listener) as (simulator, server):
        serving = asyncio.create_task(server.serve([listener]))
        await server.ready.wait()
        try:
            yield simulator
        finally:
            server.stop()
            await serving


@asynccontextmanager
async def _started(
    settings: Settings, listener: socket.socket
) -> AsyncGenerator[tuple[Simulator, "_Server"]]:
    secret = secret_key(settings)
    account = simulated_account(secret)
    database, faults, handsets = Store(log_path(settings)), Faults(), Handsets()
    webhooks = Webhooks(token=account.token, store=database, faults=faults)
    parts: dict[str, Any] = {
        "account": account.sid,
        "database": database,
        "webhooks": webhooks,
        "handsets": handsets,
    }
    messages, switchboard = Messages(**parts), Switchboard(**parts)
    rest = RestApi(
        account=account,
        database=database,
        messages=messages,
        switchboard=switchboard,
        faults=faults,
    )
    telephones = Telephones(
        secret=secret,
        origins=_origins(settings),
        database=database,
        handsets=handsets,
        messages=messages,
        switchboard=switchboard,
    )
    control = _Control(account.sid, rest, messages, database, faults)
    app = Starlette(routes=[*rest.routes(), *telephones.routes(), *control.routes()])
    port = listener.getsockname()[1]
    simulator = Simulator(f"http://{settings.host}:{port}", faults, messages, switchboard, database)
    await switchboard.resume()
    await messages.resume()
    try:
        yield simulator, _Server(app)
    finally:
        await switchboard.close()
        await messages.close()
        await webhooks.aclose()
        database.close()


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the signals to whoever runs it."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=STOP_S,
                lifespan="off",
            )
        )
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def _origins(settings: Settings) -> set[str]:
    """The dashboard's own pages, by any name that they have on this machine."""
    public = urlsplit(settings.web_url)
    return {
        f"{public.scheme}://{public.netloc}",
        *(f"http://{host}:{settings.port}" for host in ("127.0.0.1", "localhost", settings.host)),
    }


class _Control:
    """What tests may ask and read: faults, opt-outs, records, the log; the API's credentials."""

    def __init__(
        self, account: str, rest: RestApi, messages: Messages, database: Store, faults: Faults
    ) -> None:
        self._account = account
        self._rest = rest
        self._messages = messages
        self._store = database
        self._faults = faults

    def routes(self) -> list[Route]:
        return [
            Route("/healthz", self._health),
            Route("/simulator/log", self._log),
            Route("/simulator/faults", self._ask_faults, methods=["POST"]),
            Route("/simulator/opt-outs", self._opt_out, methods=["POST"]),
            Route("/simulator/records", self._change_records, methods=["POST"]),
        ]

    async def _health(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

    async def _log(self, request: Request) -> Response:
        if not self._rest.authorised(request):
            return Response(status_code=401)
        after = request.query_params.get("after", "0")
        number = int(after) if after.isdigit() else 0
        entries = await self._store.do(lambda db: read_log(db, number))
        shown = [
            {"id": e.id, "at_us": e.at_us, "event": e.event, "sid": e.sid, "data": e.data}
            for e in entries
        ]
        return JSONResponse({"log": shown})

    async def _ask_faults(self, request: Request) -> Response:
        if not self._rest.authorised(request):
            return Response(status_code=401)
        try:
            for each in json.loads(await request.body()):
                self._faults.ask(Fault(**each))
        except (ValueError, TypeError):
            return JSONResponse({"sentence": "A list of faults is wanted."}, 400)
        return Response(status_code=204)

    async def _change_records(self, request: Request) -> Response:
        if not self._rest.authorised(request):
            return Response(status_code=401)
        try:
            changes = [Change(**each) for each in json.loads(await request.body())]
            sids = [
                await self._store.do(lambda db, each=each: apply(db, self._account, each))
                for each in changes
            ]
        except (ValueError, TypeError, KeyError):
            return JSONResponse({"sentence": "A list of changes to records is wanted."}, 400)
        return JSONResponse({"sids": sids})

    async def _opt_out(self, request: Request) -> Response:
        if not self._rest.authorised(request):
            return Response(status_code=401)
        try:
            data = json.loads(await request.body())
            number, contact = str(data["number"]), str(data["contact"])
            stopped = bool(data.get("stopped", True))
        except (ValueError, TypeError, KeyError):
            return JSONResponse({"sentence": "number and contact are wanted."}, 400)
        await self._messages.opt_out(number=number, contact=contact, stopped=stopped)
        return Response(status_code=204)
