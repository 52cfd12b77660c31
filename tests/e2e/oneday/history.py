"""A day as three witnesses tell it: the carrier's log, our database, and who stood beside. Pure.

The log is read into texts, calls and joins, as the carrier saw them; the database is its rows as
they are (books.py reads them). `taken` and `posted` are what the driver of the day did and what a
customer's server received. Knows no rule.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Books = Mapping[str, Sequence[Row]]
"""Rows by table, as JSON; "usage" holds the answer of `GET /usage` for each month."""

SECOND_US = 1_000_000
STATES = {
    "message_sent": "sent",
    "message_delivered": "delivered",
    "message_undelivered": "undelivered",
    "message_failed": "failed",
}


@dataclass(frozen=True, slots=True)
class Text:
    """One text at the carrier. `state` is the last that it had."""

    sid: str
    at_us: int
    inbound: bool
    ours: str
    remote: str
    body: str
    segments: int
    state: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call at the carrier; `parent` is the caller's where it is the second leg of a transfer.
    `seconds` and `minutes` count from the answer.
    """

    sid: str
    parent: str
    inbound: bool
    ours: str
    remote: str
    rung_us: int
    answered_us: int | None
    ended_us: int | None
    status: str
    reason: str
    seconds: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Join:
    """A caller and a second leg talk to each other."""

    parent: str
    leg: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A member had this thread from then until then."""

    ours: str
    remote: str
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Posted:
    """A request that a customer's server received, with its idempotency key."""

    key: str


@dataclass(frozen=True, slots=True)
class History:
    texts: tuple[Text, ...]
    calls: tuple[Call, ...]
    joins: tuple[Join, ...]
    books: Books
    taken: tuple[Taken, ...] = ()
    posted: tuple[Posted, ...] = ()


def texts(log: Sequence[Row], ours: Collection[str]) -> tuple[Text, ...]:
    """The texts of our numbers, in the carrier's order."""
    found: dict[str, Row] = {}
    for line in log:
        sid, data = line["sid"], line["data"]
        if line["event"] in {"message_received", "message_accepted"}:
            inbound = line["event"] == "message_received"
            us, them = ("to", "from") if inbound else ("from", "to")
            if data[us] in ours:
                found[sid] = {
                    "sid": sid,
                    "at_us": line["at_us"],
                    "inbound": inbound,
                    "ours": data[us],
                    "remote": data[them],
                    "body": data["body"],
                    "segments": data["segments"],
                    "state": "received" if inbound else "accepted",
                }
        elif line["event"] in STATES and sid in found:
            found[sid]["state"] = STATES[line["event"]]
    return tuple(Text(**each) for each in found.values())


def calls(log: Sequence[Row], ours: Collection[str]) -> tuple[Call, ...]:
    """The calls of our numbers and their second legs, in the carrier's order."""
    found: dict[str, Row] = {}
    for line in log:
        sid, data = line["sid"], line["data"]
        if line["event"] == "call_ringing":
            inbound = data["direction"] == "inbound"
            us, them = ("to", "from") if inbound else ("from", "to")
            if data[us] in ours or data["parent"] in found:
                found[sid] = {
                    "sid": sid,
                    "parent": data["parent"],
                    "inbound": inbound,
                    "ours": data[us],
                    "remote": data[them],
                    "rung_us": line["at_us"],
                    **dict.fromkeys(("answered_us", "ended_us")),
                    **dict.fromkeys(("status", "reason"), ""),
                    **dict.fromkeys(("seconds", "minutes"), 0),
                }
        elif line["event"] == "call_answered" and sid in found:
            found[sid]["answered_us"] = line["at_us"]
        elif line["event"] == "call_ended" and sid in found:
            told = {name: data[name] for name in ("status", "reason", "minutes")}
            found[sid] |= {**told, "ended_us": line["at_us"], "seconds": data["duration_s"]}
    return tuple(Call(**each) for each in found.values())


def joins(log: Sequence[Row]) -> tuple[Join, ...]:
    return tuple(Join(e["sid"], e["data"]["leg"]) for e in log if e["event"] == "joined")
