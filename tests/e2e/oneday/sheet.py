"""The outcome sheet of a day: for each number and person what came of it, as our books have it.

    promised = script.promised()
    kept = outcome(history, desks)       # the same shape; a day played again gives the same

Ids, times and whatever a busy machine decides are left out: calls that found us out of order (the
caller tried again), and the length of calls that somebody else ended. Pure.
"""

from collections import defaultdict
from collections.abc import Mapping

from oneday.findings import by
from oneday.history import History, Row
from oneday.script import Desk
from oneday.tally import Talk, Tally
from oneday.texts import AGENTS

TRIED_AGAIN = frozenset({"our_fault", "no_capacity"})
LENGTHS = frozenset({"caller_hung_up", "silence"})
"""Ends of calls whose length the caller decides."""
Pair = tuple[str, str]


def outcome(history: History, desks: Mapping[str, Desk]) -> dict[Pair, Tally]:
    """What each number (an id, named by `desks`) and person came to."""
    sums: dict[Pair, Tally] = defaultdict(Tally)
    units = by(lambda row: row["subject_id"], history.books["usage_entries"])
    for row in history.books["messages"]:
        counted = sum(entry["units"] for entry in units.get(row["id"], []))
        sums[desks[row["number_id"]], row["remote"]] += _message(row, counted)
    transfers = by(lambda row: row["call_id"], history.books["transfers"])
    for row in history.books["calls"]:
        if row["reason"] not in TRIED_AGAIN:
            counted = sum(entry["units"] for entry in units.get(row["id"], []))
            tally = _call(row, counted, transfers.get(row["id"], []))
            sums[desks[row["number_id"]], row["caller"]] += tally
    talks = {row["id"]: row for row in history.books["conversations"]}
    for run in history.books["task_runs"]:
        talk = talks[run["conversation_id"]]
        if run["state"] == "completed":
            sums[desks[talk["number_id"]], talk["sender"]] += Tally(runs=(run["kind"],))
    numbers = {row["e164"]: row["id"] for row in history.books["numbers"]}
    for row in history.books["opt_outs"]:
        sums[desks[numbers[row["ours"]]], row["remote"]] += Tally(stopped=True)
    return {pair: tally.settled() for pair, tally in sums.items()}


def words(history: History, desks: Mapping[str, Desk]) -> dict[Pair, tuple[str, ...]]:
    """What was texted between each number and person, in the carrier's order."""
    numbers = {row["e164"]: desks[row["id"]] for row in history.books["numbers"]}
    pairs = by(lambda text: (numbers[text.ours], text.remote), history.texts)
    return {pair: tuple(text.body for text in texts) for pair, texts in pairs.items()}


def _message(row: Row, units: int) -> Tally:
    if row["direction"] == "inbound":
        return Tally(heard=1, units=units)
    if row["state"] == "withdrawn":
        return Tally(units=units)
    if row["state"] == "failed":
        return Tally(failed=1, units=units)
    if row["kind"] in AGENTS:
        return Tally(answered=1, units=units)
    confirmed = row["kind"] == "confirmation"
    return Tally(confirmed=int(confirmed), by_hand=int(not confirmed), units=units)


def _call(row: Row, minutes: int, transfers: list[Row]) -> Tally:
    fixed = row["reason"] in LENGTHS and not transfers
    talk = Talk(row["direction"], row["reason"], minutes if fixed else 0)
    return Tally(talks=(talk,), transfers=tuple(t["failure"] or t["state"] for t in transfers))
