"""What a newcomer does, in a real browser, from the printed link to a limit that holds.

Each step is looked at, at 390 and 1440 px, light and dark (looking.py).
"""

import base64
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from installation import Installation, needs, until
from looking import keep, look
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from chromium import ARGS, CHROMIUM

PATIENCE_MS = 30_000
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mM4UWFDEmIY1TCqYfhqAACRKnwQyz716gAA"
    "AABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def fresh() -> Iterator[Installation]:
    """An installation that nobody has signed up to."""
    needs(CHROMIUM)
    installation = Installation(from_nothing=True)
    installation.start()
    yield installation
    installation.stop()
    installation.remove()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(browser: Browser, fresh: Installation) -> Iterator[Page]:
    context = browser.new_context(
        base_url=fresh.url, viewport={"width": 1440, "height": 900}, permissions=["microphone"]
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"{page.url}: {error}"))
    yield page
    context.close()


def test_a_newcomer_goes_from_the_printed_link_to_answered_texts_and_calls(
    fresh: Installation, page: Page
) -> None:
    sign_up(fresh, page)
    add_a_card(page)
    take_the_sample_agent(page)
    number_page, e164 = buy(page)
    set_up(page, number_page)
    text_it(fresh, page, number_page, e164)
    call_it(page, number_page)
    see_what_was_said(page)
    call_from_a_terminal(fresh, page, e164)
    reach_a_limit(fresh, page, number_page, e164)


def sign_up(fresh: Installation, page: Page) -> None:
    page.goto(fresh.setup_link)
    page.fill("[name=team_name]", "Daily Bread")
    page.fill("[name=email]", "owner@example.com")
    page.fill("[name=password]", "correct horse battery")
    look(page, "newcomer/welcome")
    page.click("button[type=submit]")
    expect(page.get_by_role("heading", name="Telephony")).to_be_visible()
    expect(page.get_by_text("Try with a simulated number")).to_be_visible()
    look(page, "newcomer/telephony-empty")


def add_a_card(page: Page) -> None:
    page.goto("/billing")
    expect(page.get_by_text("Trial", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add card").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=number]").fill("4242 4242 4242 4242")
    dialog.locator("[name=expiry]").fill("12/30")
    dialog.locator("[name=code]").fill("123")
    dialog.get_by_role("button", name="Add card").click()
    expect(page.get_by_text("•••• 4242")).to_be_visible()
    look(page, "newcomer/billing")


def take_the_sample_agent(page: Page) -> None:
    page.goto("/agents")
    page.get_by_role("button", name="Take the sample agent").first.click()
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    look(page, "newcomer/agent")


def buy(page: Page) -> tuple[str, str]:
    """Search, read price and terms, accept, have it: the number's address and the number."""
    page.goto("/numbers/add")
    page.get_by_text("Choose", exact=True).first.click()
    expect(page.get_by_text("Per started minute, incoming")).to_be_visible()
    look(page, "newcomer/review")
    page.get_by_text("I accept the terms").click()
    page.get_by_role("button", name=re.compile("^Buy for")).click()
    page.get_by_role("link", name="Set it up").click()
    expect(page.get_by_text("Before it can be enabled:")).to_be_visible()
    look(page, "newcomer/number-new")
    e164 = page.locator("[data-handset]").get_attribute("data-number")
    assert e164
    return page.url, e164


def set_up(page: Page, number_page: str) -> None:
    main = page.get_by_role("main")
    main.locator("[name=name]").fill("Front desk")
    main.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give the number a name.")).to_be_hidden()
    page.goto(f"{number_page}/agent")
    page.select_option("select[name=agent_id]", label="Daily Bread Bakery")
    main.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Assign an agent.", exact=True)).to_be_hidden()
    for section, label in (("calls", "Answer calls"), ("sms", "Answer texts")):
        page.goto(f"{number_page}/{section}")
        page.get_by_role("switch", name=label).click()
        expect(page.get_by_role("switch", name=label)).to_be_checked()
    page.get_by_role("switch", name="Enabled").click()
    expect(page.get_by_text("Calls and texts are answered.")).to_be_visible()
    look(page, "newcomer/number-enabled")


def text_it(fresh: Installation, page: Page, number_page: str, e164: str) -> None:
    page.goto(number_page)
    texts = page.get_by_role("log", name="Texts")
    page.locator("#test-text").fill("When can I come by on Sunday?")
    page.get_by_role("button", name="Send").click()
    expect(texts).to_contain_text("8:00")
    page.locator("#test-text").fill("Do you rent out bicycles?")
    page.get_by_role("button", name="Send").click()
    expect(texts).to_contain_text("I don't know that")
    send_a_picture(page)
    reply = fresh.run("text", e164, "How much is the rye loaf?")
    assert "4.80" in reply.stdout, reply.stdout + reply.stderr
    page.goto("/inbox")
    expect(page.get_by_role("main")).to_contain_text("4.80")
    page.get_by_role("main").get_by_role("link").filter(has_text="4.80").first.click()
    expect(page.get_by_role("main")).to_contain_text("How much is the rye loaf?")
    look(page, "newcomer/inbox")


def send_a_picture(page: Page) -> None:
    """From the handset beside the number; it is seen in the inbox (S5)."""
    cake: FilePayload = {"name": "cake.png", "mimeType": "image/png", "buffer": PICTURE}
    page.get_by_label("Attach a picture or another file").set_input_files(cake)
    expect(page.get_by_text("cake.png")).to_be_visible()
    page.locator("#test-text").fill("Do you bake cakes like this one?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("log", name="Texts").get_by_alt_text("Picture")).to_be_visible()
    expect(page.get_by_text("cake.png")).to_be_hidden()
    inbox = page.context.new_page()
    inbox.goto("/inbox")
    inbox.locator("[data-row]").first.click()
    expect(inbox.get_by_alt_text("Picture that came with the text")).to_be_visible()
    inbox.close()


def call_it(page: Page, number_page: str) -> None:
    """From the browser's microphone (Chromium's beeping stand-in), watched live."""
    page.goto(number_page)
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("[data-call-state]")).to_contain_text("Connected")
    watching = page.context.new_page()
    live = page.locator("[data-call-link]")
    expect(live).to_be_visible()
    watching.goto(live.get_attribute("href") or "")
    expect(watching.get_by_role("log")).to_contain_text("Daily Bread Bakery, hello!")
    keep(watching, "newcomer/call-live")
    watching.close()
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("[data-call-state]")).to_contain_text("Ended")


def see_what_was_said(page: Page) -> None:
    page.locator("[data-call-link]").click()
    expect(page.get_by_text("The caller hung up.").first).to_be_visible()
    expect(page.locator("[data-wave]")).to_have_attribute("data-state", "ready")
    look(page, "newcomer/call")


def call_from_a_terminal(fresh: Installation, page: Page, e164: str) -> None:
    saved = fresh.root / "call.wav"
    said = fresh.run("call", e164, "--say", "Are you open on Sunday?", "--save", str(saved))
    assert "Answered" in said.stdout, said.stdout + said.stderr
    assert saved.stat().st_size > 100_000
    call = until(lambda: newest_call(page), "the call")
    turns = page.request.get(f"/api/v1/calls/{call['id']}/transcript").json()["turns"]
    assert any("8:00" in turn["text"] for turn in turns if turn["speaker"] == "agent"), turns


def newest_call(page: Page) -> dict[str, str] | None:
    calls = page.request.get("/api/v1/calls?limit=1").json()["items"]
    return calls[0] if calls and calls[0]["state"] == "ended" else None


def reach_a_limit(fresh: Installation, page: Page, number_page: str, e164: str) -> None:
    """One more minute and two more messages; then both services say no and why."""
    page.goto(f"{number_page}/limits")
    used = {each["service"]: each for each in page.request.get("/api/v1/usage").json()["numbers"]}
    for service, more in (("calls", 1), ("sms", 2)):
        form = page.locator(f"form[action$='/limits/{service}']")
        form.locator("[name=limit]").fill(str(used[service]["used"] + more))
        form.get_by_role("button", name="Save").click()
        expect(page.get_by_role("main")).to_contain_text(f"/ {used[service]['used'] + more}")
    look(page, "newcomer/limits")
    with ThreadPoolExecutor(1) as aside:
        # Says nothing; the meter or the silence ends it.
        calling = aside.submit(fresh.run, "call", e164, seconds=120)
        assert "4.80" in fresh.run("text", e164, "How much is the rye loaf?").stdout
        assert "No reply" in fresh.run("text", e164, "And a baguette?", "--wait", "4").stdout
        ended = calling.result()
    assert "Answered" in ended.stdout, ended.stdout + ended.stderr
    refused = fresh.run("call", e164)
    assert "busy" in refused.stdout + refused.stderr
    page.goto("/inbox")
    page.get_by_role("main").get_by_role("link").filter(has_text="And a baguette?").first.click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("limit", re.IGNORECASE))
    look(page, "newcomer/limit-reached")
    page.goto("/usage")
    look(page, "newcomer/usage")
