"""Live pages in a real browser: lost streams, 503, eight tabs (CM8, I5)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import APIRouter
from jinja2 import ChoiceLoader, DictLoader
from playwright.async_api import Browser, Page, expect
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from live_proxy import proxied
from offhook.teams import CurrentActor
from offhook.web import render
from web_fixtures import Person, Served, context_of

TEMPLATE = """
{% extends "shell.html" %}
{% block content %}
<p>{{ ui.timer(started) }}</p>
<ol id="turns" {{ ui.live("conversation:1", "/test/turns") }}>
{% block turns scoped %}{% for turn in turns %}<li>{{ turn }}</li>{% endfor %}{% endblock %}
</ol>
<output id="partial" data-live-data="words:1"></output>
{% endblock %}
"""


@dataclass(slots=True)
class Talk:
    """The conversation that the page shows."""

    served: Served
    team_id: str
    turns: list[str] = field(default_factory=list[str])
    fetched: int = 0

    def say(self, text: str) -> None:
        self.turns.append(text)
        self.served.site.app.state.web.live.announce(self.team_id, "conversation:1")

    def partial(self, text: str) -> None:
        self.served.site.app.state.web.live.push(self.team_id, "words:1", {"text": text})


@pytest.fixture
async def talk(served: Served, owner: Person) -> Talk:
    talk = Talk(served, owner.team_id)
    started = datetime.now(UTC) - timedelta(minutes=2)
    router = APIRouter()

    @router.get("/test")
    async def whole(request: Request, actor: CurrentActor) -> HTMLResponse:
        return render(request, "test.html", turns=talk.turns, started=started)

    @router.get("/test/turns")
    async def turns(request: Request, actor: CurrentActor) -> HTMLResponse:
        talk.fetched += 1
        return render(request, "test.html", block="turns", turns=talk.turns)

    @router.get("/test/plain")
    async def plain() -> Response:
        return Response("fine")

    served.site.app.include_router(router)
    templates = served.site.app.state.web.templates
    templates.loader = ChoiceLoader([templates.loader, DictLoader({"test.html": TEMPLATE})])
    return talk


async def shows(page: Page, *turns: str) -> None:
    await expect(page.locator("#turns li")).to_have_text(list(turns), timeout=20_000)


async def is_live(page: Page, state: str = "on") -> None:
    await expect(page.locator("html")).to_have_attribute("data-live", state, timeout=20_000)


async def test_a_cut_stream_and_two_503_lose_and_repeat_nothing(
    browser: Browser, served: Served, owner: Person, talk: Talk
) -> None:
    """Every turn exactly once and in order, the timer right, without a reload (CM8)."""
    async with proxied(served) as proxy:
        context = await context_of(browser, served, owner)
        page = await context.new_page()
        await page.goto(f"{proxy.url}/test")
        await page.evaluate("globalThis.same = true")
        await page.evaluate(
            "document.querySelector('#partial').addEventListener('live:data',"
            " (event) => { event.target.textContent = event.detail.text })"
        )
        await is_live(page)
        talk.say("one")
        await shows(page, "one")
        talk.partial("are you o")
        await expect(page.locator("#partial")).to_have_text("are you o")

        proxy.lose()
        await is_live(page, "off")
        for text in ("two", "three", "four"):
            talk.say(text)
        talk.partial("cancelled")
        proxy.refuse = 2
        proxy.down = False
        await shows(page, "one", "two", "three", "four")
        await is_live(page)
        assert proxy.refusals == 2
        talk.say("five")
        await shows(page, "one", "two", "three", "four", "five")
        assert await page.evaluate("globalThis.same")
        minutes = (await page.locator("[data-timer]").inner_text()).split(":")[0]
        assert int(minutes) in {2, 3}
        await context.close()


async def test_a_fragment_that_gets_503_is_asked_for_again(
    browser: Browser, served: Served, owner: Person, talk: Talk
) -> None:
    """Live pages do not stop for good after a 503 (CM8)."""
    async with proxied(served) as proxy:
        context = await context_of(browser, served, owner)
        page = await context.new_page()
        await page.goto(f"{proxy.url}/test")
        await is_live(page)
        talk.say("one")
        await shows(page, "one")
        proxy.refused_path = b"GET /test/turns"
        proxy.refuse = 2
        # A request that was under way when the first was said may bring it; the others are refused.
        for at, text in enumerate(("two", "three", "four"), start=2):
            talk.say(text)
            await shows(page, *("one", "two", "three", "four")[:at])
        assert proxy.refusals == 2
        await context.close()


@pytest.mark.parametrize("way", ["worker", "leader"])
async def test_eight_tabs_share_one_stream(
    browser: Browser, served: Served, owner: Person, talk: Talk, way: str
) -> None:
    """A browser has six connections to a host; the eighth tab works all the same (CM8)."""
    context = await context_of(browser, served, owner)
    if way == "leader":
        await context.add_init_script("delete globalThis.SharedWorker")
    pages: list[Page] = []
    for _ in range(8):
        page = await context.new_page()
        await page.goto("/test")
        await is_live(page)
        pages.append(page)
    hub = served.site.app.state.web.live
    assert len(hub._streams) == 1
    talk.say("hello")
    for page in pages:
        await shows(page, "hello")
    assert await pages[-1].evaluate("fetch('/test/plain').then((r) => r.text())") == "fine"
    # The first tab, which may hold the stream, goes away; the others go on.
    await pages[0].close()
    talk.say("again")
    for page in pages[1:]:
        await shows(page, "hello", "again")
    await context.close()


async def test_a_stopping_server_does_not_wait_for_open_pages(
    page: Page, served: Served, talk: Talk
) -> None:
    await page.goto("/test")
    await is_live(page)
    served.server.stop()
    await is_live(page, "off")
