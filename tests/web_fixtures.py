"""Fixtures for pages and REST: an application with every room's routers, and signed-in clients.

    async def test_x(client: AsyncClient) -> None:            # signed in as the owner of a team
    async def test_y(site: Site, owner: Person) -> None:      # site.client(person), site.key(...)
    async def test_o(site: Site, operator: Person) -> None:   # who runs the installation
    async def test_z(served: Served, page: Page) -> None:     # a real server, a real browser

`site.app.state` is the place for what a room's routes look for there.
"""

import asyncio
import importlib
import importlib.util
import itertools
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from axe_playwright_python.base import AXE_SCRIPT
from fastapi import APIRouter, FastAPI
from playwright import async_api, sync_api
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from chromium import ARGS, CHROMIUM
from offhook import audit, mail, numbers, tasks, teams
from offhook.db import Database, Listener
from offhook.outgoing import Outgoing
from offhook.schema import ROOMS
from offhook.settings import Settings
from offhook.teams import keys, service, tokens
from offhook.teams.models import Membership, Role
from offhook.vault import open_vault
from offhook.web import SESSION_COOKIE, Others, Server, add_routes, assets, create_app, csrf, server

ROOT = Path(__file__).resolve().parent.parent
SEED = "a-seed-for-tests"
PASSWORD = "correct horse battery"
# A busy machine takes its time to answer, speak and paint.
PATIENCE_MS = 30_000
for playing in (async_api, sync_api):
    playing.expect.set_options(timeout=PATIENCE_MS)
# A password is stretched as little as argon2 can: as the product does it, it costs each person of
# each test a fortieth of a second. Where it matters it is the product's (tests/teams).
STRETCHING = tokens.HASHER
tokens.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HANDSET = Others(connect=("ws://127.0.0.1:*",))
_people = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in to a team."""

    team_id: str
    user_id: str
    email: str
    cookie: str


async def new_owner(database: Database, name: str = "Daily Bread", zone: str = "UTC") -> Person:
    """A new team (its hooks run) and its owner, signed in."""
    async with database.system() as session:
        team, user = await teams.create_team(
            session,
            name=name,
            email=f"owner{next(_people)}@example.com",
            password=PASSWORD,
            timezone=zone,
        )
        cookie = await service.open_sign_in(session, user)
    return Person(team.id, user.id, user.email, cookie)


def actor_of(person: Person, role: Role = Role.OWNER) -> teams.Actor:
    """The person as a request's actor."""
    return teams.Actor(
        person.user_id, person.team_id, role, person.email, "Daily Bread", "UTC", "US"
    )


async def new_member(database: Database, team_id: str, role: Role = Role.MEMBER) -> Person:
    """Another member of a team, signed in; the password is PASSWORD."""
    async with database.system() as session:
        owner = await service.new_user(session, f"member{next(_people)}@example.com", PASSWORD)
        await session.flush()
        session.add(
            Membership(team_id=team_id, user_id=owner.id, role=role, created_at=owner.created_at)
        )
        await session.flush()
        cookie = await service.open_sign_in(session, owner, team_id)
    return Person(team_id, owner.id, owner.email, cookie)


async def new_operator(database: Database) -> Person:
    """The owner of a new team, who runs the installation."""
    person = await new_owner(database, "Operations")
    async with database.system() as session:
        await teams.operators.add(session, person.email)
    return person


@dataclass(slots=True)
class Site:
    """An application under test and ways to talk to it without a socket."""

    app: FastAPI
    database: Database

    def client(self, person: Person | None = None) -> httpx.AsyncClient:
        """A browser's client: cookies and the CSRF header; signed in as `person`."""
        session = person.cookie if person else ""
        secret = self.app.state.web.secret
        cookies = {csrf.SEED_COOKIE: SEED}
        if session:
            cookies[SESSION_COOKIE] = session
        token = csrf.sign(secret, SEED, session)
        return self._client(cookies=cookies, headers={csrf.HEADER: token})

    def program(self, key: str) -> httpx.AsyncClient:
        """A program's client: an API key, no cookies."""
        return self._client(headers={"Authorization": f"Bearer {key}"})

    async def key(self, person: Person, scopes: tuple[str, ...] = ("read", "write")) -> str:
        """A new API key of the person's team."""
        async with self.database.team(person.team_id) as session:
            _, text = await keys.make_key(
                session, person.team_id, Role.OWNER, person.user_id, name="A test", scopes=scopes
            )
        return text

    def _client(
        self, cookies: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 5000))
        return httpx.AsyncClient(
            transport=transport, base_url="http://testserver", cookies=cookies, headers=headers
        )


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a test's own installation."""
    return Settings.model_validate(
        {"home": str(tmp_path), "database_url": database_url, "environment": "development"}
    )


@pytest.fixture
def rooms() -> Sequence[str]:
    """The rooms whose routers `site` has; a room's conftest.py may name fewer."""
    return ROOMS


def room_routers(rooms: Sequence[str]) -> Iterator[APIRouter]:
    """The routers of `rooms`, as app.py takes them, and their sections of a number's page."""
    for room in rooms:
        name = f"offhook.{room}.routes"
        if importlib.util.find_spec(name) is not None:
            routes = importlib.import_module(name)
            for section in getattr(routes, "sections", ()):
                numbers.add_section(section)
            yield from routes.routers


def new_app(
    settings: Settings, database: Database, rooms: Sequence[str] = ROOMS, others: Others = HANDSET
) -> FastAPI:
    """The toolkit with the routers of `rooms`, as app.py has them."""
    app = create_app(
        settings,
        rooms=[f"offhook.{room}" for room in rooms],
        identify=teams.identify,
        csrf_exempt=("/billing/stripe/",),
        others=others,
    )
    app.add_middleware(audit.Acting, callbacks="/carriers/")
    app.state.database = database
    app.state.vault = open_vault(settings)
    app.state.outgoing = outgoing = Outgoing(settings)
    means = tasks.Means(database, app.state.vault, outgoing, mail.open_mailer(settings))
    app.state.tasks = tasks.Runner(means)
    for router in room_routers(rooms):
        add_routes(app, router)
    return app


@pytest.fixture
async def site(settings: Settings, database: Database, rooms: Sequence[str]) -> Site:
    """An application with the routers of `rooms`."""
    return Site(new_app(settings, database, rooms), database)


@pytest.fixture
async def owner(database: Database) -> Person:
    """The owner of a team, signed in."""
    return await new_owner(database)


@pytest.fixture
async def operator(database: Database) -> Person:
    """Who runs the installation, the owner of a team of their own, signed in."""
    return await new_operator(database)


@pytest.fixture
async def client(site: Site, owner: Person) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is signed in as `owner`."""
    async with site.client(owner) as client:
        yield client


@pytest.fixture(scope="session")
def built() -> None:
    """The scripts and styles, built if the inputs have changed."""
    subprocess.run([sys.executable, ROOT / "tools" / "build_assets.py"], check=True)
    assets.manifest.cache_clear()


@dataclass(slots=True)
class Served:
    """A site behind a real server on this machine."""

    site: Site
    server: Server
    url: str


@pytest.fixture
async def served(site: Site, built: None) -> AsyncIterator[Served]:
    """A server on a free port, with live updates from the database."""
    running = server(site.app, host="127.0.0.1", port=0, log_level="warning")
    hub = site.app.state.web.live
    listener = Listener(site.database.psycopg_url, hub.announce, hub.reset)
    heard = asyncio.create_task(listener.run())
    task = asyncio.create_task(running.serve())
    await running.up.wait()
    port = running.servers[0].sockets[0].getsockname()[1]
    yield Served(site, running, f"http://127.0.0.1:{port}")
    running.stop()
    await task
    heard.cancel()
    with suppress(asyncio.CancelledError):
        await heard


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Headless chromium, one for all tests of a worker."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        await browser.close()


@pytest.fixture
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """A browser in which nobody has been yet; profiles that a test opens are closed after it."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


async def context_of(
    browser: Browser, served: Served, person: Person, width: int = 1440
) -> BrowserContext:
    """A browser's profile that is signed in as `person`."""
    context = await browser.new_context(
        base_url=served.url, viewport={"width": width, "height": 900}
    )
    await context.add_cookies([{"name": SESSION_COOKIE, "value": person.cookie, "url": served.url}])
    return context


STILL = """async () => {
  const still = new CSSStyleSheet();
  still.replaceSync("*, *::before, *::after { transition: none !important }");
  document.adoptedStyleSheets.push(still);
  await new Promise((painted) => requestAnimationFrame(painted));
}"""
"""No colour is on its way to another."""
BY_COLOUR = ("color-contrast", "link-in-text-block")
"""The rules of axe that depend on colours; all others are the same in the dark, and between what a
telephone and a desk show.
"""
SERIOUS = """async (asked) => {
  const { only, but, within, without } = asked ?? {};
  const options = { resultTypes: ["violations"], preload: false };
  if (only) options.runOnly = { type: "rule", values: only };
  if (but) options.rules = Object.fromEntries(but.map((rule) => [rule, { enabled: false }]));
  const context = { include: [within ?? "html"], exclude: without ? [without] : [] };
  const { violations } = await axe.run(context, options);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => {
      const places = nodes.slice(0, 3).map(({ html }) => html.slice(0, 160));
      return `${id}: ${places.join(" | ")}`;
    });
}"""
"""What axe finds that somebody could not live with: by all of its rules, `only` by some or by all
`but` some; on the whole page, `within` what a selector names or `without` it.
"""


async def picture(page: Page, name: str, *, whole: bool = True) -> None:
    """Kept in artefacts/ where OFFHOOK_PICTURES is set: to paint one takes longer than all that is
    asserted of a page.
    """
    if "OFFHOOK_PICTURES" in os.environ:
        path = ROOT / "artefacts" / f"{name}.png"
        await page.screenshot(path=path, full_page=whole, animations="disabled")


async def serious(page: Page) -> list[str]:
    """What axe finds on the page that somebody could not live with."""
    await page.evaluate(STILL)
    await page.evaluate(AXE_SCRIPT)
    return await page.evaluate(SERIOUS)


@pytest.fixture
async def page(browser: Browser, served: Served, owner: Person) -> AsyncIterator[Page]:
    """A tab that is signed in as `owner`; an error in its console fails the test."""
    context = await context_of(browser, served, owner)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []
