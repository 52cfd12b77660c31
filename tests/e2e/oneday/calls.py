"""Calls: each once, refused or ended as the carrier saw it, with its minutes and its legs. Pure."""

from collections.abc import Iterator

from oneday.findings import Check, Disagreement, at, begun_minutes, by, compared
from oneday.history import Call, History, Row

TOLERANCE_S = 2
"""By so much our clock and the carrier's may differ (UC4)."""
BEFORE_RINGING = frozenset({"caller_gone", "ended"})
"""Why a transfer may have failed of which the carrier never heard."""


def called_once(history: History) -> Iterator[Disagreement]:
    """UM10: a call at the carrier is one call of ours with the same two ends, and no other is."""
    rows = by(lambda row: row["carrier_call_id"], history.books["calls"])
    for call in _first_legs(history):
        found = rows.pop(call.sid, [])
        if len(found) != 1:
            yield Disagreement("UM10", call.sid, f"is kept {len(found)} times")
        for row in found[:1]:
            direction = "inbound" if call.inbound else "outbound"
            caller = ("caller", call.remote, row["caller"])
            hidden = call.inbound and not row["caller"]
            told = [("direction", direction, row["direction"])]
            yield from compared("UM10", call.sid, told if hidden else [*told, caller])
    for sid, found in rows.items():
        placed = sid != found[0]["id"] or found[0]["spoke_at"]
        if placed:  # else the carrier was never asked, as where no line was free
            yield Disagreement("UM10", found[0]["id"], f"is the call {sid}, which never was")


def ended(history: History) -> Iterator[Disagreement]:
    """C1, UC2: what was not answered there is not answered here; every call has its end."""
    for call in history.calls:
        if call.ended_us is None:
            yield Disagreement("UC2", call.sid, "never ended at the carrier")
    for call, row in _pairs(history):
        if row["state"] not in {"ended", "refused"}:
            yield Disagreement("UC2", row["id"], f"is {row['state']}, there {call.status}")
        refused = row["state"] == "refused"
        if call.inbound and refused != (call.answered_us is None):
            there = "answered" if call.answered_us else call.status
            yield Disagreement("C1", row["id"], f"is {row['state']}, and was {there} there")


def as_long(history: History) -> Iterator[Disagreement]:
    """UC4, UM1: both clocks make the same minutes of a call, but for two seconds at an edge."""
    for call, row in _pairs(history):
        if call.answered_us is None or row["spoke_at"] is None or not row["ended_at"]:
            continue
        ours = seconds(row)
        if begun_minutes(ours) != call.minutes and abs(ours - call.seconds) > TOLERANCE_S:
            says = f"lasted {ours:.1f} s here and {call.seconds} s there"
            yield Disagreement("UC4", row["id"], says)


def transfers_over(history: History) -> Iterator[Disagreement]:
    """C6: each transfer has ended, or failed and says why; the carrier rang as often as we say."""
    sids = {row["id"]: row["carrier_call_id"] for row in history.books["calls"]}
    tried = by(lambda row: sids.get(row["call_id"]), history.books["transfers"])
    for row in history.books["transfers"]:
        if row["state"] not in {"ended", "failed"}:
            yield Disagreement("C6", row["id"], f"is still {row['state']}")
        if (row["state"] == "failed") != (row["failure"] is not None):
            yield Disagreement("C6", row["id"], f"is {row['state']}, because {row['failure']}")
    for call in _first_legs(history):
        there = sum(leg.parent == call.sid for leg in history.calls)
        rung = [row for row in tried.get(call.sid, []) if row["failure"] not in BEFORE_RINGING]
        if there != len(rung):
            yield Disagreement("C6", call.sid, f"rang {there} people, by {len(rung)} transfers")


def joined_once(history: History) -> Iterator[Disagreement]:
    """C6, UM9: who was joined at the carrier was put through by us, by that leg, and once."""
    ended = [row for row in history.books["transfers"] if row["state"] == "ended"]
    put_through = by(lambda row: row["leg_id"], ended)
    legs = {call.sid: call for call in history.calls if call.parent}
    sids = {row["id"]: row["carrier_call_id"] for row in history.books["calls"]}
    for join in (each for each in history.joins if each.leg in legs):
        leg, found = legs[join.leg], put_through.pop(join.leg, [])
        if len(found) != 1 or leg.answered_us is None:
            yield Disagreement("C6", leg.sid, f"was joined, by {len(found)} transfers of ours")
        for row in found[:1]:
            facts = [
                ("call", join.parent, sids.get(row["call_id"])),
                ("number", leg.remote, row["e164"]),
                ("minutes", leg.minutes, row["minutes"]),
            ]
            yield from compared("UM9", row["id"], facts)
    for leg_id, found in put_through.items():
        yield Disagreement("C6", found[0]["id"], f"put a caller through to {leg_id}, never joined")


def seconds(row: Row) -> float:
    """How long one of our calls was."""
    return (at(row["ended_at"]) - at(row["answered_at"])).total_seconds()


def _first_legs(history: History) -> list[Call]:
    return [call for call in history.calls if not call.parent]


def _pairs(history: History) -> Iterator[tuple[Call, Row]]:
    """The carrier's calls with ours."""
    rows = {row["carrier_call_id"]: row for row in history.books["calls"]}
    return ((call, rows[call.sid]) for call in _first_legs(history) if call.sid in rows)


CHECKS: tuple[Check, ...] = (called_once, ended, as_long, transfers_over, joined_once)
