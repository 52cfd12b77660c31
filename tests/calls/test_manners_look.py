"""A number's manners in a browser: set by hand and kept; nothing wider than the window."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from number_fixtures import make_agent, make_enabled
from offhook.calls import Checks
from offhook.calls.transfers import targets
from offhook.carriers import Carriers
from web_fixtures import Person, Served, picture, serious


class Tab:
    """A number's page in a browser of some width."""

    def __init__(self, page: Page, at: str, name: str, width: int) -> None:
        self.page = page
        self.at = at
        self._name = name
        self._width = width

    async def saves(self) -> None:
        await self.page.get_by_role("button", name="Save").last.click()
        await self.page.get_by_text("Saved", exact=True).wait_for()

    async def looks(self, what: str) -> None:
        page = self.page
        await page.wait_for_function("document.fonts.status === 'loaded'")
        await picture(page, f"manners/{what}-{self._name}")
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self._width, what
        assert await serious(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
async def test_the_manners_of_a_number(
    served: Served, page: Page, owner: Person, width: int, scheme: Any
) -> None:
    database, state = served.site.database, served.site.app.state
    agent_id = await make_agent(database, owner.team_id)
    number_id = await make_enabled(database, owner.team_id, agent_id)
    async with database.team(owner.team_id) as session:
        await targets.add(
            session, owner.team_id, name="Anna", number="+12025550177", ring_s=20, announced=True
        )
    state.secret = state.web.secret
    carriers = Carriers(state.settings)
    state.checks = Checks(state.settings, database, carriers, state.secret)
    await page.set_viewport_size({"width": width, "height": 900})
    await page.emulate_media(color_scheme=scheme)
    tab = Tab(page, f"{served.url}/numbers/{number_id}", f"{width}-{scheme}", width)
    await _hours(tab)
    await _screening(tab)
    await _calls_and_check(tab)
    await carriers.aclose()


async def _hours(tab: Tab) -> None:
    page = tab.page
    await page.goto(f"{tab.at}/hours")
    await page.get_by_label("Answer during these hours only").check()
    await page.get_by_label("Saturday").fill("whenever")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("is no span of hours")).to_be_visible()
    await page.get_by_label("Saturday").fill("10-14")
    await page.get_by_label("Special days").fill("2026-12-24 to 2026-12-26 closed")
    await page.get_by_label("Outside the hours").select_option("forward")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Choose whom calls are forwarded to.").first).to_be_visible()
    await page.get_by_label("Fallback number").select_option(label="Anna")
    await tab.saves()
    await expect(page.get_by_label("Saturday")).to_have_value("10:00–14:00")
    await expect(page.get_by_label("Answer during these hours only")).to_be_checked()
    await tab.looks("hours")


async def _screening(tab: Tab) -> None:
    page = tab.page
    await page.get_by_role("link", name="Screening").click()
    await page.get_by_label("Callers who hide their number").select_option("refuse")
    await page.get_by_label("Calls of one caller an hour").fill("6")
    await tab.saves()
    await expect(page.get_by_label("Calls of one caller an hour")).to_have_value("6")
    await tab.looks("screening")


async def _calls_and_check(tab: Tab) -> None:
    page = tab.page
    await page.goto(f"{tab.at}/calls")
    await expect(page.get_by_label("Record calls, caller and agent")).to_be_enabled()
    await page.get_by_label("Tell callers that they speak with").check()
    await tab.saves()
    await expect(page.get_by_label("Tell callers that they speak with")).to_be_checked()
    await tab.looks("calls")
    await page.goto(f"{tab.at}/check")
    await page.get_by_role("button", name="Check now").click()
    await expect(page.get_by_text("No media process is running.")).to_be_visible()
    await tab.looks("check")
    await page.goto(f"{tab.at}/activity")
    await expect(page.get_by_text("Says that an AI speaks")).to_be_visible()
