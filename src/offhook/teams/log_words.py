"""What an entry of the audit log says to a person: fields and values in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from offhook import audit

SHORT = 160
ACTORS = {
    audit.Kind.USER: "member",
    audit.Kind.KEY: "API key",
    audit.Kind.OPERATOR: "operator",
    audit.Kind.CARRIER: "carrier",
    audit.Kind.SYSTEM: "by itself",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field: its name, and its value before and after; empty where there was none."""

    field: str
    before: str
    after: str


def changes_of(entry: audit.Entry) -> list[Change]:
    """The fields that changed, in order of their names; what was and stayed empty is left out."""
    found = [
        Change(name.replace("_", " ").removesuffix(" id"), said(old), said(new))
        for name, (old, new) in sorted(entry.changed.items())
    ]
    return [change for change in found if change.before or change.after]


def changed_text(entry: audit.Entry) -> list[str]:
    """Each change as a line: `name: Front desk → Reception`."""
    return [
        f"{each.field}: {each.before} → {each.after}"
        if each.before
        else f"{each.field}: {each.after}"
        for each in changes_of(entry)
    ]


def said(value: Any) -> str:
    """A value as a person writes it."""
    match value:
        case None:
            return ""
        case True | False:
            return "yes" if value else "no"
        case Mapping():
            pairs = cast("Mapping[str, Any]", value).items()
            return ", ".join(f"{key}: {said(each)}" for key, each in pairs)
        case list():
            return ", ".join(said(each) for each in cast("Sequence[Any]", value))
        case _:
            return str(value)
