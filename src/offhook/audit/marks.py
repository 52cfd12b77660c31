"""How a table says what of it is audited, and how values become what is recorded. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any, cast

from sqlalchemy import Table

from offhook.audit.actor import By, Kind
from offhook.db import Sealed

LONGEST = 4_000
HIDDEN = "•••"
OWN_KEYS = frozenset({"id", "team_id", "created_at", "updated_at"})


@dataclass(frozen=True, slots=True)
class Marks:
    """`subject`: what a row is, in a word. `label`: the column that names it to people, `otherwise`
    the one that does where that is empty.

    `without`: columns that nobody changes by hand. `secret`: columns whose values are not shown;
    sealed columns and hashes are secret by themselves. `key`: the column that identifies a row.
    `team`: the column of the owning team; empty for what belongs to the installation. `private`:
    no value is shown, for this log cannot forget a person. `by_hand`: recorded only where a person
    or a key acts, for what callers change all day. `recorded`: whether changes are at all; the log
    may speak of what has a record of its own. `page`: what shows a row, `{}` for its id.
    """

    subject: str
    label: str = ""
    otherwise: str = ""
    without: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    key: str = "id"
    team: str = "team_id"
    private: bool = False
    by_hand: bool = False
    recorded: bool = True
    page: str = ""


def marks_of(entity: Any) -> Marks | None:
    """The marks of a mapped class or of one of its rows."""
    return cast("Marks | None", getattr(entity, "__audit__", None))


def is_secret(marks: Marks, table: Table, column: str) -> bool:
    kind = table.columns[column].type
    return (
        marks.private
        or column in marks.secret
        or column.endswith("_hash")
        or isinstance(kind, Sealed)
    )


def is_asked(marks: Marks, by: By) -> bool:
    """Whether what `by` does is recorded at all."""
    return marks.recorded and (not marks.by_hand or by.kind not in (Kind.SYSTEM, Kind.CARRIER))


def is_shown(marks: Marks, column: str) -> bool:
    return column not in OWN_KEYS and column not in marks.without and column != marks.key


def plain(value: Any) -> Any:
    """What JSON can say and any reader will say the same way: no floats, long text cut."""
    match value:
        case Enum():
            said = plain(value.value)
        case None | bool() | int():
            said = value
        case str():
            said = value if len(value) <= LONGEST else f"{value[:LONGEST]}… ({len(value)})"
        case datetime() | date() | time():
            said = value.isoformat()
        case bytes():
            said = f"{len(value)} B"
        case Mapping():
            pairs = cast("Mapping[Any, Any]", value).items()
            said = {str(key): plain(each) for key, each in pairs}
        case list() | tuple() | set() | frozenset():
            said = [plain(each) for each in cast("list[Any]", value)]
        case _:
            said = str(value)
    return said
