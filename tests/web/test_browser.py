"""Forms, dialogs, toasts and sign-up in a real browser."""

import pytest
from playwright.async_api import Browser, Page, expect

from offhook import teams
from web_fixtures import PASSWORD, Person, Served, picture


async def test_a_refused_form_keeps_its_input_and_marks_the_field(page: Page) -> None:
    await page.goto("/team/settings")
    await page.get_by_label("Name").fill("Daily Bread and Cakes")
    await page.eval_on_selector(
        "#timezone", "(s) => { s.options[s.selectedIndex].value = 'Mars/Base' }"
    )
    await page.get_by_role("button", name="Save").click()
    message = page.get_by_role("alert")
    await expect(message).to_contain_text("“Mars/Base” is not a time zone.")
    await expect(message).to_contain_text("Use an IANA name such as Europe/Paris.")
    await expect(page.get_by_label("Name")).to_have_value("Daily Bread and Cakes")
    await expect(page.locator("#timezone")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#timezone-error")).to_contain_text("Mars/Base")
    # Corrected, it is accepted, the message is gone, and a toast says so after the redirect.
    await page.eval_on_selector(
        "#timezone", "(s) => { s.options[s.selectedIndex].value = 'Asia/Tokyo' }"
    )
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved")
    await expect(page.get_by_label("Name")).to_have_value("Daily Bread and Cakes")
    await expect(page.locator("#main")).to_contain_text("Asia/Tokyo from 1 ")


async def test_a_turn_seeks_in_the_recording(page: Page) -> None:
    """A click, or Enter: a turn is a button (pages.md, A call)."""
    await page.goto("/design")
    await page.wait_for_selector("[data-wave][data-state=ready]")
    turn = page.get_by_role("button", name="A turn that plays")
    await turn.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-wave-time]")).to_contain_text("0:03 / 0:08")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


async def test_a_typed_confirmation_opens_the_button(page: Page) -> None:
    await page.goto("/design")
    await page.get_by_role("button", name="Delete").last.click()
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Delete")
    await expect(button).to_be_disabled()
    await dialog.get_by_label("to confirm").fill("+1 415 555-0132")
    await expect(button).to_be_enabled()
    await picture(page, "confirm-1440-light", whole=False)
    await button.click()
    # The refusal appears in the dialog itself, where one can see it.
    await expect(dialog.get_by_role("alert")).to_contain_text("Disable it first.")
    await page.keyboard.press("Escape")
    await expect(dialog).not_to_be_visible()


async def test_a_new_key_is_shown_once_and_the_list_has_it(page: Page) -> None:
    await page.goto("/team/api-keys")
    await page.get_by_role("button", name="New key").first.click()
    await page.get_by_label("Name").fill("Booking system")
    await page.get_by_role("button", name="Make the key").click()
    key = await page.locator("[data-key]").inner_text()
    assert key.startswith("ohk_")
    await picture(page, "key-1440-light", whole=False)
    await page.get_by_role("link", name="Done").click()
    await expect(page.get_by_role("table")).to_contain_text("Booking system")
    assert key not in await page.content()


async def test_the_theme_is_kept(page: Page) -> None:
    await page.goto("/team")
    await page.get_by_role("button", name="Switch light and dark").first.click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "offhook-dark")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "offhook-dark")


async def test_a_member_who_joins_appears_without_a_reload(
    page: Page, served: Served, owner: Person
) -> None:
    """I5's mechanism: news of the database, the fragment fetched again."""
    await page.goto("/team")
    await page.get_by_role("button", name="Invite").click()
    await page.get_by_label("Email").fill("bo@example.com")
    await page.get_by_role("dialog").get_by_role("button", name="Invite").click()
    link = await page.get_by_role("dialog").locator("code").inner_text()
    async with served.site.client() as client:
        path = link.removeprefix(served.site.app.state.settings.web_url)
        told = await client.post(path, data={"password": "another good one"})
        assert told.status_code == 303
    await expect(page.get_by_role("table", name="Members")).to_contain_text("bo@example.com")


@pytest.mark.parametrize("width", [390, 1440])
async def test_the_first_owner_signs_up_out_and_in(
    browser: Browser, served: Served, width: int
) -> None:
    site = served.site
    async with site.database.system() as session:
        link = await teams.setup_link(session, site.app.state.settings)
    assert link is not None
    context = await browser.new_context(
        base_url=served.url,
        viewport={"width": width, "height": 900},
        timezone_id="Europe/Paris",
        color_scheme="dark" if width == 390 else "light",
    )
    page = await context.new_page()
    await page.goto(link.removeprefix(site.app.state.settings.web_url))
    await expect(page.get_by_label("Time zone")).to_have_value("Europe/Paris")
    await page.get_by_label("Team").fill("Daily Bread")
    await page.get_by_label("Your email").fill("ada@example.com")
    await page.get_by_label("Password").fill("password")
    await page.get_by_role("button", name="Create the team").click()
    await expect(page.get_by_role("alert")).to_contain_text("people try first")
    await picture(page, f"welcome-{width}", whole=False)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create the team").click()
    await page.wait_for_url("**/team")
    await expect(page.locator("body")).to_have_attribute("data-zone", "Europe/Paris")
    await page.get_by_label("Account menu").filter(visible=True).click()
    await picture(page, f"menu-{width}", whole=False)
    await page.get_by_role("button", name="Sign out").filter(visible=True).click()
    await page.wait_for_url("**/sign-in")
    await picture(page, f"sign-in-{width}", whole=False)
    await page.goto("/team/api-keys")
    await page.get_by_label("Email").fill("ada@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/team/api-keys")
    await context.close()
