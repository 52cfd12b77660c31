"""The simulated carrier as a process: puts its parts together and serves them.

`serve` is the process; `running` the same within another one, for tests. Data in
OFFHOOK_HOME/simulator. Listens on the loopback interface unless the settings say otherwise.
"""

import asyncio
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

from offhook.carriers.simulator.account import simulated_account
from offhook.carriers.simulator.accounts import Accounts
from offhook.carriers.simulator.calls import Switchboard
from offhook.carriers.simulator.control import Control
from offhook.carriers.simulator.faults import Faults
from offhook.carriers.simulator.handsets import Handsets
from offhook.carriers.simulator.messages import Messages
from offhook.carriers.simulator.people import People
from offhook.carriers.simulator.rest import RestApi
from offhook.carriers.simulator.store import Entry, Store, read_log
from offhook.carriers.simulator.telephones import Telephones
from offhook.carriers.simulator.webhooks import Webhooks
from offhook.settings import Settings, secret_key

STOP_S = 3
KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection, so none sends into one that is being closed."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulated carrier, for tests: its address, its log and its faults."""

    url: str
    faults: Faults
    messages: Messages
    switchboard: Switchboard
    database: Store
    accounts: Accounts
    people: People

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
    database, faults, handsets = Store(log_path(settings)), Faults(), Handsets()
    accounts = Accounts(simulated_account(secret), database)
    webhooks = Webhooks(token=accounts.token, store=database, faults=faults)
    parts: dict[str, Any] = {"database": database, "webhooks": webhooks, "handsets": handsets}
    people = People()
    messages, switchboard = Messages(**parts), Switchboard(**parts, people=people)
    rest = RestApi(
        accounts=accounts,
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
    control = Control(accounts, messages, database, faults, people)
    app = Starlette(routes=[*rest.routes(), *telephones.routes(), *control.routes()])
    port = listener.getsockname()[1]
    url = f"http://{settings.host}:{port}"
    simulator = Simulator(url, faults, messages, switchboard, database, accounts, people)
    await accounts.start()
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
                timeout_keep_alive=KEEP_ALIVE_S,
                lifespan="off",
            )
        )
        self.ready = asyncio.Event()
        self._told = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        """As uvicorn's, which looks ten times a second whether it shall stop."""
        looking = asyncio.create_task(super().main_loop())
        told = asyncio.create_task(self._told.wait())
        await asyncio.wait((looking, told), return_when=asyncio.FIRST_COMPLETED)
        for each in (looking, told):
            each.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, which waits a tenth of a second also where nobody is connected."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()


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
