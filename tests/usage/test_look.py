"""The usage pages in a real browser: a month full of data, live, steady, at every width."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from usage_desk import Desk
from usage_seed import busy_month, write

from offhook import usage
from offhook.db import Database, Session
from offhook.usage import Service
from web_fixtures import Person, Served, context_of, picture, serious

NAMES = {"num_a": "Front desk", "num_b": "Night & weekend <line>", "num_c": "Bookings"}
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifts.push(each.value);
}).observe({type: "layout-shift", buffered: false});
"""


@pytest.fixture
def rooms() -> Sequence[str]:
    return ("teams", "usage")


@pytest.fixture
async def busy(database: Database, owner: Person, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Three numbers, last month full of usage, some texts of this month."""

    async def labels(session: Session, team_id: str) -> Mapping[str, usage.Label]:
        return {
            number: usage.Label(name, f"+1650253000{at}")
            for at, (number, name) in enumerate(NAMES.items())
        }

    monkeypatch.setattr(import_module("offhook.usage.names"), "_sources", [labels])
    desk = Desk(database, owner.team_id)
    for number in NAMES:
        await desk.number(number, sms=300)
    present = datetime.now(UTC)
    first = present.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    async with database.team(desk.team) as session:
        last_month = await usage.period_at(session, desk.team, first - timedelta(days=1))
        numbers = [("num_a", 7, 9), ("num_b", 3, 2), ("num_c", 5, 6)]
        await write(
            session, desk.team, busy_month(last_month, last_month.ends_at, numbers, seed=11)
        )
    for number in range(3):
        await desk.take("num_a", f"sms_now_{number}")
    await desk.limit("num_c", Service.SMS, 1)
    await desk.take("num_c", "sms_last")
    return desk


async def boxes(page: Page) -> list[Any]:
    return await page.evaluate(
        "[...document.querySelectorAll('section, #choice h2, [data-chart] canvas')]"
        ".map((each) => each.getBoundingClientRect())"
        ".map((box) => [box.x, box.y, box.width, box.height])"
    )


async def test_news_change_figures_and_nothing_moves(busy: Desk, page: Page) -> None:
    """U9: live, without layout shift; what was opened stays open, what was drawn stays drawn."""
    await page.goto("/usage?service=sms")
    await page.wait_for_selector("[data-chart] canvas")
    await page.wait_for_selector("html[data-live=on]")
    await page.get_by_text("Show as a table").click()
    table = page.locator("#chart-table")
    await expect(table.get_by_text("(today)")).to_be_visible()
    await page.evaluate("document.querySelector('[data-chart] canvas').mine = true")
    await page.evaluate(WATCH)
    before = await boxes(page)
    await busy.take("num_a", "sms_news")
    await expect(page.get_by_text("95 of 100 SMS left", exact=False)).to_be_visible()
    await expect(page.get_by_label("Legend").get_by_role("listitem").last).to_have_text("today")
    assert await boxes(page) == before
    assert await page.evaluate("window.shifts") == []
    assert await page.evaluate("document.querySelector('[data-chart] canvas').mine") is True
    await expect(table.get_by_text("(today)")).to_be_visible()


async def test_a_reader_chooses_month_parts_and_number_and_asks_why(busy: Desk, page: Page) -> None:
    await page.goto("/usage")
    await expect(page.get_by_role("heading", name="Messages per day")).to_be_visible()
    await page.goto("/usage?service=calls")
    month = page.get_by_label("Month", exact=True)
    earlier = await month.locator("option").nth(1).get_attribute("value")
    await month.select_option(earlier)
    await page.wait_for_url(f"**/usage?month={earlier}")
    chart = page.locator("[data-chart]")
    await chart.locator("canvas").wait_for()
    await expect(page.get_by_role("heading", name="Minutes per day")).to_be_visible()
    await page.get_by_role("radio", name="Running total").check()
    await page.wait_for_url("**scale=total**")
    await page.get_by_role("radio", name="Messages").check()
    await page.get_by_label("Number", exact=True).select_option("num_b")
    await page.wait_for_url("**number=num_b**")
    await expect(page.get_by_text("Limit of 300")).to_be_visible()
    await chart.locator(".u-over").hover()
    await expect(page.locator(".chart-tip[data-on]")).to_contain_text(NAMES["num_b"])
    await page.get_by_label("Charges by number and price").get_by_text("Why?").first.click()
    await page.wait_for_url("**/usage/entries?**")
    await page.get_by_role("link", name="Why, entry").first.click()
    await expect(page.get_by_text("of all your numbers")).to_be_visible()
    await expect(page.get_by_role("cell", name="from 1 Jan 2020")).to_be_visible()
    await page.go_back()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Export CSV").click()
    assert (await download.value).suggested_filename == f"offhook-usage-{earlier}-entries.csv"


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
async def test_pages_of_usage_fit_and_are_accessible(
    busy: Desk, browser: Browser, served: Served, owner: Person, width: int, scheme: str
) -> None:
    """From 390 px on, in light and dark; axe finds nothing serious (pages.md)."""
    last = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    context = await context_of(browser, served, owner, width)
    page = await context.new_page()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for name, path in (
        ("usage", f"/usage?month={last}"),
        ("usage-total", "/usage?service=sms&scale=total&split=charge"),
        ("usage-entries", f"/usage/entries?month={last}&service=sms"),
        ("usage-entry", "/usage/entries/2"),
    ):
        await page.goto(path)
        if name.startswith("usage-total") or name == "usage":
            await page.wait_for_selector("[data-chart] canvas")
        await page.wait_for_function("document.fonts.status === 'loaded'")
        await picture(page, f"{name}-{width}-{scheme}")
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{path} is wider than {width} px"
        assert await serious(page) == [], path
    await context.close()
