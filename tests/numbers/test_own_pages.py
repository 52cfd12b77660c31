"""A7 in a real browser: a simulated account, one of its numbers imported, the account cared for."""

import os
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from offhook.carriers import Carriers
from offhook.carriers.simulator.faults import Fault
from offhook.carriers.simulator.server import Simulator
from offhook.db import Jobs
from offhook.numbers.own import jobs
from offhook.numbers.own.bringing import Importer
from offhook.vault import open_vault
from web_fixtures import Served, Site

SHOTS = os.environ.get("OFFHOOK_SCREENSHOTS", "")
axe: Any = Axe()  # untyped


@pytest.fixture
def bringing(site: Site, carriers: Carriers) -> None:
    """The application with the accounts and the vault that its routes look for."""
    site.app.state.carriers = carriers
    site.app.state.vault = open_vault(site.app.state.settings)
    site.app.state.secret = site.app.state.web.secret


async def look(page: Page, name: str) -> None:
    """What a screen reader meets; screenshots at both widths and themes where asked for."""
    found = await axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate(overflow) == 0, f"{name} is wider than {width} px"
        for theme in ("light", "dark") if SHOTS else ():
            await page.evaluate(f"document.documentElement.dataset.theme = 'offhook-{theme}'")
            await page.screenshot(path=f"{SHOTS}/{name}-{width}-{theme}.png", full_page=True)


async def work(importer: Importer) -> None:
    worker = Jobs(importer.database)
    jobs.register(worker, importer)
    await worker.run_due()


async def test_a_simulated_account_is_tried_and_one_of_its_numbers_imported(
    bringing: None, served: Served, page: Page, importer: Importer, simulator: Simulator
) -> None:
    await page.goto("/numbers/add")
    await page.get_by_role("link", name="Bring your own").click()
    await page.get_by_label("Account SID").fill("AC" + "0" * 32)
    await page.get_by_label("Auth token").fill("0" * 32)
    await page.get_by_label("Where the account is").select_option("simulator")
    await page.get_by_role("button", name="Test and connect").click()
    await expect(page.get_by_text("does not accept this account SID").first).to_be_visible()
    await look(page, "own-refused")
    await page.get_by_role("button", name="Try it with a simulated account").click()
    await page.wait_for_url("**/numbers/own/acc_*")
    boxes = page.get_by_role("checkbox")
    await expect(boxes).to_have_count(3)
    await boxes.first.check()
    await look(page, "own-choose")
    await page.get_by_role("button", name="Review").click()
    await expect(page.get_by_text("How to undo it")).to_be_visible()
    await expect(page.get_by_text("old-office.example")).to_be_visible()
    await look(page, "own-review")
    await page.get_by_role("button", name="Import 1 number").click()
    await page.wait_for_url("**/numbers/imports/*")
    await expect(page.get_by_text("Noting where it reports today")).to_be_visible()
    await look(page, "own-importing")
    await work(importer)
    await page.get_by_role("link", name="Set it up").click()
    await expect(page.get_by_text("Before, it reported to old-office.example.")).to_be_visible()
    await look(page, "own-number")
    await _look_after(page, simulator)
    await _delete(page, importer)


async def _look_after(page: Page, simulator: Simulator) -> None:
    await page.goto("/numbers")
    await page.get_by_role("link", name="Carrier accounts").click()
    await look(page, "own-accounts")
    await page.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Remove").click()
    await expect(dialog.get_by_text("The account is needed by").first).to_be_visible()
    await dialog.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Replace token").click()
    await page.get_by_label("New auth token").fill("1" * 32)
    await page.get_by_role("button", name="Test and replace").click()
    await expect(page.get_by_text("does not accept this account SID").first).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    (account,) = [
        row for row in await _accounts(simulator) if row != simulator.accounts.operator.sid
    ]
    await simulator.accounts.change(account, {"status": "suspended"})
    await page.get_by_role("button", name="Test My Twilio account").click()
    await expect(page.get_by_text("Twilio has suspended this account.").first).to_be_visible()
    await look(page, "own-accounts-suspended")
    await simulator.accounts.change(account, {"status": "active", "type": "Trial"})
    await page.get_by_role("button", name="Test My Twilio account").click()
    await expect(page.get_by_text("It is a trial account").first).to_be_visible()
    simulator.faults.ask(Fault("request", path=f"GET {account}.json", status=503))
    await page.get_by_role("button", name="Test My Twilio account").click()
    await expect(page.get_by_text("cannot be reached at the moment").first).to_be_visible()


async def _accounts(simulator: Simulator) -> list[str]:
    from offhook.carriers.simulator import store

    return [row.sid for row in await simulator.database.do(lambda db: store.select(db, "account"))]


async def _delete(page: Page, importer: Importer) -> None:
    number = page.get_by_role("main").get_by_role("link", name="(", exact=False).first
    e164 = "".join(each for each in await number.inner_text() if each.isdigit())
    await number.click()
    sections = page.get_by_role("navigation", name="Sections of the number")
    await sections.get_by_role("link", name="Danger zone").click()
    await expect(page.get_by_text("reports to whom it did before").first).to_be_visible()
    await look(page, "own-danger")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_label("Type").fill(f"+1{e164}")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.wait_for_url("**/numbers")
    await work(importer)
    await page.goto("/numbers/accounts")
    await page.get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("No account yet")).to_be_visible()
    await look(page, "own-accounts-empty")
