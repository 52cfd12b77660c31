"""The processes that the supervisor starts: web, media, worker. Each runs until SIGTERM.

What a process needs is opened here, handed to the rooms, and closed here.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from sqlalchemy.orm import configure_mappers

from offhook import agents, app, calls, carriers, speech, teams, web
from offhook.db import Database, Jobs
from offhook.settings import Settings, secret_key

log = logging.getLogger(__name__)
WELCOME_FILE = "welcome"


def run(process: str, settings: Settings) -> None:
    """Run one process, by name, until it is told to stop."""
    uvloop.run(PROCESSES[process](settings))


def read_ahead(settings: Settings) -> None:
    """Import what one of them alone needs, too: for the process of which they are forks."""
    app.read_routes()
    agents.read_ahead(settings)
    configure_mappers()


async def _web(settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool)
    synthesiser = speech.open_synthesiser(settings)
    await synthesiser.start()
    application = app.create_web(settings, database, synthesiser)
    async with database.system() as session:
        link = await teams.setup_link(session, settings)
    welcome = f"Create your account: {link}" if link else f"Sign in: {settings.web_url}"
    (settings.run_path / WELCOME_FILE).write_text(welcome)
    server = web.server(application, host=settings.host, port=settings.port, log_level="warning")
    try:
        await server.serve()
    finally:
        await synthesiser.close()
        await database.close()


async def _media(settings: Settings) -> None:
    async with (
        _database(settings) as database,
        _carriers(settings, database) as accounts,
        app.open_runner(settings, database) as runner,
    ):
        recogniser = speech.open_recogniser(settings)
        synthesiser = speech.open_synthesiser(settings)
        await recogniser.start()
        await synthesiser.start()
        app.join_rooms(settings)
        brain = agents.open_brain(settings)
        parts = calls.Parts(
            settings=settings,
            secret=secret_key(settings),
            database=database,
            carriers=accounts,
            brain=brain,
            recogniser=recogniser,
            synthesiser=synthesiser,
            voices=app.voices(settings, synthesiser),
            runner=runner,
        )
        try:
            await calls.Node(parts).run(_until_stopped())
        finally:
            await brain.close()
            await recogniser.close()
            await synthesiser.close()


async def _worker(settings: Settings) -> None:
    async with (
        _database(settings) as database,
        _carriers(settings, database) as accounts,
        app.open_runner(settings, database) as runner,
    ):
        brain = agents.open_brain(settings)
        synthesiser = speech.open_synthesiser(settings)
        await synthesiser.start()
        app.join_rooms(settings)
        jobs = Jobs(database)
        app.register_jobs(jobs, settings, database, accounts, brain, runner, synthesiser)
        try:
            await jobs.run()
        finally:
            await brain.close()
            await synthesiser.close()


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[Database]:
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _carriers(settings: Settings, database: Database) -> AsyncGenerator[carriers.Carriers]:
    accounts = app.open_carriers(settings, database)
    try:
        yield accounts
    finally:
        await accounts.aclose()


def _until_stopped() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    return stopping


PROCESSES: dict[str, Callable[[Settings], Coroutine[Any, Any, None]]] = {
    "web": _web,
    "media": _media,
    "worker": _worker,
}
