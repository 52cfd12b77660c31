"""Conversations, contacts and news: each once, complete and in order. Pure."""

from collections.abc import Iterator

from oneday.findings import Check, Disagreement, by, compared
from oneday.history import History, Row


def turns_complete(history: History) -> Iterator[Disagreement]:
    """I5: the turns of a conversation are numbered from 1 without a gap, all of them."""
    turns = by(lambda row: row["conversation_id"], history.books["turns"])
    for row in history.books["conversations"]:
        numbers = sorted(turn["sequence"] for turn in turns.pop(row["id"], []))
        if numbers != list(range(1, row["last_sequence"] + 1)):
            yield Disagreement(
                "I5", row["id"], f"has the turns {numbers} of {row['last_sequence']}"
            )
    for conversation in turns:
        yield Disagreement("I5", conversation, "has turns, and is no conversation")


def one_thread(history: History) -> Iterator[Disagreement]:
    """I2, S8: one thread of a number and a sender, and each text stands in that of its pair."""
    conversations = {row["id"]: row for row in history.books["conversations"]}
    threads = [row for row in conversations.values() if row["channel"] == "sms"]
    for pair, found in by(lambda row: (row["number_id"], row["sender"]), threads).items():
        if len(found) > 1 and pair[1]:
            yield Disagreement("S8", str(pair), f"has {len(found)} threads")
    for row in history.books["messages"]:
        thread = conversations.get(row["conversation_id"], {})
        place = (thread.get("number_id"), thread.get("sender"))
        yield from compared("I2", row["id"], [("thread", (row["number_id"], row["remote"]), place)])


def calls_closed(history: History) -> Iterator[Disagreement]:
    """I1, C1: a call is one conversation, closed with it; a refused one was not answered."""
    conversations = {row["id"]: row for row in history.books["conversations"]}
    states = {"ended": "closed", "refused": "not_answered"}
    talks = [row["id"] for row in conversations.values() if row["channel"] == "call"]
    for talk in set(talks) ^ {call["conversation_id"] for call in history.books["calls"]}:
        yield Disagreement("I1", talk, "is a call's conversation without its call")
    for call in history.books["calls"]:
        state = conversations.get(call["conversation_id"], {}).get("state")
        expected = states.get(call["state"], "live")
        yield from compared("I1", call["id"], [("its conversation", expected, state)])


def one_contact(history: History) -> Iterator[Disagreement]:
    """P1: one contact for a number, which is that of each of its conversations."""
    numbers = by(lambda row: row["canonical"], history.books["contact_numbers"])
    for number, found in numbers.items():
        if len(found) > 1:
            yield Disagreement("P1", number, f"belongs to {len(found)} contacts")
    holder = {row["e164"]: row["contact_id"] for row in history.books["contact_numbers"]}
    for row in history.books["conversations"]:
        known = row["sender"] in holder and row["state"] != "not_answered"
        if known and row["contact_id"] != holder[row["sender"]]:
            yield Disagreement(
                "P1", row["id"], f"is with {row['contact_id']}, no holder of its number"
            )
        if row["sender"].startswith("+") and row["sender"] not in holder and _met(row):
            yield Disagreement("P1", row["id"], f"is with {row['sender']}, who is no contact")


def told_once(history: History) -> Iterator[Disagreement]:
    """W1, W3: each thing that happened is one event; those of a conversation are numbered."""
    events = history.books["events"]
    for name, key, expected in _news(history):
        told = by(
            lambda row, key=key: row["payload"].get(key), [e for e in events if e["name"] == name]
        )
        for thing in expected - told.keys():
            yield Disagreement("W1", str(thing), f"was never told as {name}")
        for thing, found in told.items():
            if len(found) > 1 or thing not in expected:
                yield Disagreement("W1", str(thing), f"was told {len(found)} times as {name}")
    numbered = [row for row in events if row["conversation_id"]]
    for conversation, rows in by(lambda row: row["conversation_id"], numbered).items():
        numbers = sorted(row["sequence"] for row in rows)
        if numbers != list(range(1, len(rows) + 1)):
            yield Disagreement("W3", conversation, f"has the events {numbers}")


def _news(history: History) -> Iterator[tuple[str, str, set[str]]]:
    """(event, what it names, everything that it must have been told of)."""
    messages, calls = history.books["messages"], history.books["calls"]
    inbound = [row for row in messages if row["direction"] == "inbound"]
    yield "message.received", "message_id", {row["id"] for row in inbound}
    yield "message.sent", "message_id", {row["id"] for row in messages if row["accepted_at"]}
    delivered = {row["id"] for row in messages if row["state"] == "delivered"}
    yield "message.delivered", "message_id", delivered
    yield "call.refused", "call_id", {row["id"] for row in calls if row["state"] == "refused"}
    yield "call.ended", "call_id", {row["id"] for row in calls if row["state"] == "ended"}


def _met(row: Row) -> bool:
    return row["state"] != "not_answered" and row["last_sequence"] > 0


CHECKS: tuple[Check, ...] = (turns_complete, one_thread, calls_closed, one_contact, told_once)
