"""The checker of the day's history: silent about a day without a fault, and no fault escapes it."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from oneday.checking import disagreements
from oneday.history import Row
from oneday.ideal import DESK, Ideal

ANN, BEN, CAT, DAN, ANNA = (f"+1202555010{each}" for each in range(5))


def day() -> Ideal:
    """Somebody asks, somebody stops, a member takes a thread, calls come, one is put through."""
    day = Ideal()
    asked = day.text(ANN, "Are you open on Sunday?", "answered")
    day.reply(ANN, "Yes, from 8 to 12.", "reply", (asked,))
    burst = (day.text(BEN, "A table", "answered"), day.text(BEN, "for four", "answered"))
    day.reply(BEN, "You are booked.", "reply", burst)
    day.run("booking")
    day.run("http")
    day.text(BEN, "STOP", "keyword")
    day.reply(BEN, "You will get no more messages.", "confirmation")
    day.opt_out(BEN)
    day.text(BEN, "Hello?", "kept", "opted_out")
    day.take(CAT, minutes=3)
    day.text(CAT, "Is my cake ready?", "kept", "taken_over")
    day.reply(CAT, "It is.", "by_hand")
    day.text(DAN, "Hi", "kept", "limit_reached")
    day.call(ANN, 40)
    day.call(DAN, 130)
    day.call(DAN, 0, "limit_reached")
    day.transfer(day.call(CAT, 50, "transfer_over"), ANNA)
    day.transfer(day.call(BEN, 30), ANNA, "busy")
    return day


Harm = Callable[[Ideal], None]


def found_in(harm: Harm) -> list[str]:
    """The rules that the checker names after this was done to the day."""
    harmed = copy.deepcopy(day())
    harm(harmed)
    return [each.rule for each in disagreements(harmed.history())]


def test_a_day_without_a_fault_has_no_disagreement() -> None:
    assert [str(each) for each in disagreements(day().history())] == []


def lists(of: Ideal) -> Iterator[tuple[str, list[Row]]]:
    """Everything that a row can be missing from or be twice in."""
    yield "log", of.log
    yield from ((name, rows) for name, rows in of.books.items() if name != "usage")


def everywhere() -> list[tuple[str, int]]:
    return [(name, index) for name, rows in lists(day()) for index in range(len(rows))]


def test_whatever_is_lost_is_found() -> None:
    """Each row of each table and each line of the log; a text's `sent` is told by `delivered`."""

    def lose(place: tuple[str, int]) -> Harm:
        def harm(of: Ideal) -> None:
            del dict(lists(of))[place[0]][place[1]]

        return harm

    lost = [(name, i) for name, i in everywhere() if name != "log" or _matters(i)]
    assert [(name, row(name, i)) for name, i in lost if not found_in(lose((name, i)))] == []


def test_whatever_is_doubled_is_found() -> None:
    """The same under another id; a state that the carrier reaches twice is the same state."""

    def double(place: tuple[str, int]) -> Harm:
        def harm(of: Ideal) -> None:
            rows = dict(lists(of))[place[0]]
            key = "sid" if place[0] == "log" else "id"
            twin = copy.deepcopy(rows[place[1]])
            rows.append(twin | {key: f"{twin.get(key)}_twin"})

        return harm

    begins = {"message_received", "message_accepted", "call_ringing"}
    places = [(n, i) for n, i in everywhere() if n != "log" or row(n, i)["event"] in begins]
    assert [(name, row(name, i)) for name, i in places if not found_in(double((name, i)))] == []


def row(name: str, index: int) -> Row:
    return dict(lists(day()))[name][index]


def _matters(index: int) -> bool:
    return row("log", index)["event"] != "message_sent"


def change(table: str, index: int, **values: object) -> Harm:
    """Other values in a row."""
    return lambda of: dict(lists(of))[table][index].update(values)


def swap(table: str, one: int, other: int, column: str) -> Harm:
    def harm(of: Ideal) -> None:
        rows = dict(lists(of))[table]
        rows[one][column], rows[other][column] = rows[other][column], rows[one][column]

    return harm


def say_after_stop(of: Ideal) -> None:
    of.reply(BEN, "Our offers of the week", "by_hand")


def confirm_twice(of: Ideal) -> None:
    of.reply(BEN, "You will get no more messages.", "confirmation")
    of.reply(BEN, "You will get no more messages.", "confirmation")


def speak_beside_a_member(of: Ideal) -> None:
    of.taken[0] = replace(of.taken[0], until_us=2**62)
    asked = of.text(CAT, "Thanks", "answered")
    of.reply(CAT, "You are welcome.", "reply", (asked,))


def post_again(of: Ideal) -> None:
    of.posted.append(of.posted[0])


def rate_otherwise(of: Ideal) -> None:
    of.books["usage"][0]["free"][0]["by_number"]["num_other"] = 1


def call_after_stop(of: Ideal) -> None:
    of.call(BEN, 20)
    of.log[-3]["data"] |= {"from": DESK, "to": BEN, "direction": "outbound-api"}
    of.books["calls"][-1]["direction"] = "outbound"


def count_what_was_held_back(of: Ideal) -> None:
    kept = next(row for row in of.books["messages"] if row["why"] == "limit_reached")
    of.unit("sms", kept["id"])


def count_a_confirmation(of: Ideal) -> None:
    told = next(row for row in of.books["messages"] if row["kind"] == "confirmation")
    of.unit("sms", told["id"])


HARMS: dict[str, tuple[str, Harm]] = {
    "other words were stored": ("S2", change("messages", 0, body="Something else")),
    "another sender was stored": ("S2", change("messages", 0, remote=DAN)),
    "another text's turn": ("S2", swap("messages", 0, 1, "turn_id")),
    "segments were miscounted": ("S6", change("messages", 1, segments=2)),
    "a failure was taken for delivery": ("S6", change("messages", 1, state="undelivered")),
    "a text still waits": ("S1", change("messages", 0, outcome="waiting", reply_id=None)),
    "a reply to nobody": ("S3", change("messages", 0, outcome="kept", why="nothing_to_say")),
    "a reply in another thread": ("S1", swap("messages", 0, 2, "reply_id")),
    "texts changed places": ("S2", swap("messages", 2, 3, "created_at")),
    "a text after STOP": ("S4", say_after_stop),
    "a call after STOP": ("S4", call_after_stop),
    "confirmations without end": ("UT9", confirm_twice),
    "an agent beside a member": ("S7", speak_beside_a_member),
    "a refusal that was answered": ("C1", change("calls", 0, state="refused")),
    "an end that never came": ("UC2", change("calls", 0, state="live")),
    "another caller": ("UM10", change("calls", 0, caller=BEN)),
    "a call cut short": ("UC4", swap("calls", 1, 0, "ended_at")),
    "a leg of another call": ("UM9", swap("calls", 3, 4, "id")),
    "a leg's minutes": ("UM9", change("transfers", 0, minutes=2)),
    "a transfer under way": ("C6", change("transfers", 0, state="joined")),
    "a unit too many": ("U5", change("usage_entries", 1, units=2)),
    "a unit taken back": ("U5", change("usage_entries", 1, units=0)),
    "a unit for what was held back": ("U5", count_what_was_held_back),
    "a unit for a confirmation": ("U5", count_a_confirmation),
    "a minute that nobody spoke": ("UI4", change("calls", 0, spoke_at=None)),
    "a minute that is missing": ("UI4", change("usage_entries", -1, unit_index=7)),
    "a reservation without an end": ("UI2", change("usage_entries", 1, stage="correction")),
    "a counter that lies": ("U7", change("usage_counters", 0, posted=1)),
    "a unit that is pending": ("U7", change("usage_counters", 0, pending=1)),
    "a limit overshot": ("UI1", change("usage_counters", 0, granted_limit=3)),
    "free units given out otherwise": ("UF2", rate_otherwise),
    "a gap in the turns": ("I5", change("turns", 0, sequence=3)),
    "a text in another's thread": ("I2", swap("conversations", 0, 1, "sender")),
    "a call that stays open": ("I1", change("conversations", -1, state="live")),
    "another's contact": ("P1", change("conversations", 0, contact_id="con_other")),
    "two people with one number": ("P1", change("contact_numbers", 1, canonical=ANN)),
    "a gap in the news": ("W3", change("events", 1, sequence=9)),
    "news of another": ("W1", change("events", 0, payload={"message_id": "sms_other"})),
    "a task that hangs": ("T3", change("task_runs", 1, state="running")),
    "a task without a yes": ("T1", change("task_runs", 0, confirmed_at=None)),
    "a request sent twice": ("T3", post_again),
}


@pytest.mark.parametrize("name", HARMS)
def test_every_harm_is_found_and_named_by_its_rule(name: str) -> None:
    rule, harm = HARMS[name]
    assert rule in found_in(harm)
