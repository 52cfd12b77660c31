"""Agents and knowledge in a browser: nothing wider than the window, a talk with the draft."""

import pytest
from playwright.async_api import Page

from offhook.schema import ROOMS
from web_fixtures import Served, picture


@pytest.fixture
def rooms() -> tuple[str, ...]:
    """All of them: an agent's page shows what calls put on it."""
    return tuple(ROOMS)


@pytest.mark.parametrize("width", [390, 1440])
async def test_a_newcomer_meets_the_sample_agent(served: Served, page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 900})

    async def shoot(name: str) -> None:
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, name
        await picture(page, f"agents/{name}-{width}")

    await page.goto(f"{served.url}/agents")
    await shoot("empty")
    await page.get_by_role("button", name="Take the sample agent").click()
    await page.get_by_role("heading", name="Daily Bread Bakery").wait_for()
    here = page.url
    await page.get_by_placeholder("Are you open on Sunday?").fill("Are you open on Sunday?")
    await page.get_by_role("button", name="Send").click()
    await page.get_by_text("We are open on Sunday, 8:00 to 12:00.").wait_for()
    await shoot("agent")
    for section in ("voice", "knowledge", "numbers"):
        await page.goto(f"{here}?section={section}")
        await shoot(section)
    await page.goto(f"{served.url}/agents")
    await shoot("list")
    await page.goto(f"{served.url}/knowledge")
    await page.get_by_label("Question").fill("What does the rye cost?")
    await page.get_by_role("button", name="Ask").click()
    await page.get_by_text("An agent answers from the first passage.").wait_for()
    await shoot("sources")
    await page.get_by_role("link", name="Daily Bread Bakery").click()
    await page.get_by_role("checkbox", name="Daily Bread Bakery").wait_for()
    await shoot("source")
    await page.goto(f"{served.url}/knowledge/add?kind=file")
    await page.get_by_role("checkbox", name="Daily Bread Bakery").wait_for()
    await shoot("add")
