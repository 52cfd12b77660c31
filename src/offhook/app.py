"""Puts the rooms together: the only place that knows everything.

`create_web` is the HTTP application: pages, REST, carrier callbacks, live updates. `join_rooms`
joins the hooks between rooms that may not import each other; every process calls it once.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from types import ModuleType
from typing import Any, cast

import websockets
from fastapi import APIRouter, FastAPI, Request

from offhook import (
    agents,
    audit,
    billing,
    bookings,
    calls,
    carriers,
    contacts,
    costs,
    inbox,
    knowledge,
    mail,
    messages,
    notices,
    numbers,
    prices,
    reconciliation,
    speech,
    tasks,
    teams,
    usage,
    web,
    webhooks,
)
from offhook.db import Database, Jobs, Listener, Session, when_published
from offhook.outgoing import Outgoing
from offhook.settings import Settings
from offhook.vault import open_vault

ROOMS = (
    mail,
    teams,
    prices,
    usage,
    costs,
    billing,
    contacts,
    knowledge,
    bookings,
    tasks,
    agents,
    numbers,
    inbox,
    messages,
    calls,
    reconciliation,
    webhooks,
    notices,
)
BANNERS = (billing, usage, webhooks)
CALLBACKS = "/carriers/"
KEEPERS: tuple[contacts.Keeper, ...] = (
    webhooks.Bodies(),  # before the rooms whose events name a person
    inbox.Conversations(),
    calls.Calls(),
    messages.Messages(),
    tasks.Runs(),
    agents.Tests(),
    bookings.Appointments(),
)
"""Who is asked when contacts are merged, exported, erased."""


def create_web(settings: Settings, database: Database, synthesiser: speech.Synthesiser) -> FastAPI:
    """The application of the web process; the caller closes what it handed over."""
    application = web.create_app(
        settings,
        rooms=[room.__name__ for room in ROOMS],
        identify=teams.identify,
        csrf_exempt=(CALLBACKS, billing.CALLBACKS),
        others=_others(settings),
        lifespan=_life,
    )
    application.add_middleware(audit.Acting, callbacks=CALLBACKS)
    application.state.database = database
    application.state.secret = application.state.web.secret
    application.state.vault = open_vault(settings)
    application.state.voices = voices(settings, synthesiser)
    for router in _in_order(router for room in ROOMS for router in _routes(room).routers):
        web.add_routes(application, router)
    for room in ROOMS:
        for section in getattr(_routes(room), "sections", ()):
            numbers.add_section(section)
    application.add_api_route("/healthz", _healthz, include_in_schema=False)
    application.add_api_route("/readyz", _readyz, include_in_schema=False)
    application.state.web.live.source("words:", Words(database, application.state.secret).follow)
    application.state.web.banners.extend(_routes(room).banners for room in BANNERS)
    join_rooms(settings)
    _routes(webhooks).describe(application)
    return application


def _in_order(routers: Iterable[APIRouter]) -> list[APIRouter]:
    """Carriers' callbacks first: callers wait for them, and addresses are tried one by one."""
    return sorted(routers, key=lambda router: not router.prefix.startswith(CALLBACKS))


def _routes(room: ModuleType) -> Any:
    """A room's routes, imported when they are asked for: only the web process needs them."""
    return import_module(f"{room.__name__}.routes")


def read_routes() -> None:
    """Import them all."""
    for room in ROOMS:
        _routes(room)


def voices(settings: Settings, synthesiser: speech.Synthesiser) -> speech.VoiceCache:
    """Greetings and fixed sentences, kept on disk and shared by this machine's processes."""
    return speech.VoiceCache(synthesiser, settings.home_path / "cache" / "voice")


def join_rooms(settings: Settings) -> None:
    """Hooks from lower rooms to higher ones."""
    when_published(webhooks.fan_out)
    when_published(notices.published)
    webhooks.when_switched_off(notices.endpoint_off)
    teams.on_team_created(_begin_trial)
    teams.on_member_removed(inbox.when_member_removed)
    teams.on_member_removed(messages.when_member_removed)
    for keeper in KEEPERS:
        contacts.kept_by(keeper)
    contacts.imports("contacts", contacts.Contacts())
    contacts.imports("opt_outs", messages.OptOuts())
    texts = messages.text_kind(lambda: carriers.account(settings).sid)
    tasks.texts_codes_by(messages.code_sender(lambda: carriers.account(settings).sid))
    for kind in (*tasks.BUILT_IN, texts, *inbox.KINDS, calls.TRANSFER, calls.CALL):
        tasks.register(kind)
    calls.when_transfer_known(calls.transfer_finished)
    calls.opt_outs_from(messages.is_opted_out)
    messages.begun_by(calls.of_texts)
    agents.register(numbers.NumbersOfAgents())
    billing.when_suspended(numbers.stop_suspended)
    billing.when_released(numbers.release_suspended)
    billing.when_settled(numbers.when_settled)
    billing.when_settled(billing.on_charge_settled)
    billing.rents_from(numbers.rents_due)
    billing.legs_from(calls.legs_of)
    usage.audit_also(billing.audit)
    usage.audit_also(numbers.audit)
    usage.invoices_from(billing.invoice_links)
    numbers.when_stopped(calls.when_number_stopped)
    numbers.when_stopped(messages.when_number_stopped)
    usage.names_from(numbers.labels)
    usage.limits_from(numbers.limit_then)
    usage.subjects_from(calls.links)
    usage.subjects_from(messages.links)
    usage.subjects_from(reconciliation.links)
    prices.effect_from(usage.effect_of)
    costs.rents_from(_rents)
    costs.standings_from(_standing)
    costs.hints_from(_lines)


def register_jobs(
    jobs: Jobs,
    settings: Settings,
    database: Database,
    accounts: carriers.Carriers,
    brain: agents.Brain,
    runner: tasks.Runner,
    synthesiser: speech.Synthesiser,
) -> None:
    """Let a worker do the background work of every room."""
    gateway, ours = billing.open_gateway(settings, database.url), callbacks(settings)
    shop = numbers.Shop(database, accounts.operator, gateway, ours)
    vault, outgoing = runner.means.vault, runner.means.outgoing
    importer = numbers.Importer(database, accounts, vault, ours)
    mail.register_jobs(jobs, settings, database, vault)
    teams.register_jobs(jobs, database, vault)
    usage.register_jobs(jobs, database)
    billing.register_jobs(jobs, database, gateway)
    billing.register_events(jobs, database, gateway)
    contacts.register_jobs(jobs, settings, database, accounts)
    knowledge.register_jobs(jobs, settings, database)
    tasks.register_jobs(jobs, runner)
    bookings.register_jobs(jobs, bookings.Desk(database, vault, outgoing))
    agents.register_jobs(jobs, database, brain, runner)
    numbers.register_jobs(jobs, shop)
    numbers.register_own_jobs(jobs, importer)
    inbox.register_jobs(jobs, settings, database)
    messages.register_jobs(jobs, settings, database, accounts, brain, runner)
    calls.register_jobs(jobs, settings, database, accounts, voices(settings, synthesiser))
    reconciliation.register_jobs(jobs, settings, database, accounts)
    notices.register_jobs(jobs, database)
    webhooks.register_jobs(jobs, database, vault, outgoing)


@asynccontextmanager
async def open_runner(settings: Settings, database: Database) -> AsyncGenerator[tasks.Runner]:
    """What does this process's tasks; at the end it gives what is under way a few seconds."""
    async with Outgoing(settings) as outgoing:
        means = tasks.Means(database, open_vault(settings), outgoing, mail.open_mailer(settings))
        runner = tasks.Runner(means)
        try:
            yield runner
        finally:
            await runner.close()


def open_carriers(settings: Settings, database: Database) -> carriers.Carriers:
    """Every carrier account of this installation, to be closed with `aclose`."""
    return carriers.Carriers(settings, numbers.account_lookup(database, open_vault(settings)))


def callbacks(settings: Settings) -> carriers.Callbacks:
    """Where the carrier reports about our numbers."""
    base = f"{settings.web_url}{CALLBACKS}twilio"
    return carriers.Callbacks(
        voice_url=f"{base}/voice", sms_url=f"{base}/sms", status_url=f"{base}/call-status"
    )


STATES = {
    billing.SubscriptionState.TRIAL: ("Trial", "on"),
    billing.SubscriptionState.ACTIVE: ("Active", "on"),
    billing.SubscriptionState.PAST_DUE: ("Past due", "warn"),
    billing.SubscriptionState.SUSPENDED: ("Suspended", "error"),
    billing.SubscriptionState.CANCELLED: ("Cancelled", "off"),
}
"""How the operator's pages show a team's subscription, and the kind of its pill."""


async def _rents(
    session: Session, team_id: str, start: datetime, end: datetime
) -> list[prices.Money]:
    return [rent.money for rent in await numbers.rents_due(session, team_id, start, end)]


async def _standing(session: Session, team_id: str) -> costs.Standing:
    state = billing.SubscriptionState((await billing.subscription(session, team_id)).state)
    return costs.Standing(*STATES[state])


async def _lines(session: Session) -> list[costs.Hint]:
    """Whether calls can be answered, for the operator."""
    lines = await calls.lines(session)
    if not lines.processes:
        return [costs.Hint("error", "No media process is running: calls are not answered.")]
    if lines.live >= lines.capacity:
        return [costs.Hint("warning", f"All {lines.capacity} lines are in use: callers are busy.")]
    return []


async def _begin_trial(session: Session, team: teams.Team) -> None:
    await billing.on_team_created(session, team.id)


def _others(settings: Settings) -> web.Others:
    """Who else is part of our pages: the browser's handset, the payment gateway's form."""
    payment = billing.origins(settings)
    if settings.carrier != "simulator":
        return payment
    handset = (settings.simulator_url, settings.simulator_url.replace("http", "ws", 1))
    return replace(payment, connect=(*handset, *payment.connect))


@asynccontextmanager
async def _life(application: FastAPI) -> AsyncGenerator[None]:
    """While the application runs: the carrier is open, news of the database reach the pages."""
    database = cast("Database", application.state.database)
    hub = application.state.web.live
    accounts = open_carriers(application.state.settings, database)
    application.state.carriers = accounts
    application.state.checks = calls.Checks(
        application.state.settings, database, accounts, application.state.secret
    )
    gateway = billing.open_gateway(application.state.settings, database.url)
    application.state.gateway = gateway
    listener = asyncio.create_task(Listener(database.psycopg_url, hub.announce, hub.reset).run())
    try:
        async with open_runner(application.state.settings, database) as runner:
            application.state.tasks = runner
            application.state.outgoing = runner.means.outgoing
            yield
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener
        await gateway.aclose()
        await accounts.aclose()


async def _healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


async def _readyz(request: Request) -> dict[str, str]:
    """The process can do its work: the database answers too."""
    database = cast("Database", request.app.state.database)
    async with database.system() as session:
        await session.execute(web.PING)
    return {"status": "ready"}


LOOK_AGAIN_S = 1.0


class Words:
    """The words of live calls, from the media process to who watches the call's page."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._secret = secret

    async def follow(self, team_id: str, topic: str) -> AsyncGenerator[Any, None]:
        """`{"speaker", "text"}` of the call in `topic`, while it lives and is watched: from its
        answer on, and again when it is back from a transfer.
        """
        call_id = topic.removeprefix("words:")
        while (url := await self._where(team_id, call_id)) is not None:
            if url:
                with suppress(OSError, websockets.WebSocketException):
                    async with websockets.connect(url, proxy=None) as connection:
                        async for message in connection:
                            yield json.loads(message)
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _where(self, team_id: str, call_id: str) -> str | None:
        async with self._database.team(team_id) as session:
            return await calls.words_url(session, team_id, call_id, self._secret)
