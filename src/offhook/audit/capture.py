"""Changes of audited rows become entries, in the transaction that makes them.

What a flush writes is noted as it happens; the entries are written as the last thing before the
commit, so that the chain's lock is the last one that a transaction takes and is held for moments.
A statement is noted too: its rows are read before and after it (statements.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy.orm
from sqlalchemy import Table, event, func, insert, inspect, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import ORMExecuteState, SessionTransaction
from sqlalchemy.orm.attributes import History

from offhook.audit import statements
from offhook.audit.actor import By, current
from offhook.audit.chain import START, canonical, digest
from offhook.audit.marks import HIDDEN, Marks, is_asked, is_secret, is_shown, marks_of, plain
from offhook.audit.models import INSTALLATION, Entry, Head
from offhook.db import Session, new_id

PENDING = "audit"
Changes = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Noted:
    """What happened, before it has its place in the chain."""

    chain: str
    by: By
    action: str
    subject: str
    subject_id: str
    label: str
    changes: Changes
    inside: SessionTransaction | None


def record(
    session: Session,
    team_id: str | None,
    action: str,
    subject: str,
    subject_id: str,
    *,
    label: str = "",
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """Record, with this transaction, that whoever acts did `action` to a `subject`.

    `changes` are {field: (before, after)}. Without a team it is the installation's.
    """
    told = {key: [plain(old), plain(new)] for key, (old, new) in (changes or {}).items()}
    _note(session.sync_session, team_id or INSTALLATION, action, subject, subject_id, label, told)


def _note(
    session: sqlalchemy.orm.Session,
    chain: str,
    action: str,
    subject: str,
    subject_id: str,
    label: str,
    changes: Changes,
) -> None:
    if not session.in_transaction():
        session.begin()  # else nothing would be written at its end
    pending: list[Noted] = session.info.setdefault(PENDING, [])
    pending.append(
        Noted(
            chain,
            current(),
            action,
            subject,
            subject_id[:80],
            label[:254],
            changes,
            session.get_nested_transaction(),
        )
    )


# --- What a flush writes ---


@event.listens_for(sqlalchemy.orm.Session, "after_flush")
def _flushed(session: sqlalchemy.orm.Session, _context: Any) -> None:
    for action, rows in (
        ("created", session.new),
        ("changed", session.dirty),
        ("deleted", session.deleted),
    ):
        for row in rows:
            marks = marks_of(row)
            if marks is None or not is_asked(marks, current()):
                continue
            changes = _changes(row, marks, action)
            if changes or action != "changed":
                _note_row(session, marks, row.__dict__, action, changes)


def _changes(row: Any, marks: Marks, action: str) -> Changes:
    state = inspect(row)
    table = state.mapper.local_table
    changes: Changes = {}
    for attribute in state.mapper.column_attrs:
        column = attribute.columns[0].name
        if not is_shown(marks, column):
            continue
        history: History = state.attrs[attribute.key].history
        old, new = _sides(history, action)
        if old != new:
            changes[column] = _hidden(old, new) if is_secret(marks, table, column) else [old, new]
    return changes


def _sides(history: History, action: str) -> tuple[Any, Any]:
    now = history.added or history.unchanged or ()
    was = history.deleted or (history.unchanged if action != "created" else ()) or ()
    old, new = (plain(side[0]) if side else None for side in (was, now))
    return (
        (None, new) if action == "created" else (old, None) if action == "deleted" else (old, new)
    )


def _hidden(old: Any, new: Any) -> list[Any]:
    return [HIDDEN if old is not None else None, HIDDEN if new is not None else None]


def _note_row(
    session: sqlalchemy.orm.Session,
    marks: Marks,
    row: Mapping[str, Any],
    action: str,
    changes: Changes,
) -> None:
    chain = str(row[marks.team]) if marks.team else INSTALLATION
    label = str(row.get(marks.label) or row.get(marks.otherwise) or "")
    _note(session, chain, action, marks.subject, str(row[marks.key]), label, changes)


# --- What a statement writes ---


@event.listens_for(sqlalchemy.orm.Session, "do_orm_execute")
def _executed(state: ORMExecuteState) -> Any:
    """An INSERT, UPDATE or DELETE of audited rows, with the rows as they were and as they are."""
    if not (state.is_insert or state.is_update or state.is_delete):
        return None
    mapper = state.bind_mapper
    marks = marks_of(mapper.class_) if mapper is not None else None
    if mapper is None or marks is None or not is_asked(marks, current()):
        return None
    table = cast("Table", mapper.local_table)
    before = statements.rows_before(state, table)
    result = state.invoke_statement()
    for old, new in statements.pairs(state, table, before):
        action = "created" if old is None else "deleted" if new is None else "changed"
        changes = _difference(table, marks, old or {}, new or {})
        if changes:
            _note_row(state.session, marks, new or old or {}, action, changes)
    return result


def _difference(
    table: Table, marks: Marks, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Changes:
    changes: Changes = {}
    for column in new or old:
        was, is_now = plain(old.get(column)), plain(new.get(column))
        if is_shown(marks, column) and was != is_now:
            secret = is_secret(marks, table, column)
            changes[column] = _hidden(was, is_now) if secret else [was, is_now]
    return changes


# --- The end of the transaction ---


@event.listens_for(sqlalchemy.orm.Session, "after_soft_rollback")
def _undone(session: sqlalchemy.orm.Session, previous: SessionTransaction) -> None:
    """What was taken back, by a savepoint or altogether, did not happen."""
    pending: list[Noted] = session.info.get(PENDING, [])
    pending[:] = [noted for noted in pending if previous.nested and noted.inside is not previous]


@event.listens_for(sqlalchemy.orm.Session, "before_commit")
def _committing(session: sqlalchemy.orm.Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    pending: list[Noted] = session.info.pop(PENDING, [])
    # In one order, so that two transactions that write to the same chains wait, not deadlock.
    for chain in sorted({noted.chain for noted in pending}):
        _append(session, chain, [noted for noted in pending if noted.chain == chain])


def _append(session: sqlalchemy.orm.Session, chain: str, pending: Sequence[Noted]) -> None:
    start = upsert(Head).values(chain=chain, position=0, digest=START)
    locked = start.on_conflict_do_update(
        index_elements=[Head.chain], set_={"position": Head.position}
    ).returning(Head.position, Head.digest, func.clock_timestamp())
    position, last, at = session.execute(locked).one()
    rows: list[dict[str, Any]] = []
    for noted in pending:
        position += 1
        entry = _entry(noted, position, _told(session) or at, last)
        last = entry.digest
        rows.append({column.key: getattr(entry, column.key) for column in Entry.__table__.columns})
    session.execute(insert(Entry), rows)
    session.execute(update(Head).where(Head.chain == chain).values(position=position, digest=last))


def _told(session: sqlalchemy.orm.Session) -> datetime | None:
    clock = session.info.get("clock")
    return clock() if clock else None


def _entry(noted: Noted, position: int, at: datetime, previous: str) -> Entry:
    entry = Entry(
        id=new_id("aud"),
        chain=noted.chain,
        position=position,
        team_id=noted.chain if noted.chain != INSTALLATION else None,
        at=at,
        actor_kind=noted.by.kind,
        actor_id=noted.by.id,
        actor_name=noted.by.name[:254],
        action=noted.action,
        subject=noted.subject,
        subject_id=noted.subject_id,
        label=noted.label,
        changes=canonical(noted.changes),
        previous=previous,
    )
    entry.digest = digest(previous, entry.content())
    return entry
