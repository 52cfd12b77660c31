"""Which rows a statement touches: read before it runs, and again after it.

Of an INSERT these are the rows that its values would collide with, by the primary key or any
unique index, so that an upsert is told as the change that it is. Knows nothing of what is recorded.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import sqlalchemy.orm
from sqlalchemy import ColumnElement, Select, Table, UniqueConstraint, and_, false, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import ORMExecuteState

Row = dict[str, Any]
DIALECT = postgresql.dialect()


def rows_before(state: ORMExecuteState, table: Table) -> list[Row]:
    """The rows that the statement is about to touch, locked."""
    query = _query(state, table)
    if query is None:
        return []
    given = None if state.is_insert else state.parameters
    return _rows(state.session, query.with_for_update(key_share=True), given)


def pairs(
    state: ORMExecuteState, table: Table, before: list[Row]
) -> Iterator[tuple[Row | None, Row | None]]:
    """Each row as it was and as it is, once the statement has run; None: it was or is not there."""
    keys = [column.name for column in table.primary_key.columns]
    if state.is_insert:
        query = _query(state, table)
    else:
        same = (and_(*(table.c[key] == row[key] for key in keys)) for row in before)
        query = select(table).where(or_(*same)) if before else None
    after = _rows(state.session, query) if query is not None else []
    old = {tuple(row[key] for key in keys): row for row in before}
    new = {tuple(row[key] for key in keys): row for row in after}
    for key in old | new:
        yield old.get(key), new.get(key)


def _query(state: ORMExecuteState, table: Table) -> Select[Any] | None:
    if state.is_insert:
        each = [_collides(table, values) for values in _values(state)]
        return select(table).where(or_(*each)) if each else None
    where: ColumnElement[bool] | None = cast("Any", state.statement).whereclause
    return select(table) if where is None else select(table).where(where)


def _values(state: ORMExecuteState) -> list[Mapping[str, Any]]:
    """The values of each row to be inserted, by column."""
    given = state.parameters
    if isinstance(given, list):
        return [*given]
    compiled = cast("Any", state.statement).compile(dialect=DIALECT)
    return [{**compiled.params, **cast("Mapping[str, Any]", given or {})}]


def _collides(table: Table, values: Mapping[str, Any]) -> ColumnElement[bool]:
    unique = [tuple(table.primary_key.columns)]
    unique += [tuple(index.columns) for index in table.indexes if index.unique]
    unique += [
        tuple(constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    known = [group for group in unique if all(column.name in values for column in group)]
    # Of an INSERT from a SELECT the values are not known before it runs: it is nobody's upsert.
    return or_(
        false(), *(and_(*(column == values[column.name] for column in group)) for group in known)
    )


def _rows(session: sqlalchemy.orm.Session, query: Select[Any], given: Any = None) -> list[Row]:
    found = session.execute(query, given).mappings()
    return [{str(name): value for name, value in row.items()} for row in found]
