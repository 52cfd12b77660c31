"""Where the built scripts, styles and icons are found.

`tools/build_assets.py` writes them to `static/built/` under names with a hash of their content, and
a manifest from plain names to those. An installation from a wheel brings them along.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import cast

from markupsafe import Markup

STATIC = Path(__file__).parent / "static"
BUILT = STATIC / "built"
_FLAG = (
    '<img src="/static/built/flags/{}.svg" alt="{}" width="18" height="12" loading="lazy" '
    'class="flag">'
)
_ICON = (
    '<svg class="icon {}" width="{}" height="{}" aria-hidden="true" focusable="false">'
    '<use href="{}#{}"></use></svg>'
)


@lru_cache(maxsize=1)
def manifest() -> dict[str, str]:
    """From `app.css` to `app-3F2A.css`; empty where nothing has been built."""
    path = BUILT / "manifest.json"
    return cast("dict[str, str]", json.loads(path.read_text())) if path.exists() else {}


def url(name: str) -> str:
    """The address of a built file, such as `url("app.css")`."""
    return f"/static/built/{manifest().get(name, name)}"


def flag(country: str) -> Markup:
    """The flag of a country (ISO 3166); nothing for a number without one."""
    return Markup(_FLAG).format(country, country) if country else Markup()  # noqa: S704 - a constant; format() escapes its arguments


def icon(name: str, css: str = "", size: int = 16) -> Markup:
    """A lucide icon out of the sprite; decoration only, so the control must have a name."""
    return Markup(_ICON).format(css, size, size, url("icons.svg"), name)  # noqa: S704 - a constant; format() escapes its arguments
