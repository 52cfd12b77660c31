"""What the ids in a log are called today, and which page shows what they belong to.

Told by the marks of the tables: `names` reads the rows as the team sees them. What is gone is
called as the log called it last; what never had a name has none.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, false, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from offhook.audit.marks import Marks, marks_of
from offhook.audit.models import INSTALLATION, Entry
from offhook.db import Base, Session

ID = re.compile(r"[a-z]{2,4}_[0-9a-z]{26}")
GONE = ("deleted_at", "removed_at")
"""Columns that say of a row that it is kept, and shown nowhere any more."""


@dataclass(frozen=True, slots=True)
class Named:
    """`name` is empty for what people know by no name, `page` for what no page shows."""

    subject: str
    name: str
    page: str = ""


def ids_in(value: Any) -> Iterator[str]:
    """Every id in a value of the log."""
    match value:
        case str():
            if ID.fullmatch(value):
                yield value
        case Mapping():
            yield from ids_in(list(cast("Mapping[str, Any]", value).values()))
        case list():
            for each in cast("list[Any]", value):
                yield from ids_in(each)
        case _:
            return


async def names(session: Session, team_id: str | None, ids: Iterable[str]) -> dict[str, Named]:
    """What is known of each id of a team (None: of the installation)."""
    waiting: defaultdict[str, set[str]] = defaultdict(set)
    for each in ids:
        waiting[each.partition("_")[0]].add(each)
    found: dict[str, Named] = {}
    for prefix, table, marks in _tables(team_id):
        if prefix in waiting:
            found |= await _rows(session, table, marks, team_id, waiting[prefix])
    nameless = {each for some in waiting.values() for each in some if each not in found}
    return await _last_known(session, team_id, nameless) | found


def _tables(team_id: str | None) -> Iterator[tuple[str, Table, Marks]]:
    """The tables of teams, or of the installation, by the prefix of their ids."""
    for mapper in Base.registry.mappers:
        marks = marks_of(mapper.class_)
        table = cast("Table", mapper.local_table)
        prefix = table.columns["id"].info.get("prefix") if "id" in table.columns else None
        if marks is not None and prefix and bool(marks.team) == bool(team_id):
            yield prefix, table, marks


async def _rows(
    session: Session, table: Table, marks: Marks, team_id: str | None, ids: Collection[str]
) -> dict[str, Named]:
    columns = table.columns
    labels = [columns[name] for name in (marks.label, marks.otherwise) if name]
    gone = or_(false(), *(columns[name].is_not(None) for name in GONE if name in columns))
    query = select(columns["id"], gone, *labels).where(columns["id"].in_(ids))
    if marks.team:
        query = query.where(columns[marks.team] == team_id)
    found: dict[str, Named] = {}
    for row in await session.execute(query):
        id_, is_gone, *called = cast("Sequence[Any]", row)
        name = next((str(each) for each in called if each), "")
        found[id_] = Named(marks.subject, name, "" if is_gone else marks.page.format(id_))
    return found


async def _last_known(
    session: Session, team_id: str | None, ids: Collection[str]
) -> dict[str, Named]:
    """What the log called them last."""
    if not ids:
        return {}
    subjects = {marks.subject for _, _, marks in _tables(team_id) if marks.label}
    query = (
        select(Entry.subject_id, Entry.subject, Entry.label)
        .ext(distinct_on(Entry.subject_id))
        .where(
            Entry.chain == (team_id or INSTALLATION),
            Entry.subject.in_(subjects),
            Entry.subject_id.in_(ids),
            Entry.label != "",
        )
        .order_by(Entry.subject_id, Entry.position.desc())
    )
    return {id_: Named(subject, label) for id_, subject, label in await session.execute(query)}
