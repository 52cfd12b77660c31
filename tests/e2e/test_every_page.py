"""Every page of a team that has been at work, at three widths, light and dark (pages.md).

The pages are found by following links, so a new one is looked at as soon as something leads to it;
one that nothing leads to fails. With OFFHOOK_SCREENSHOTS=FOLDER a picture of each is kept there.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from installation import Installation, needs
from lived_in import live_in
from owner import Owner
from playwright.sync_api import Page, sync_playwright
from site_map import Map, crawl, routes

from chromium import ARGS, CHROMIUM
from web_fixtures import BY_COLOUR, SERIOUS, STILL

WIDTHS = (390, 768, 1440)
SHOTS = os.environ.get("OFFHOOK_SCREENSHOTS", "")
ELSEWHERE = {
    "/welcome": "tests/web/test_browser.py: open until the first owner has signed up",
    "/join/{token}": "tests/web/test_browser.py: the address is in a letter",
    "/new-password/{token}": "tests/teams/test_forgotten.py: the address is in a letter",
    "/billing/cards/new": "tests/numbers/test_stripe_pages.py: leads to Stripe's form",
    "/billing/cards/given": "tests/numbers/test_stripe_pages.py: Stripe leads back to it",
    "/billing/charges/{charge_id}/confirm": "tests/numbers/test_stripe_pages.py: a bank that asks",
    "/billing/test-bank/{action_id}": "tests/numbers/test_stripe_pages.py: a bank that asks",
    "/design": "tests/web/test_look.py: what a developer looks at",
    "/design/tone.wav": "the sound of /design",
    "/feeds/{calendar_id}/{token}.ics": "tests/bookings: the address is shown once",
    "/numbers/purchases/{purchase_id}/progress": "tests/numbers/test_pages.py: while it lasts",
    "/numbers/imports/{batch_id}/progress": "tests/numbers/test_own_pages.py: while it lasts",
    "/contacts/import/{import_id}/progress": "tests/contacts/test_web.py: while it lasts",
    "/fragments/own-number/{number_id}": "tests/numbers/test_own_pages.py: of a number of ones own",
    "/fragments/turn/{turn_id}": "tests/contacts/test_web.py: where an agent has read something",
    "/calls/{call_id}/recording": "tests/calls/test_recordings.py: the address is good for minutes",
}
"""Pages that no link of this team leads to, and who looks at them."""
FRESH = """(known) => {
  const [seen, fresh, grounds] = [new Set(known), new Set(), new Map()];
  const ground = (element) => {
    if (!element) return "";
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter, position } =
        getComputedStyle(element);
      const lifted = /absolute|fixed|sticky/.test(position) && element.getAttribute("class");
      const own = [backgroundColor, backgroundImage, opacity, filter, lifted || ""].join();
      const plain = own === "rgba(0, 0, 0, 0),none,1,none,";
      grounds.set(element, (plain ? "" : `${own};`) + ground(element.parentElement));
    }
    return grounds.get(element);
  };
  for (const element of document.querySelectorAll("body *")) {
    element.removeAttribute("data-fresh");
    const field = element.matches("input, select, textarea");
    const text = field ? "field" : [...element.childNodes]
      .map((node) => (node.nodeType === Node.TEXT_NODE ? node.data.trim() : "")).join("");
    if (!text || !element.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight, textShadow, textDecorationLine } =
      getComputedStyle(element);
    const link = element.closest("a");
    const off = element.closest(":disabled, [aria-disabled=true], [inert]")
      || element.closest("label")?.control?.disabled;
    const words = /[\\p{L}\\p{N}].*[\\p{L}\\p{N}]/u.test(text);
    const mark = [
      color, fontSize, fontWeight, textShadow, !!off, words, ground(element),
      link && [textDecorationLine, getComputedStyle(link.parentElement).color],
    ].join("|");
    if (seen.has(mark)) continue;
    fresh.add(mark);
    element.setAttribute("data-fresh", "");
  }
  return [...fresh];
}"""
"""Marks the elements whose text stands in colours, in a size and on a ground that are not among the
known ones, and returns those: what decides of contrast, and most pages have the same.
"""
SHELL = """() => {
  const body = document.body.cloneNode(true);
  body.querySelector("main")?.replaceChildren();
  return body.innerHTML;
}"""
"""What stands around a page, the same on many."""
KNOWN = """() => {
  for (let each = document.querySelector("main"); each !== document.body; each = each.parentElement)
    for (const other of each.parentElement.children)
      if (other !== each) other.setAttribute("data-known", "");
}"""
"""Marks it: it was looked at on another page."""
PAINTED = "() => new Promise((painted) => requestAnimationFrame(painted))"
MUTE = """() => [...document.querySelectorAll("main :disabled")]
  .filter((each) => each.checkVisibility() && !each.closest("dialog"))
  .filter((each) => !document.getElementById(each.getAttribute("aria-describedby"))?.textContent)
  .map((each) => each.outerHTML.slice(0, 160))"""
"""Controls that are disabled and do not say why."""
UNNAMED = """() => [...document.querySelectorAll("h1")].map((each) => each.textContent.trim())
  .filter((each) => !document.title.includes(each))"""
"""Headlines of the page that its title does not name."""
CROOKED = """() => {
  const side = (each) =>
    getComputedStyle(each).textAlign.replace("start", "left").replace("end", "right");
  const isShown = (node) => node.nodeType === Node.ELEMENT_NODE
    ? getComputedStyle(node).display !== "none" : node.textContent.trim();
  const fallsApart = (cell) =>
    cell.dataset.label && [...cell.childNodes].filter(isShown).length > 1;
  return [...document.querySelectorAll("table.data")].flatMap((table) => {
    const heads = [...table.querySelectorAll("thead th")];
    const cells = [...(table.querySelector("tbody tr")?.cells ?? [])];
    let at = 0;
    const leans = (cell) => {
      const head = heads[at];
      at += cell.colSpan;
      return head && !head.querySelector(".sr-only") && side(head) !== side(cell);
    };
    const wrong = innerWidth < 640
      ? [...table.querySelectorAll("tbody td")].filter(fallsApart) : cells.filter(leans);
    return wrong.map((cell) => cell.outerHTML.slice(0, 160));
  });
}"""
"""Cells that do not stand under their column's head; on a telephone, whose parts fall apart."""
WIDE = """async () => {
  for (let tries = 0; tries < 50 && document.documentElement.scrollWidth > innerWidth; tries++)
    await new Promise((later) => setTimeout(later, 100));  // charts are drawn anew
  return document.documentElement.scrollWidth;
}"""
"""How wide the page is, once it fits or has had its time."""
SETTLED = """async () => {
  const settled = () => document.fonts.status === "loaded"
    && ![...document.querySelectorAll(".htmx-request, [hx-get] .skeleton")]
      .some((each) => each.checkVisibility())
    && [...document.querySelectorAll("[data-wave]")].every(({ dataset }) => dataset.state);
  for (let tries = 0; tries < 300 && !settled(); tries++)
    await new Promise((later) => setTimeout(later, 100));
  return settled();
}"""


@pytest.fixture(scope="module")
def owner() -> Iterator[Owner]:
    """In an installation of its own, whose books tell of a month that no call of it knows."""
    installation = Installation(ENVIRONMENT="development")
    installation.start()
    owner = Owner(installation)
    yield owner
    owner.close()
    installation.end()


@pytest.fixture(scope="module")
def site(owner: Owner) -> Map:
    served = live_in(owner, owner.ready_number("Front desk"))
    return crawl(owner.browser, served, skip=ELSEWHERE)


@pytest.fixture(scope="module")
def tab(owner: Owner) -> Iterator[Page]:
    needs(CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        context = browser.new_context(
            base_url=owner.installation.url,
            reduced_motion="reduce",  # no colour on its way to another
        )
        context.add_cookies(
            [
                {"name": each.name, "value": each.value or "", "url": owner.installation.url}
                for each in owner.browser.cookies.jar
            ]
        )
        yield context.new_page()
        browser.close()


def test_every_page_is_led_to_and_no_link_is_dead(site: Map) -> None:
    assert site.dead == []
    known = {each.path for each in routes()}
    assert sorted(known - site.pages.keys() - site.parts.keys() - ELSEWHERE.keys()) == []
    assert sorted(ELSEWHERE.keys() - known) == []


@pytest.mark.timeout(1200)
def test_every_page_fits_and_is_accessible(site: Map, tab: Page) -> None:
    """No wider than the window, no error in the console, nothing serious for axe; whatever is
    disabled says why, and its title names its headline.
    """
    wrong: list[str] = []
    seen = Seen()
    tab.on("pageerror", lambda error: wrong.append(f"{tab.url}: {error}"))
    tab.on("console", lambda told: _console(told.type, told.text, wrong, tab))
    for address in site.addresses:
        if address.startswith("/dev/mail/"):
            continue  # a letter as a mail program shows it, where no script runs: tests/mail
        wrong += list(_looked_at(tab, address, seen))
    tab.context.clear_cookies()
    wrong += list(_looked_at(tab, "/sign-in", seen))
    assert wrong == []


@dataclass(slots=True)
class Seen:
    """What need not be looked at again."""

    shells: set[str] = field(default_factory=set[str])
    colours: list[str] = field(default_factory=list[str])


def _looked_at(tab: Page, address: str, seen: Seen) -> Iterator[str]:
    """What is wrong with a page."""
    tab.set_viewport_size({"width": WIDTHS[-1], "height": 900})
    tab.emulate_media(color_scheme="light")
    tab.goto(address)
    assert tab.evaluate(SETTLED), f"{address} goes on loading"
    tab.evaluate(STILL)
    tab.evaluate(AXE_SCRIPT)
    shell = tab.evaluate(SHELL)
    if shell in seen.shells:
        tab.evaluate(KNOWN)
    seen.shells.add(shell)
    silent: list[str] = tab.evaluate(MUTE)
    yield from (f"{address} does not say why it is disabled: {each}" for each in silent)
    headlines: list[str] = tab.evaluate(UNNAMED)
    yield from (f"{address} is called {tab.title()}, not {each}" for each in headlines)
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        wide = tab.evaluate(WIDE)
        if wide > width:
            yield f"{address} is {wide} px wide at {width} px"
        crooked: list[str] = tab.evaluate(CROOKED)
        yield from (f"{address} at {width} px, crooked: {each}" for each in crooked)
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            tab.evaluate(PAINTED)
            found: list[str] = []
            if scheme == "light" and width != WIDTHS[1]:
                found += tab.evaluate(SERIOUS, {"but": BY_COLOUR, "without": "[data-known]"})
            if fresh := tab.evaluate(FRESH, seen.colours):
                found += tab.evaluate(SERIOUS, {"only": BY_COLOUR, "within": "[data-fresh]"})
                seen.colours += fresh
            yield from (f"{address} at {width} px, {scheme}: {each}" for each in found)
            _keep(tab, address, width, scheme)


def _console(kind: str, text: str, wrong: list[str], tab: Page) -> None:
    if kind == "error":
        wrong.append(f"{tab.url}: {text}")


def _keep(tab: Page, address: str, width: int, scheme: str) -> None:
    if SHOTS and width != WIDTHS[1]:
        name = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[a-z]{2,4}_\w{26}", "x", address)).strip("-")
        path = Path(SHOTS) / f"{name or 'home'}-{width}-{scheme}.png"
        tab.screenshot(path=path, full_page=True)
