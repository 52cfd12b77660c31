"""A live call, seen by two members in real browsers: pinned, listened to, whispered into, taken
over, handed back, ended; then its page with the recording, the marks, the waits and the minutes
(I4, I5, C2).

Each page is looked at, at 390 and 1440 px, light and dark (looking.py).
"""

import re
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from installation import Installation, needs, until
from looking import look
from owner import Bought, Owner
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sounds import silence, speech

from chromium import ARGS, CHROMIUM
from offhook.media import codec

PATIENCE_MS = 45_000
CALLER = "+12025550163"
HEADER_BYTES = 58


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    needs(CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGS, "--autoplay-policy=no-user-gesture-required"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def number(owner: Owner) -> Bought:
    number = owner.ready_number("Front desk")
    owner.configure(number, recording_notice=False)
    return number


def member(browser: Browser, owner: Owner) -> BrowserContext:
    """A browser of its own, signed in as the owner."""
    context = browser.new_context(
        base_url=owner.installation.url,
        viewport={"width": 1440, "height": 900},
        permissions=["microphone"],
    )
    context.add_cookies(
        [
            {"name": each.name, "value": each.value or "", "url": owner.installation.url}
            for each in owner.browser.cookies.jar
        ]
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


def ring(owner: Owner, number: Bought, folder: Path) -> subprocess.Popen[bytes]:
    """A caller who asks twice, and then stays on the line."""
    question = speech("Are you open on Sunday?")
    sound = silence(5000) + question + silence(12_000) + question + silence(120_000)
    path = folder / "caller.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(codec.decode_mulaw(np.frombuffer(sound, np.uint8)).tobytes())
    return subprocess.Popen(
        [sys.executable, "-m", "offhook.cli", "call", number.e164, "--wav", str(path),
         "--from", CALLER],
        env=owner.installation.environment,
        cwd=owner.installation.root,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_live_call_is_listened_to_taken_over_handed_back_and_ended(
    installation: Installation, owner: Owner, number: Bought, browser: Browser, tmp_path: Path
) -> None:
    needs("flite")
    caller = ring(owner, number, tmp_path)
    try:
        context, other = member(browser, owner), member(browser, owner)
        page, second = context.new_page(), other.new_page()
        for each in (page, second):
            each.on("pageerror", lambda error: pytest.fail(str(error)))
        listen_in(page, second)
        whisper(second, page)
        take_over(page, second)
        hand_back_and_end(page, second)
    finally:
        caller.kill()
        caller.wait()
    read_the_page(page)
    hear_it(owner, number)
    context.close()
    other.close()


def listen_in(page: Page, second: Page) -> None:
    """From the inbox: pinned, with its timer and the words of the moment."""
    page.goto("/inbox")
    pinned = page.get_by_role("list", name="Live calls").get_by_role("listitem")
    expect(pinned).to_have_count(1)
    pinned.get_by_role("button", name="Listen in").click()
    expect(pinned).to_have_attribute("data-line", "listening")
    expect(pinned).to_have_attribute("data-line-frames", re.compile(r"\d{2,}"))
    expect(pinned).to_contain_text(re.compile("sunday", re.IGNORECASE))
    expect(pinned).to_have_attribute("data-line", "listening")  # the list was loaded again since
    look(page, "live-call/pinned", axe=True)
    pinned.get_by_role("link").click()
    expect(page.get_by_role("heading", name=re.compile("Call with"))).to_be_visible()
    second.goto(page.url)


def whisper(page: Page, other: Page) -> None:
    """What one tells the agent alone is in the other's transcript, as a whisper."""
    other.set_viewport_size({"width": 1440, "height": 420})  # too low for all that was said
    other.get_by_role("log").scroll_into_view_if_needed()
    field = page.get_by_label("Whisper to the agent")
    field.fill("On Sunday we have rye.")
    field.press("Enter")
    log = other.get_by_role("log")
    expect(log).to_contain_text("On Sunday we have rye.")
    expect(log).to_contain_text("to the agent")
    expect(log.get_by_text("On Sunday we have rye.")).to_be_in_viewport()
    expect(field).to_have_value("")
    other.set_viewport_size({"width": 1440, "height": 900})


def take_over(page: Page, second: Page) -> None:
    log = page.get_by_role("log")
    expect(log).to_contain_text(re.compile("open on sunday", re.IGNORECASE))
    page.get_by_role("button", name="Take over").click()
    body = page.locator("#call-body")
    expect(body).to_have_attribute("data-line", "talking")
    expect(log).to_contain_text("took the call over from the agent")
    expect(second.get_by_text("has the call")).to_be_visible()
    expect(second.get_by_role("button", name="Take over")).to_be_hidden()
    expect(page.get_by_role("button", name="Hand back")).to_be_visible()
    page.wait_for_timeout(3000)  # the browser's own beeping microphone is heard
    look(page, "live-call/talking", axe=True)


def hand_back_and_end(page: Page, second: Page) -> None:
    page.get_by_role("button", name="Hand back").click()
    expect(page.get_by_role("log")).to_contain_text("handed the call back to the agent")
    expect(page.locator("#call-body")).to_have_attribute("data-line", "listening")
    expect(second.get_by_role("button", name="Take over")).to_be_visible()
    second.get_by_role("button", name="End call").click()
    for each in (page, second):
        expect(each.get_by_text("A member of the team ended the call.").first).to_be_visible()
    expect(page.locator("#call-body")).to_have_attribute("data-line", "idle")


def read_the_page(page: Page) -> None:
    player = page.locator("[data-wave]")
    expect(player).to_have_attribute("data-state", "ready")
    expect(player.get_by_role("button", name=re.compile("took the call over"))).not_to_have_count(0)
    expect(page.locator("#latency")).to_contain_text("Recogniser")
    expect(page.locator("#minutes").get_by_role("link", name="Why, minute 1")).to_be_visible()
    page.get_by_text("Skip silence").click()
    play = player.locator("[data-wave-play]")
    play.click()
    expect(play).to_have_attribute("data-state", "playing")
    play.click()
    expect(play).to_have_attribute("data-state", "paused")
    look(page, "live-call/after", axe=True)
    page.get_by_role("link", name="This number over days").click()
    expect(page.get_by_text("95 of 100")).to_be_visible()
    look(page, "live-call/latency", axe=True)


def hear_it(owner: Owner, number: Bought) -> None:
    """What the member's browser sent is on the agent's channel, and the audit log knows of it."""
    call = until(
        lambda: next((c for c in owner.calls(number) if c["recording"] == "ready"), None),
        "the recording",
    )
    stereo = np.frombuffer(owner.recording(call)[HEADER_BYTES:], np.uint8)
    agent = codec.decode_mulaw(stereo[1::2].copy()).astype(np.float64)
    turns = owner.transcript(call)
    taken = next(turn for turn in turns if "took the call over" in turn["text"])
    begin = taken["seek_ms"] * 8
    assert np.abs(agent[begin + 8000 : begin + 24_000]).max() > 1000
