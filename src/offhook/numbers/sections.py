"""The sections of a number's page: our own, and those that rooms above add in app.join_rooms."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from offhook.db import Session
from offhook.numbers.models import Number

Load = Callable[[Session, Number], Awaitable[Mapping[str, Any]]]
"""What a section's template shows besides what every one gets."""


async def _nothing(_: Session, __: Number) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Section:
    """One section; the empty slug is the overview. Its template extends `numbers/number.html`."""

    slug: str
    label: str
    icon: str
    template: str = ""
    load: Load = _nothing

    @property
    def page(self) -> str:
        return self.template or f"numbers/section_{self.slug or 'overview'}.html"


FIRST = (
    Section("", "Overview", "layout-dashboard"),
    Section("agent", "Agent", "bot"),
    Section("calls", "Calls", "phone"),
    Section("sms", "SMS", "message-square"),
    Section("limits", "Limits", "gauge"),
)
LAST = (
    Section("activity", "Activity", "history"),
    Section("danger", "Danger zone", "triangle-alert"),
)
_added: dict[str, Section] = {}


def add(section: Section) -> None:
    """Show a section after ours, in the order of the calls, or instead of the one with its slug;
    once more is harmless.
    """
    _added[section.slug] = section


def sections() -> tuple[Section, ...]:
    ours = {each.slug: each for each in FIRST} | _added
    return (*ours.values(), *LAST)


def section(slug: str) -> Section | None:
    return next((each for each in sections() if each.slug == slug), None)
