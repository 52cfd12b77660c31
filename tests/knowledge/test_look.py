"""Knowledge in a browser: sources of every kind, the two texts of a kept one, a passage's link."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from knowledge.served import WebSite, web_site
from offhook.db import Database, Jobs
from offhook.knowledge import jobs
from web_fixtures import Served, picture

HOURS = "<h1>Opening hours</h1><p>We are open from 9:00 to 17:00 on Monday.</p>"
LONG = "<p>We bake every day but Sunday, by hand, from flour of the mill in the valley.</p>" * 8


@pytest.fixture
async def shop() -> AsyncIterator[WebSite]:
    async with web_site() as site:
        site.sitemap("/", "/hours", "/prices", "/members")
        site.say("/", "<h1>Harbour Bakery</h1>" + LONG)
        site.say("/hours", HOURS)
        rows = "".join(f"<tr><td>Loaf {n}</td><td>{n}.40</td></tr>" for n in range(1, 12))
        site.say("/prices", f"<h1>Prices</h1><table>{rows}</table>")
        site.say("/members", "<form><input type=password></form>")
        yield site


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
async def test_a_site_is_added_looked_through_and_decided_about(
    served: Served, database: Database, page: Page, shop: WebSite, width: int, scheme: str
) -> None:
    served.site.app.state.settings = shop.settings()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.set_viewport_size({"width": width, "height": 900})

    async def shoot(name: str) -> None:
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, name
        await picture(page, f"knowledge/{name}-{width}")

    async def work() -> None:
        worker = Jobs(database)
        jobs.register(worker, shop.settings(), database)
        await worker.run_due()

    await page.goto(f"{served.url}/knowledge/add?kind=site")
    await page.get_by_label("Address").fill(shop.url)
    await page.get_by_label("Read anew").select_option("Every week")
    await shoot("add")
    await page.get_by_role("button", name="Add").click()
    await page.get_by_text("being read now").wait_for()
    await work()
    await page.get_by_text("It asks to log in.").wait_for()
    await page.get_by_role("button", name="Read now").wait_for()
    await shoot("site")
    await page.get_by_label("Question").fill("When are you open on Monday?")
    await page.get_by_role("button", name="Ask").click()
    answer = page.locator("#found").get_by_role("link", name="We are open from 9:00")
    await answer.wait_for()
    await shoot("asked")
    await answer.click()
    passage = page.locator("li:target")
    await passage.get_by_text("We are open from 9:00").wait_for()
    await shoot("passage")
    shop.say("/", "<h1>Harbour Bakery</h1><p>Closed in August.</p>")
    await page.get_by_role("button", name="Read now").click()
    await page.get_by_text("being read now").wait_for()
    await work()
    await page.get_by_role("button", name="Take the new text").wait_for()
    await shoot("kept")
    await page.get_by_role("button", name="Keep the old text").click()
    await page.get_by_role("button", name="Take the new text").wait_for(state="detached")
    await page.goto(f"{served.url}/knowledge")
    await shoot("list")
