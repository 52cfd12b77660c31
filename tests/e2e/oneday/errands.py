"""Tasks: what was confirmed was done, once; what was not, never (T1, T3). Pure."""

from collections import Counter
from collections.abc import Iterator

from oneday.findings import Check, Disagreement, compared
from oneday.history import History

OVER = frozenset({"completed", "failed", "dropped"})


def runs_over(history: History) -> Iterator[Disagreement]:
    """T1, T3: nothing is under way, and nothing ran without its yes."""
    for row in history.books["task_runs"]:
        if row["state"] not in OVER | {"proposed"}:
            yield Disagreement("T3", row["id"], f"is still {row['state']}")
        if row["state"] == "completed" and not row["confirmed_at"]:
            yield Disagreement("T1", row["id"], "was done, and nobody said yes")


def posted_once(history: History) -> Iterator[Disagreement]:
    """T3: the other system was asked once for each completed request, and for no other."""
    done = Counter(
        row["id"]
        for row in history.books["task_runs"]
        if (row["kind"], row["state"]) == ("http", "completed")
    )
    received = Counter(each.key for each in history.posted)
    for key in sorted(done | received):
        yield from compared("T3", key, [("requests", done[key], received[key])])


def booked_once(history: History) -> Iterator[Disagreement]:
    """T3: a completed booking is one appointment, under the run's key, and no other was made."""
    done = Counter(
        row["id"]
        for row in history.books["task_runs"]
        if (row["kind"], row["state"]) == ("booking", "completed")
    )
    made = Counter(row["key"] for row in history.books["booking_appointments"])
    for key in sorted((done | made), key=str):
        yield from compared("T3", str(key), [("appointments", done[key], made[key])])


CHECKS: tuple[Check, ...] = (runs_over, posted_once, booked_once)
