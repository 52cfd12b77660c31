"""What an entry of the audit log says to a person: fields and values in words. Pure.

A value is told in pieces: words, moments, and what an id belongs to, which a page may lead to.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from offhook import audit

SHORT = 160
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")
ACTORS = {
    audit.Kind.USER: "member",
    audit.Kind.KEY: "API key",
    audit.Kind.OPERATOR: "operator",
    audit.Kind.CARRIER: "carrier",
    audit.Kind.SYSTEM: "by itself",
}
Names = Mapping[str, audit.Named]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words, leading to `page` where there is one; or a moment."""

    text: str
    page: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One field: its name, and its value before and after; empty where there was none."""

    field: str
    before: list[Piece]
    after: list[Piece]


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as a page shows it: what was acted on, called `name`, and what changed of it."""

    entry: audit.Entry
    name: str
    page: str
    changes: list[Change]


def ids_in(entries: Iterable[audit.Entry]) -> set[str]:
    """Every id that lines of these entries would show."""
    return {each for entry in entries for each in audit.ids_in([entry.subject_id, entry.changed])}


def line(entry: audit.Entry, names: Names) -> Line:
    """What it was called then; where it had no name, what its id belongs to."""
    known = names.get(entry.subject_id, audit.Named("", ""))
    return Line(entry, entry.label or known.name, known.page, changes_of(entry, names))


def changes_of(entry: audit.Entry, names: Names) -> list[Change]:
    """The fields that changed, in order of their names; what was and stayed empty is left out."""
    found = [
        Change(_field(name), told(old, names), told(new, names))
        for name, (old, new) in sorted(entry.changed.items())
    ]
    return [change for change in found if change.before or change.after]


def told(value: Any, names: Names) -> list[Piece]:
    """A value in pieces, as much of it as a line has room for."""
    pieces: list[Piece] = []
    room = SHORT
    for piece in _pieces(value, names):
        if room <= 0:
            return [*pieces, Piece("…")]
        cut = piece.text if len(piece.text) <= room else f"{piece.text[: room - 1]}…"
        pieces.append(Piece(cut, piece.page, piece.at))
        room -= len(piece.text)
    return pieces


def _pieces(value: Any, names: Names) -> Iterator[Piece]:
    match value:
        case Mapping():
            for index, (key, each) in enumerate(cast("Mapping[str, Any]", value).items()):
                yield Piece(f"{', ' if index else ''}{key}: ")
                yield from _pieces(each, names)
        case list():
            for index, each in enumerate(cast("list[Any]", value)):
                if index:
                    yield Piece(", ")
                yield from _pieces(each, names)
        case str() if value in names:
            known = names[value]
            yield Piece(known.name or known.subject, known.page)
        case str() if MOMENT.fullmatch(value):
            yield Piece(value, at=datetime.fromisoformat(value))
        case _:
            if text := said(value):
                yield Piece(text)


def changed_text(entry: audit.Entry) -> list[str]:
    """Each change as a line, for programs: `name: Front desk → Reception`."""
    lines: list[str] = []
    for name, (old, new) in sorted(entry.changed.items()):
        before, after = said(old), said(new)
        if before or after:
            lines.append(
                f"{_field(name)}: {before} → {after}" if before else f"{_field(name)}: {after}"
            )
    return lines


def _field(name: str) -> str:
    return name.replace("_", " ").removesuffix(" id")


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
