"""How pages look: at 390 and 1440 px, light and dark; nothing serious for axe."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from offhook.web import assets
from web_fixtures import ROOT, Person, Served, context_of, picture, serious

WIDTHS = (390, 1440)


async def open_page(context: BrowserContext, path: str, scheme: str) -> Page:
    page = await context.new_page()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(path)
    await page.wait_for_load_state("load")
    await page.wait_for_function("document.fonts.status === 'loaded'")
    assert errors == []
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_pages_fit_and_are_accessible(
    browser: Browser, served: Served, owner: Person, width: int, scheme: str
) -> None:
    """Every page works from 390 px, in light and dark; axe finds nothing serious (pages.md)."""
    paths = ["/design"]
    if (width, scheme) in {(390, "dark"), (1440, "light")}:
        paths += ["/team", "/team/settings", "/team/api-keys", "/account"]
    context = await context_of(browser, served, owner, width)
    for path in paths:
        page = await open_page(context, path, scheme)
        if path == "/design":
            await page.wait_for_selector("[data-wave][data-state=ready]")
            await page.wait_for_selector("[data-chart] canvas")
        name = path.strip("/").replace("/", "-")
        await picture(page, f"{name}-{width}-{scheme}")
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{path} is wider than {width} px"
        assert await serious(page) == [], path
        await page.close()
    await context.close()


def test_every_icon_is_in_the_sprite(built: None) -> None:
    """An icon that lucide does not know would be an empty square."""
    sprite = (assets.BUILT / assets.manifest()["icons.svg"]).read_text()
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    named: set[str] = set()
    for path in Path(ROOT / "src" / "offhook").glob("*/templates/**/*.html"):
        named |= set(re.findall(r"""\bicon\(["']([a-z0-9-]+)["']""", path.read_text()))
        named |= set(re.findall(r"""\bicon(?:_name)?=["']([a-z0-9-]+)["']""", path.read_text()))
        pattern = r"""\bicon_button\("[^"]*", "([a-z0-9-]+)\""""
        named |= set(re.findall(pattern, path.read_text()))
    assert "x" in named
    assert named - known == set()
