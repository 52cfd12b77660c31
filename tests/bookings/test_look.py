"""The calendar in a browser: set up, book, move, cancel; nothing wider than the window."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page

from offhook import bookings
from offhook.bookings import Definition, Guest, Wish
from web_fixtures import Person, Served, picture, serious

PARIS = ZoneInfo("Europe/Paris")


async def a_busy_week(served: Served, owner: Person) -> str:
    """A restaurant's next week: one table after the other, and a rush on Friday."""
    monday = datetime.now(PARIS).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    monday += timedelta(days=7 - monday.weekday())
    tables = Definition("Tables", "Europe/Paris", slot_minutes=120, places=40, counts_people=True)
    names = ["Ann Lee", "Zoë O’Néill", "Bartholomew Featherstonehaugh", "Kim", "Ada Okafor"]
    times = [(0, 9, 2), (0, 10, 4), (1, 12, 3), (2, 9, 2), (2, 13, 6), (3, 15, 2)]
    times += [(4, 12, size) for size in (2, 4, 3, 6, 2)] + [(5, 11, 8)]
    async with served.site.database.team(owner.team_id) as session:
        calendar = await bookings.create_calendar(session, owner.team_id, tables)
        for index, (day, hour, size) in enumerate(times):
            start = (monday + timedelta(days=day, hours=hour)).replace(tzinfo=PARIS)
            guest = Guest(names[index % 5], "+33142685300", "By the window" if size > 3 else "")
            wish = Wish(calendar.id, start.astimezone(UTC), guest, size, by_hand=True)
            await bookings.book(session, owner.team_id, wish)
    return f"/calendars/{calendar.id}?day={monday.date()}"


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
async def test_a_week_in_the_calendar(
    served: Served, page: Page, owner: Person, width: int, scheme: Any
) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    await page.emulate_media(color_scheme=scheme)

    async def shoot(name: str) -> None:
        await page.wait_for_function("document.fonts.status === 'loaded'")
        await picture(page, f"bookings/{name}-{width}-{scheme}")
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, name
        assert await serious(page) == []

    here = await a_busy_week(served, owner)
    await page.goto(f"{served.url}{here}")
    await shoot("week")
    await page.get_by_role("navigation", name="View").get_by_role("link", name="Day").click()
    await page.get_by_text("Ann Lee").first.wait_for()
    await shoot("day")
    await page.get_by_role("link", name="Book", exact=True).click()
    await page.get_by_role("radio", name="11:00").check()
    await page.get_by_label("Name").fill("Grace")
    await shoot("book")
    await page.get_by_role("button", name="Book", exact=True).click()
    await page.get_by_role("link", name="Grace").first.wait_for()
    await page.get_by_role("link", name="Grace").locator("visible=true").first.click()
    await page.get_by_role("radio", name="13:00").wait_for()
    await shoot("appointment")
    await page.get_by_role("radio", name="13:00").check()
    await page.get_by_role("button", name="Move").click()
    await page.get_by_text("Moved from").wait_for()
    await page.get_by_role("button", name="Cancel the appointment").first.click()
    await page.locator("dialog[open]").get_by_role("button", name="Cancel the appointment").click()
    await page.get_by_role("link", name="Settings").wait_for()
    assert await page.get_by_role("link", name="Grace").count() == 0
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_label("First day").fill("2030-12-24")
    await page.get_by_label("Note").fill("Christmas")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Remove 2030-12-24").wait_for()
    await shoot("settings")


async def test_a_first_calendar(served: Served, page: Page) -> None:
    await page.goto(f"{served.url}/calendars")
    await page.get_by_role("link", name="Add a calendar").click()
    await page.get_by_label("Name").fill("The chair")
    await page.get_by_label("Saturday").fill("10am-2pm")
    await page.get_by_label("Tuesday").fill("25-26")
    await page.get_by_role("button", name="Add").click()
    await page.get_by_text("“25-26” is no span of hours.").wait_for()
    await page.get_by_label("Tuesday").fill("")
    await page.get_by_role("button", name="Add").click()
    await page.get_by_role("heading", name="The chair").wait_for()
