"""Every page of numbers and billing in a real browser: bought, set up, enabled, deleted."""

import os
import re

import pytest
from playwright.async_api import Locator, Page, expect

from number_fixtures import make_agent
from offhook.billing import TestGateway
from offhook.carriers import Carriers
from offhook.db import Jobs
from offhook.numbers import jobs
from offhook.numbers.purchasing import Shop
from offhook.vault import open_vault
from web_fixtures import Person, Served, Site

SHOTS = os.environ.get("OFFHOOK_SCREENSHOTS", "")


@pytest.fixture
def shopping(site: Site, carriers: Carriers, gateway: TestGateway) -> None:
    """The application with the carrier and the gateway that its routes look for."""
    site.app.state.carriers = carriers
    site.app.state.vault = open_vault(site.app.state.settings)
    site.app.state.gateway = gateway
    site.app.state.secret = site.app.state.web.secret


async def shoot(page: Page, name: str) -> None:
    """Screenshots at both widths, light and dark, where somebody wants to look at them."""
    if not SHOTS:
        return
    for width in (390, 1440):
        for theme in ("light", "dark"):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.evaluate(f"document.documentElement.dataset.theme = 'offhook-{theme}'")
            await page.screenshot(path=f"{SHOTS}/{name}-{width}-{theme}.png", full_page=True)
    await page.set_viewport_size({"width": 1440, "height": 900})


async def work(shop: Shop) -> None:
    worker = Jobs(shop.database)
    jobs.register(worker, shop)
    await worker.run_due()


async def test_a_newcomer_adds_a_card_buys_sets_up_enables_and_deletes(
    shopping: None, served: Served, page: Page, shop: Shop, owner: Person
) -> None:
    await _add_card(page)
    await _buy(page, shop)
    await _set_up(page, await make_agent(shop.database, owner.team_id))
    await _change(page)
    await _delete(page, shop)


async def _add_card(page: Page) -> None:
    await page.goto("/numbers")
    await expect(page.get_by_text("No numbers yet")).to_be_visible()
    await shoot(page, "list-empty")
    await page.goto("/billing")
    await shoot(page, "billing-empty")
    await page.get_by_role("button", name="Add card").first.click()
    await page.get_by_label("Card number").fill("4111")
    await page.get_by_label("Expires").fill("12/99")
    await page.get_by_label("Security code").fill("123")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Add card").click()
    await expect(dialog.get_by_text("This is not a test card.").first).to_be_visible()
    await shoot(page, "billing-refused")
    await page.get_by_label("Card number").fill("4242 4242 4242 4242")
    await dialog.get_by_role("button", name="Add card").click()
    await expect(page.get_by_text("•••• 4242")).to_be_visible()


async def _buy(page: Page, shop: Shop) -> None:
    await page.goto("/numbers/add")
    await expect(page.get_by_role("button", name=re.compile("Choose")).first).to_be_visible()
    await page.get_by_label("Area code").fill("415")
    await expect(page.get_by_text("(415)").first).to_be_visible()
    await shoot(page, "add")
    await page.get_by_role("button", name=re.compile(r"Choose \(415\)")).first.click()
    await page.wait_for_url("**/numbers/quotes/*")
    await shoot(page, "review")
    await page.get_by_label("I accept the terms").check()
    await page.get_by_role("button", name=re.compile("Buy for")).click()
    await page.wait_for_url("**/numbers/purchases/*")
    await shoot(page, "purchase")
    await work(shop)
    await expect(page.get_by_text("The number is yours.")).to_be_visible()
    await shoot(page, "bought")
    await page.get_by_role("link", name="Set it up").click()


async def _set_up(page: Page, agent_id: str) -> None:
    switch = page.get_by_role("switch", name="Enabled")
    await expect(switch).to_be_disabled()
    await expect(page.get_by_text("Before it can be enabled:")).to_be_visible()
    await shoot(page, "number-new")
    await page.get_by_label("Name").fill("Front desk")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Front desk")).to_be_visible()
    await page.get_by_role("link", name="Assign an agent.").click()
    await page.get_by_label("Answered by").select_option(agent_id)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("link", name="Open Ada")).to_be_visible()
    await shoot(page, "number-agent")
    await page.get_by_role("link", name="Switch on calls, SMS or both.").click()
    await page.get_by_role("switch", name="Answer calls").click()
    await expect(page.get_by_role("switch", name="Answer calls")).to_be_checked()
    await expect(switch).to_be_enabled()
    await switch.click()
    await expect(page.get_by_role("switch", name="Enabled")).to_be_checked()
    await expect(page.get_by_role("heading", name="Details")).to_be_visible()
    await shoot(page, "number-enabled")


def _sections(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Sections of the number")


async def _change(page: Page) -> None:
    sections = _sections(page)
    await sections.get_by_role("link", name="Calls").click()
    await page.get_by_role("switch", name="Answer calls").click()
    await expect(page.get_by_text("At least one service stays on")).to_be_visible()
    await expect(page.get_by_role("switch", name="Answer calls")).to_be_checked()
    await shoot(page, "number-last-service")
    await sections.get_by_role("link", name="SMS").click()
    await expect(page.get_by_role("heading", name="Opt-out")).to_be_visible()
    await shoot(page, "number-sms")
    await sections.get_by_role("link", name="Limits").click()
    await page.get_by_role("textbox", name="Minutes a month").fill("300")
    await expect(page.get_by_text("then 240 charged at 0.02 each, at most 4.80")).to_be_visible()
    await shoot(page, "number-limits")
    await page.get_by_role("button", name="Save").first.click()
    await expect(page.get_by_text("/ 300")).to_be_visible()
    await sections.get_by_role("link", name="Activity").click()
    await expect(page.get_by_text("Changed a limit")).to_be_visible()
    await shoot(page, "number-activity")
    await page.goto("/numbers")
    await expect(page.get_by_role("link", name="Front desk")).to_be_visible()
    await shoot(page, "list")
    await page.get_by_label("Search numbers").fill("nothing like it")
    await expect(page.get_by_text("No number matches")).to_be_visible()
    await page.get_by_label("Search numbers").fill("front")
    await page.get_by_role("link", name="Front desk").click()


async def _delete(page: Page, shop: Shop) -> None:
    sections = _sections(page)
    await sections.get_by_role("link", name="Danger zone").click()
    await expect(page.get_by_text("Disable the number first.")).to_be_visible()
    await page.get_by_role("switch", name="Enabled").click()
    await expect(page.get_by_role("switch", name="Enabled")).not_to_be_checked()
    await sections.get_by_role("link", name="Danger zone").click()
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    await shoot(page, "number-delete")
    await expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    typed = dialog.get_by_label("Type")
    await typed.fill((await typed.get_attribute("data-typed")) or "")
    await dialog.get_by_role("button", name="Delete").click()
    await page.wait_for_url("**/numbers")
    await expect(page.get_by_role("table").get_by_text("Releasing")).to_be_visible()
    await work(shop)
    await expect(page.get_by_text("No numbers yet")).to_be_visible()
    await page.goto("/billing")
    await shoot(page, "billing")


async def test_a_declined_card_leaves_nothing_and_says_so_on_the_page(
    shopping: None, served: Served, page: Page, shop: Shop, owner: Person, gateway: TestGateway
) -> None:
    await page.goto("/billing")
    await page.get_by_role("button", name="Add card").first.click()
    await page.get_by_label("Card number").fill("4000000000000341")
    await page.get_by_label("Expires").fill("1299")
    await page.get_by_label("Security code").fill("123")
    await page.get_by_role("dialog").get_by_role("button", name="Add card").click()
    await expect(page.get_by_text("•••• 0341")).to_be_visible()
    await page.goto("/numbers")
    await page.get_by_role("button", name="Try with a simulated number").click()
    await page.wait_for_url("**/numbers/quotes/*")
    await page.get_by_label("I accept the terms").check()
    await page.get_by_role("button", name=re.compile("Buy for")).click()
    await page.wait_for_url("**/numbers/purchases/*")
    await work(shop)
    await expect(page.get_by_text("The card was declined by its bank.")).to_be_visible()
    await shoot(page, "purchase-failed")
    await page.goto("/billing")
    await expect(page.get_by_text("Last charge declined")).to_be_visible()
