"""Texts: stored once, sent once, answered once; none after STOP, none beside a person. Pure."""

import re
from collections import Counter
from collections.abc import Iterator

from oneday.findings import Check, Disagreement, by, compared, us
from oneday.history import SECOND_US, History, Row, Text

GRACE_US = SECOND_US
"""No text may be sent later than this after a STOP was heard (SEC18) or a thread taken (S7)."""
STOPS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit"})
STARTS = frozenset({"start", "unstop"})
AGENTS = frozenset({"reply", "question"})
CARRIER_STOPPED = 21610


def stored_once(history: History) -> Iterator[Disagreement]:
    """S2, UT12: what the carrier took for us is one row with its words, and nothing else is."""
    rows = by(lambda row: row["carrier_id"], _rows(history, "inbound"))
    for text in (each for each in history.texts if each.inbound):
        found = rows.pop(text.sid, [])
        if len(found) != 1:
            yield Disagreement("S2", text.sid, f"is stored {len(found)} times")
        for row in found[:1]:
            yield from compared("S2", text.sid, _ends(text, row))
    for sid in rows:
        yield Disagreement("S2", str(sid), "is stored, and the carrier never had it")


def sent_once(history: History) -> Iterator[Disagreement]:
    """U8, S6, S5: the carrier has each accepted text once, with our words, segments and state."""
    accepted = [row for row in _rows(history, "outbound") if row["accepted_at"]]
    rows = by(lambda row: row["carrier_id"], accepted)
    for text in (each for each in history.texts if not each.inbound):
        found = rows.pop(text.sid, [])
        if len(found) != 1:
            yield Disagreement("U8", text.sid, f"was sent, and is {len(found)} texts of ours")
        for row in found[:1]:
            state = ("state", text.state, row["state"])
            yield from compared("S6", text.sid, [*_ends(text, row), state])
    for sid, found in rows.items():
        yield Disagreement("U8", found[0]["id"], f"was accepted as {sid}, which never was sent")


def finished(history: History) -> Iterator[Disagreement]:
    """S1: nothing waits for an answer, nothing for the carrier, when the day is over."""
    for row in history.books["messages"]:
        if row["outcome"] == "waiting":
            yield Disagreement("S1", row["id"], "still waits for an answer")
        if row["direction"] == "outbound" and row["state"] in {"draft", "queued", "sending"}:
            yield Disagreement("S6", row["id"], f"is still {row['state']}")


def answered_once(history: History) -> Iterator[Disagreement]:
    """S1, S3: an answered text names one reply of its thread; a reply answers something."""
    replies = {row["id"]: row for row in _rows(history, "outbound") if row["kind"] in AGENTS}
    answered = [row for row in _rows(history, "inbound") if row["outcome"] == "answered"]
    for row in answered:
        reply = replies.get(row["reply_id"])
        if reply is None or reply["conversation_id"] != row["conversation_id"]:
            yield Disagreement("S1", row["id"], f"is answered by {row['reply_id']}, no reply to it")
    for reply_id in replies.keys() - {row["reply_id"] for row in answered}:
        if replies[reply_id]["state"] != "withdrawn":
            yield Disagreement("S3", reply_id, "is a reply that answers nothing")


def stopped(history: History) -> Iterator[Disagreement]:
    """S4, SEC18, UT9: after STOP nothing goes to the pair but one confirmation, no call either."""
    kinds = {row["carrier_id"]: row["kind"] for row in _rows(history, "outbound")}
    calls = by(lambda call: (call.ours, call.remote), [c for c in history.calls if not c.inbound])
    for pair, texts in by(lambda text: (text.ours, text.remote), history.texts).items():
        for since, until in _silences(texts):
            after = [t for t in texts if not t.inbound and since < t.at_us < until]
            confirmed = [t for t in after if kinds.get(t.sid) == "confirmation"]
            late = [t for t in after if t not in confirmed and t.at_us > since + GRACE_US]
            allowed = 1 + sum(t.inbound and since < t.at_us < until for t in texts)
            if len(confirmed) > allowed:
                yield Disagreement("UT9", str(pair), f"was told {len(confirmed)} times")
            for text in late:
                yield Disagreement("S4", str(pair), f"got {text.sid} after STOP")
            for call in calls.get(pair, []):
                if since + GRACE_US < call.rung_us < until:
                    yield Disagreement("S4", str(pair), f"was called ({call.sid}) after STOP")


def opted_out(history: History) -> Iterator[Disagreement]:
    """S4, SM1: our list holds the pairs that stopped, and those that the carrier told us of."""
    listed = Counter((row["ours"], row["remote"]) for row in history.books["opt_outs"])
    pairs = by(lambda text: (text.ours, text.remote), history.texts)
    expected = {pair for pair, texts in pairs.items() if _is_stopped(texts)}
    expected |= {
        (row["ours"], row["remote"])
        for row in _rows(history, "outbound")
        if row["error_code"] == CARRIER_STOPPED
    }
    for pair in sorted(listed.keys() | expected):
        yield from compared("S4", str(pair), [("listed", int(pair in expected), listed[pair])])


def silent_beside_a_person(history: History) -> Iterator[Disagreement]:
    """S7: while a member has the thread the agent sends nothing."""
    kinds = {row["carrier_id"]: row["kind"] for row in _rows(history, "outbound")}
    texts = by(lambda text: (text.ours, text.remote), history.texts)
    for taken in history.taken:
        for text in texts.get((taken.ours, taken.remote), []):
            inside = taken.from_us + GRACE_US < text.at_us < taken.until_us
            if inside and not text.inbound and kinds.get(text.sid) in AGENTS:
                yield Disagreement("S7", text.sid, "was sent while a member had the thread")


def order(body: str) -> str:
    """What a text orders, read apart from the product: stop, start or nothing."""
    lines = [line for line in body.casefold().splitlines() if line.strip()]
    word = re.sub(r"[^a-z]", "", lines[0]) if lines else ""
    return "stop" if word in STOPS else "start" if word in STARTS else ""


def _silences(texts: list[Text]) -> Iterator[tuple[float, float]]:
    """From each STOP of a pair until its START."""
    since: float | None = None
    for text in texts:
        said = order(text.body) if text.inbound else ""
        if said == "stop" and since is None:
            since = text.at_us
        elif said == "start" and since is not None:
            yield since, text.at_us
            since = None
    if since is not None:
        yield since, float("inf")


def _is_stopped(texts: list[Text]) -> bool:
    return any(until == float("inf") for _, until in _silences(texts))


def _rows(history: History, direction: str) -> list[Row]:
    return [row for row in history.books["messages"] if row["direction"] == direction]


def _ends(text: Text, row: Row) -> list[tuple[str, object, object]]:
    named = ("ours", "remote", "body", "segments")
    return [(name, getattr(text, name), row[name]) for name in named]


def in_order(history: History) -> Iterator[Disagreement]:
    """S2: each thread's texts stand in its turns once, in the order in which they were taken."""
    turns = {row["id"]: row for row in history.books["turns"]}
    spoken = [row for row in history.books["messages"] if row["turn_id"]]
    for turn_id, rows in by(lambda row: row["turn_id"], spoken).items():
        turn = turns.get(turn_id)
        if turn is None or len(rows) != 1:
            yield Disagreement("S2", rows[0]["id"], f"has a turn {turn_id} that is not its own")
            continue
        place = (turn["conversation_id"], turn["sequence"], turn["text"])
        [row] = rows
        ours = (row["conversation_id"], row["turn_sequence"], row["body"])
        yield from compared("S2", row["id"], [("its turn", ours, place)])
    for row in history.books["messages"]:
        silent = row["state"] == "withdrawn" or row["outcome"] == "reaction"
        if not row["turn_id"] and not silent:
            yield Disagreement("I1", row["id"], "has no turn in its thread")
    for thread, rows in by(lambda row: row["conversation_id"], spoken).items():
        written = sorted(rows, key=lambda row: (us(row["created_at"]), row["turn_sequence"]))
        heard = [row["turn_sequence"] for row in written if row["direction"] == "inbound"]
        if heard != sorted(heard):
            yield Disagreement("S2", thread, f"shows what came in as {heard}")


CHECKS: tuple[Check, ...] = (
    stored_once,
    sent_once,
    finished,
    answered_once,
    stopped,
    opted_out,
    silent_beside_a_person,
    in_order,
)
