"""Write docs/settings.md from the settings module, or check that it is current (`--check`)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from offhook.settings import Settings  # noqa: E402 - the path above comes first

PAGE = ROOT / "docs" / "settings.md"
HEAD = """# Settings

Set them in the environment or in a file `.env` beside where Offhook is started. This page is made
from `src/offhook/settings.py` by `make docs`.

| setting | default | what it does |
| --- | --- | --- |
"""


def shown(default: object) -> str:
    if hasattr(default, "get_secret_value"):
        default = default.get_secret_value()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType] - just asked
    text = str(default)  # pyright: ignore[reportUnknownArgumentType] - anything prints
    return f"`{text}`" if text else "empty"


def page() -> str:
    rows = [
        f"| `OFFHOOK_{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        current = PAGE.read_text() if PAGE.exists() else ""
        sys.exit(0 if current == page() else "docs/settings.md is not current: run `make docs`")
    PAGE.write_text(page())
