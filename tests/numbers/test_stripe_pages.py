"""A card given to Stripe's own form, and a number bought with 3-D Secure, in a real browser.

Stripe is played by stripe_server.py: its script, its form's frame and the bank's window come from
another origin, as Stripe's do, under our own content security policy.
"""

import os
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import update
from stripe_server import StandIn

from offhook import billing, numbers
from offhook.carriers import Carriers
from offhook.db import Database, Jobs
from offhook.numbers import jobs
from offhook.numbers.models import Quote
from offhook.numbers.purchasing import Shop
from offhook.settings import Settings
from offhook.vault import open_vault
from purchases import FIRST_MONTH
from web_fixtures import Served, Site, new_app

SHOTS = os.environ.get("OFFHOOK_SCREENSHOTS", "")
ASKS = "4000 0000 0000 3220"


@pytest.fixture
def settings(tmp_path: Path, database_url: str, stripe_installed: StandIn) -> Settings:
    """An installation with Stripe's keys, taken from the environment."""
    return Settings.model_validate({"home": str(tmp_path), "database_url": database_url})


@pytest.fixture
async def shop(shop: Shop, stripe_installed: StandIn) -> AsyncIterator[Shop]:
    gateway = stripe_installed.gateway()
    yield Shop(shop.database, shop.carrier, gateway, shop.callbacks)
    await gateway.aclose()


@pytest.fixture
async def site(
    settings: Settings, database: Database, rooms: Sequence[str], carriers: Carriers, shop: Shop
) -> Site:
    app = new_app(settings, database, rooms, billing.origins(settings))
    app.state.carriers = carriers
    app.state.vault = open_vault(settings)
    app.state.gateway = shop.gateway
    app.state.secret = app.state.web.secret
    billing.when_settled(numbers.when_settled)
    return Site(app, database)


async def shoot(page: Page, name: str) -> None:
    """Screenshots at both widths, light and dark, where somebody wants to look at them."""
    if not SHOTS:
        return
    for width in (390, 1440):
        for theme in ("light", "dark"):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.evaluate(f"document.documentElement.dataset.theme = 'offhook-{theme}'")
            await page.screenshot(path=f"{SHOTS}/stripe-{name}-{width}-{theme}.png", full_page=True)
    await page.set_viewport_size({"width": 1440, "height": 900})


async def work(shop: Shop) -> None:
    worker = Jobs(shop.database)
    jobs.register(worker, shop)
    await worker.run_due()


async def give_card(page: Page, number: str) -> None:
    await page.goto("/billing/cards/new")
    form = page.frame_locator("iframe[title='Secure card form']")
    await form.get_by_label("Card number").fill(number)
    await form.get_by_label("Expiration date").fill("12/99")
    await form.get_by_label("Security code").fill("123")
    await shoot(page, "card")
    await page.get_by_role("button", name="Add card").click()


async def answer_bank(page: Page, *, approve: bool) -> None:
    name = "Complete authentication" if approve else "Fail authentication"
    await page.frame_locator("iframe[title='The bank']").get_by_role("button", name=name).click()


async def order(page: Page, shop: Shop) -> None:
    """Until the bank asks."""
    await page.goto("/numbers")
    await page.get_by_role("button", name="Try with a simulated number").click()
    await page.wait_for_url("**/numbers/quotes/*")
    async with shop.database.system() as session:  # whatever day of the month it is
        await session.execute(update(Quote).values(first_month_micros=FIRST_MONTH.micros))
    await page.get_by_label("I accept the terms").check()
    await page.get_by_role("button", name=re.compile("^Buy")).click()
    await page.wait_for_url("**/numbers/purchases/*")
    await work(shop)
    await expect(page.get_by_text("Your card's bank asks you to confirm")).to_be_visible()


async def confirm(page: Page, *, approve: bool) -> None:
    await page.get_by_role("link", name=re.compile("^Confirm")).first.click()
    await shoot(page, "confirm")
    await page.get_by_role("button", name="Confirm with the bank").click()
    await answer_bank(page, approve=approve)
    await page.wait_for_url(re.compile("^http://[^/]+/numbers/purchases/"))


async def test_a_card_is_given_to_stripe_and_a_number_is_bought_with_3d_secure(
    served: Served, page: Page, shop: Shop, stripe_installed: StandIn
) -> None:
    await give_card(page, ASKS)
    await answer_bank(page, approve=True)
    await expect(page.get_by_text("•••• 3220")).to_be_visible()
    await order(page, shop)
    await shoot(page, "purchase-asks")
    await confirm(page, approve=False)
    await work(shop)
    await expect(page.get_by_text("Nothing was bought, and nothing is charged.")).to_be_visible()
    await order(page, shop)
    await confirm(page, approve=True)
    await work(shop)
    await expect(page.get_by_text("The number is yours.")).to_be_visible()
    await page.goto("/billing")
    await shoot(page, "billing")
    states = [each["status"] for each in stripe_installed.of_kind("payment_intent")]
    assert sorted(states) == ["canceled", "succeeded"]


async def test_a_card_that_stripe_declines_is_said_beside_its_form(
    served: Served, page: Page
) -> None:
    await give_card(page, "4000 0000 0000 0002")
    await expect(page.get_by_text("Your card was declined.")).to_be_visible()
    await shoot(page, "card-declined")
    await page.goto("/billing")
    await expect(page.get_by_text("No card on file")).to_be_visible()
