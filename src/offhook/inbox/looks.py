"""How conversations are put into words and order for the pages. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from offhook import phone
from offhook.contacts import Contact
from offhook.inbox.models import Channel, Conversation, Speaker, State, Turn
from offhook.inbox.reading import Told
from offhook.inbox.rules import UNREAD_BY_THEM
from offhook.tasks import TaskRun

REASONS: Mapping[str, str] = {
    "by_hand": "closed by hand",
    "quiet": "closed after a while without a text",
    "disabled": "the number is disabled",
    "calls_off": "calls are switched off",
    "agent_not_live": "the agent is not live",
    "suspended": "the team is suspended",
    "limit_reached": "monthly limit reached",
    "spend_cap": "spend cap reached",
    "caller_lines_full": "this caller has too many calls at once",
    "lines_full": "all lines of this number were busy",
    "closed": "outside the hours",
    "blocked": "this number is blocked",
    "hidden": "callers who hide their number are not answered",
    "false_number": "the carriers found the caller's number to be false",
    "too_many_calls": "this caller has called too often within an hour",
    "no_capacity": "all lines were busy",
    "our_fault": "a fault on our side",
}
"""Why a thread is closed, and why a call was not answered, as they stand in the list."""
SHOWN_STATES = frozenset({"queued", "sent", "delivered", "interrupted", *UNREAD_BY_THEM})
STATES = {
    State.LIVE: ("Live", "live"),
    State.OPEN: ("Open", "on"),
    State.CLOSED: ("Closed", "off"),
    State.NOT_ANSWERED: ("Not answered", "warn"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a timeline: a new day, a bubble, a task, or a whole call among the texts (I2).

    `other`: another number of the same person that it was said by.
    """

    id: str
    at: datetime
    day: str = ""
    other: str = ""
    turn: Turn | None = None
    call: Told | None = None
    run: TaskRun | None = None


def named(contact: Contact | None) -> str:
    """A contact by name, else by number; "" for none."""
    if contact is None:
        return ""
    return contact.name or phone.national(phone.E164(contact.e164))


def title(conversation: Conversation, contact: Contact | None) -> str:
    """Who it is, as a person says it."""
    if contact is not None and contact.name:
        return contact.name
    if not conversation.sender:
        return "Hidden number"
    if conversation.sender.startswith("+"):
        return phone.national(phone.E164(conversation.sender))
    return conversation.sender


def reason(code: str) -> str:
    return REASONS.get(code, code.replace("_", " "))


def status(turn: Turn) -> tuple[str, str]:
    """What stands under a bubble and its kind; what was received needs no word."""
    if turn.status == "keys":
        return "keyed in", ""
    if turn.status == "sending":
        return "queued", ""
    if turn.status not in SHOWN_STATES:
        return "", ""
    return turn.status, "error" if turn.status in UNREAD_BY_THEM else ""


def timeline(told: Iterable[Told], chosen: Conversation, zone: tzinfo) -> list[Entry]:
    """Bubbles of texts and whole calls in the order of time, a line before each new day; `chosen`
    is the conversation that is looked at.
    """
    entries: list[Entry] = []
    for each in told:
        row = each.conversation
        other = title(row, None) if row.sender != chosen.sender else ""
        if row.channel is Channel.CALL:
            entries.append(Entry(row.id, row.opened_at, call=each, other=other))
        else:
            said = spoken_and_done(each.turns, each.runs)
            entries += [replace(entry, other=other) for entry in said] if other else said
    entries.sort(key=lambda entry: entry.at)
    return _with_days(entries, zone)


def _with_days(entries: list[Entry], zone: tzinfo) -> list[Entry]:
    lines: list[Entry] = []
    last = None
    for entry in entries:
        local = entry.at.astimezone(zone)
        if local.date() != last:
            last = local.date()
            name = f"{local:%A}, {local.day} {local:%B %Y}"
            lines.append(Entry(f"day-{last.isoformat()}", entry.at, day=name))
        lines.append(entry)
    return lines


def talked(told: Told) -> list[Entry]:
    """The spoken turns of a call and the tasks in it; notices are on the call's own page."""
    spoken = [turn for turn in told.turns if turn.speaker is not Speaker.NOTICE]
    return spoken_and_done(spoken, told.runs)


def spoken_and_done(turns: Iterable[Turn], runs: Iterable[TaskRun]) -> list[Entry]:
    """Turns and runs of tasks of one conversation in the order of time."""
    entries = [Entry(turn.id, turn.started_at, turn=turn) for turn in turns]
    entries += [Entry(run.id, run.confirmed_at or run.proposed_at, run=run) for run in runs]
    return sorted(entries, key=lambda entry: entry.at)
