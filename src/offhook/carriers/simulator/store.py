"""The simulated carrier's own storage: resources as it would tell them, and an append-only log.

SQLite in write-ahead mode, used by one thread; an action is one transaction. The log is the truth
for fault tests: what the carrier saw and did, whatever our side remembers. Knows no HTTP.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Record = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    data TEXT NOT NULL,     -- what the API answers
    private TEXT NOT NULL   -- what it does not: callback addresses, the next step
);
CREATE INDEX IF NOT EXISTS resource_kind ON resource (kind, number);
CREATE INDEX IF NOT EXISTS resource_to ON resource (kind, json_extract(data, '$.to'));
CREATE UNIQUE INDEX IF NOT EXISTS resource_number ON resource (json_extract(data, '$.phone_number'))
    WHERE kind = 'number';
CREATE TABLE IF NOT EXISTS log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    event TEXT NOT NULL,
    sid TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS log_is_append_only_update BEFORE UPDATE ON log
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_is_append_only_delete BEFORE DELETE ON log
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A resource. `data` is the API's own JSON."""

    sid: str
    kind: str
    created_s: int
    data: Record
    private: Record


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log."""

    id: int
    at_us: int
    event: str
    sid: str
    data: Record


class Store:
    """The database file; `do` runs an action in one transaction and gives its value back."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="simulator-store")
        self._connection: sqlite3.Connection | None = None

    async def do(self, action: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, action)

    async def note(self, event: str, sid: str = "", **data: Any) -> None:
        """Write one line of the log."""
        await self.do(lambda db: log(db, event, sid, **data))

    def close(self) -> None:
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _run(self, action: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = _opened(self._path)
        with self._connection:
            return action(self._connection)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(_SCHEMA)
    return connection


def insert(
    db: sqlite3.Connection, kind: str, sid: str, data: Record, private: Mapping[str, Any]
) -> Row:
    row = Row(sid, kind, int(time.time()), data, dict(private))
    db.execute(
        "INSERT INTO resource (sid, kind, created_s, data, private) VALUES (?, ?, ?, ?, ?)",
        (sid, kind, row.created_s, json.dumps(data), json.dumps(row.private)),
    )
    return row


def fetch(db: sqlite3.Connection, kind: str, sid: str) -> Row | None:
    rows = _rows(db, "kind = ? AND sid = ?", [kind, sid])
    return rows[0] if rows else None


def change(db: sqlite3.Connection, row: Row, **data: Any) -> Row:
    """Change fields of the resource as it is stored now."""
    current = fetch(db, row.kind, row.sid) or row
    changed = current.data | data
    db.execute("UPDATE resource SET data = ? WHERE sid = ?", (json.dumps(changed), row.sid))
    return Row(row.sid, row.kind, row.created_s, changed, current.private)


def change_private(db: sqlite3.Connection, row: Row, **private: Any) -> None:
    current = fetch(db, row.kind, row.sid) or row
    changed = json.dumps(current.private | private)
    db.execute("UPDATE resource SET private = ? WHERE sid = ?", (changed, row.sid))


def remove(db: sqlite3.Connection, row: Row) -> None:
    db.execute("DELETE FROM resource WHERE sid = ?", (row.sid,))


def select(db: sqlite3.Connection, kind: str, where: Mapping[str, str] | None = None) -> list[Row]:
    """Resources of a kind, newest first; `where` compares fields of their JSON."""
    clauses = ["kind = ?"]
    values: list[Any] = [kind]
    for name, value in (where or {}).items():
        clauses.append("json_extract(data, ?) = ?")
        values += [f'$."{name}"', value]
    return _rows(db, " AND ".join(clauses), values)


def _rows(db: sqlite3.Connection, condition: str, values: Sequence[Any]) -> list[Row]:
    query = "SELECT sid, kind, created_s, data, private FROM resource WHERE "
    found = db.execute(query + condition + " ORDER BY number DESC", values).fetchall()
    return [
        Row(sid, kind, created_s, json.loads(data), json.loads(private))
        for sid, kind, created_s, data, private in found
    ]


def log(db: sqlite3.Connection, event: str, sid: str = "", **data: Any) -> None:
    db.execute(
        "INSERT INTO log (at_us, event, sid, data) VALUES (?, ?, ?, ?)",
        (time.time_ns() // 1000, event, sid, json.dumps(data)),
    )


def read_log(db: sqlite3.Connection, after: int = 0) -> list[Entry]:
    found = db.execute(
        "SELECT id, at_us, event, sid, data FROM log WHERE id > ? ORDER BY id", (after,)
    ).fetchall()
    return [
        Entry(number, at, event, sid, json.loads(data)) for number, at, event, sid, data in found
    ]


def log_of(path: Path) -> list[Entry]:
    """The log of a simulator's file, for tests, also while the process runs or after its death."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return read_log(connection)
    finally:
        connection.close()
