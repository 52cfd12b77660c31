"""The ledger: a unit for each message and begun minute, once; counters are its sums. Pure.

What a message counts follows from what became of it, by the rules and not by what the product says
it counted.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from oneday.calls import seconds
from oneday.findings import Check, Disagreement, at, begun_minutes, by, compared
from oneday.history import History, Row

COUNTED_ALL_THE_SAME = frozenset({"opted_out", "no_reply_possible", "taken_over", "nothing_to_say"})
"""Why a text was left unanswered that takes its unit; whatever else keeps one back, it is free."""
LAST_UNIT = frozenset({"limit_reached", "spend_cap"})
"""Of these the one that took the last unit counts, and those after it do not (UT3, UT4); which was
the last its row must say, and the counter bears it out.
"""
FREE = {"calls": 60, "sms": 100}
MINUTE = timedelta(minutes=1)


def messages_counted(history: History) -> Iterator[Disagreement]:
    """U5, UT6 to UT10: one unit each way, none for what was held back, failed or confirmed."""
    units = _units(history, "sms")
    for row in history.books["messages"]:
        counted = units.pop(row["id"], 0)
        allowed = _worth(row)
        if counted not in allowed:
            what = f"{row['direction']} {row['kind'] or row['outcome']} {row['state']} {row['why']}"
            yield Disagreement("U5", row["id"], f"({what}) counts {counted}")
    for subject, counted in units.items():
        yield Disagreement("U5", subject, f"is no message, and counts {counted}")


def minutes_counted(history: History) -> Iterator[Disagreement]:
    """UI4, UM4, UM5: begun minutes of an answered call, none of any other, the indexes gapless."""
    entries = by(lambda row: row["subject_id"], _entries(history, "calls"))
    for row in history.books["calls"]:
        mine = entries.pop(row["id"], [])
        spoke = row["state"] == "ended" and row["spoke_at"] is not None
        due = begun_minutes(seconds(row)) if spoke else 0
        if (counted := sum(each["units"] for each in mine)) != due:
            yield Disagreement("UI4", row["id"], f"counts {counted} minutes, and began {due}")
        posted = sorted((each for each in mine if each["units"] > 0), key=_index)
        if [_index(each) for each in posted] != list(range(len(posted))):
            yield Disagreement("UI4", row["id"], f"has the minutes {[_index(e) for e in posted]}")
        for one, following in pairwise(posted):
            if at(following["starts_at"]) - at(one["starts_at"]) != MINUTE:
                yield Disagreement("UM7", row["id"], f"minute {_index(following)} starts late")
    for subject, found in entries.items():
        yield Disagreement("UI4", subject, f"is no call, and counts {len(found)} entries")


def resolved(history: History) -> Iterator[Disagreement]:
    """UI2, UI3: each unit is reserved once and ends once, and is taken back once at most."""
    units = by(
        lambda row: (row["service"], row["subject_id"], row["unit_index"]),
        history.books["usage_entries"],
    )
    for key, facts in units.items():
        stages = [fact["stage"] for fact in facts]
        counts = (stages.count("hold"), stages.count("resolution"))
        if counts != (1, 1) or stages.count("correction") > 1:
            yield Disagreement("UI2", str(key), f"is {stages}")


def counters_are_sums(history: History) -> Iterator[Disagreement]:
    """U7: a counter says what its entries sum up to, and nothing is pending."""
    entries = by(_account, history.books["usage_entries"])
    for row in history.books["usage_counters"]:
        posted = sum(each["units"] for each in entries.pop(_account(row), []))
        facts = [("posted", posted, row["posted"]), ("pending", 0, row["pending"])]
        yield from compared("U7", str(_account(row)), facts)
    for account, found in entries.items():
        if sum(each["units"] for each in found):
            yield Disagreement("U7", str(account), "has entries, and no counter")


def limits_held(history: History) -> Iterator[Disagreement]:
    """UI1: no counter is above the highest limit under which it was granted."""
    for row in history.books["usage_counters"]:
        if row["posted"] > row["granted_limit"]:
            says = f"{row['posted']} above {row['granted_limit']}"
            yield Disagreement("UI1", str(_account(row)), says)


def free_in_order(history: History) -> Iterator[Disagreement]:
    """UI5, UF2: the month's first units are free, whichever number used them."""
    for month, pool in ((each, pool) for each in history.books["usage"] for pool in each["free"]):
        service, start = pool["service"], at(month["period"]["starts_at"])
        entries = [row for row in _entries(history, service) if at(row["period_start"]) == start]
        facts = by(_unit, entries)
        kept = [found for found in facts.values() if sum(each["units"] for each in found) == 1]
        begun = sorted(
            (found[0] for found in kept), key=lambda row: (at(row["starts_at"]), _unit(row))
        )
        free = by(lambda row: row["number_id"], begun[: FREE[service]])
        expected = {number: len(rows) for number, rows in free.items()}
        told = {number: count for number, count in pool["by_number"].items() if count}
        yield from compared("UF2", service, [("free units", expected, told)])


def _worth(row: Row) -> set[int]:
    """How many units a message may count; more than one answer where a limit decides."""
    if row["direction"] == "outbound":
        sent = row["state"] in {"sent", "delivered", "undelivered"}
        return {int(sent and row["kind"] != "confirmation")}
    if row["outcome"] in {"keyword", "reaction"}:
        return {0, 1} if row["counted"] is False else {1}
    if row["why"] in LAST_UNIT:
        return {int(row["counted"])}
    return {int(row["outcome"] == "answered" or row["why"] in COUNTED_ALL_THE_SAME)}


def _entries(history: History, service: str) -> list[Row]:
    rows = history.books["usage_entries"]
    return [row for row in rows if row["service"] == service and row["units"]]


def _units(history: History, service: str) -> dict[str, int]:
    entries = by(lambda row: str(row["subject_id"]), _entries(history, service))
    return {subject: sum(row["units"] for row in rows) for subject, rows in entries.items()}


def _account(row: Row) -> tuple[str, str, str]:
    return row["number_id"], row["service"], row["period_start"]


def _unit(row: Row) -> tuple[str, int]:
    return row["subject_id"], row["unit_index"]


def _index(row: Row) -> int:
    return row["unit_index"]


CHECKS: tuple[Check, ...] = (
    messages_counted,
    minutes_counted,
    resolved,
    counters_are_sums,
    limits_held,
    free_in_order,
)
