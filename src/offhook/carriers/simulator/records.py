"""A carrier that remembers a call or message otherwise than it was: for tests of reconciliation.

Asked by `POST /simulator/records` with a JSON list of changes: fields of the resource to write, no
fields to forget it, or a new resource, under an id of its own or a given one. Knows no HTTP.
"""

import sqlite3
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from offhook.carriers.simulator import resources, store


@dataclass(frozen=True, slots=True)
class Change:
    """`sid` empty or unknown: a new one. `fields` in the names and formats of the API; None:
    forget it.
    """

    kind: Literal["call", "message"]
    sid: str = ""
    fields: dict[str, Any] | None = field(default_factory=dict[str, Any])


def apply(db: sqlite3.Connection, account: str, change: Change) -> str:
    """Make one change; the resource's id. Raises KeyError for an unknown one to be forgotten."""
    row = store.fetch(db, change.kind, change.sid)
    if row is None and change.fields is None:
        raise KeyError(change.sid)
    if row is None:
        return _invent(db, account, change)
    if change.fields is None:
        store.remove(db, row)
    else:
        store.change(db, row, **change.fields)
    store.log(db, "record_changed", row.sid, fields=change.fields)
    return row.sid


def _invent(db: sqlite3.Connection, account: str, change: Change) -> str:
    kind, fields = change.kind, change.fields or {}
    sid = change.sid or f"{'CA' if kind == 'call' else 'SM'}{uuid.uuid4().hex}"
    sender, to = str(fields.get("from", "")), str(fields.get("to", ""))
    common: dict[str, Any] = {"account": account, "sid": sid, "sender": sender, "to": to}
    common |= {"direction": "inbound", "now_s": time.time()}
    if kind == "call":
        data = resources.call(**common, number_sid="")
    else:
        data = resources.message(**common, body="", status="received", segments=1)
    store.insert(db, kind, sid, data | fields, {"callback": "done"})
    store.log(db, "record_changed", sid, fields=fields)
    return sid
