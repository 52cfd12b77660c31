"""What a page looks like, narrow and wide, light and dark: nothing is wider than the screen.

Pictures for people are kept in artefacts/ where OFFHOOK_PICTURES is set (`make screenshots`); to
paint them takes longer than all that is asserted here.
"""

import os
from contextlib import suppress
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PaintedTooLate

from web_fixtures import BY_COLOUR, SERIOUS, STILL

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]
PAINTED_MS = 10_000


def look(page: Page, name: str, *, axe: bool = False) -> None:
    """At each width and in each theme; with `axe`, nothing is serious for a screen reader."""
    if axe:
        page.evaluate(STILL)
        page.evaluate(AXE_SCRIPT)
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} px wide at {width} px"
        if axe:
            only = BY_COLOUR if scheme == "dark" else None
            assert page.evaluate(SERIOUS, {"only": only}) == []
        keep(page, f"{name}-{width}-{scheme}")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


def keep(page: Page, name: str) -> None:
    """A picture; a browser that cannot paint one in time fails no test."""
    if "OFFHOOK_PICTURES" in os.environ:
        path = ARTEFACTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(PaintedTooLate):
            page.screenshot(path=path, full_page=True, animations="disabled", timeout=PAINTED_MS)
