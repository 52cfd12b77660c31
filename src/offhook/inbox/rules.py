"""The life of a conversation, and what of a text is kept. Pure.

call  LIVE --close--> CLOSED          NOT_ANSWERED has no life: it is written once (C1)
sms   OPEN --close--> CLOSED --reopen--> OPEN (S8)
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from offhook.inbox.models import Channel, Speaker, State

MAX_TURN_BYTES = 4_096
"""SEC26: a turn of a transcript."""
PREVIEW_CHARACTERS = 140
MAX_REASON_CHARACTERS = 200
MAX_AUTHOR_CHARACTERS = 200
MAX_LABEL = 30
MAX_LABELS = 20
MAX_SNOOZE = timedelta(days=365)
EVENING, MORNING = time(18), time(9)
SOON = timedelta(hours=1)

UNREAD_BY_THEM = frozenset({"failed", "undelivered", "withdrawn"})
"""The states of a text of ours that did not reach the other side: to them it was not said."""

CLOSES: frozenset[State] = frozenset({State.LIVE, State.OPEN})
REOPENS: frozenset[tuple[Channel, State]] = frozenset({(Channel.SMS, State.CLOSED)})
FIRST: dict[Channel, State] = {Channel.CALL: State.LIVE, Channel.SMS: State.OPEN}


def storable(text: str) -> str:
    """`text` as PostgreSQL can keep it, at most 4 kB: no zero byte, no half of a pair (SM8)."""
    mended = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    octets = mended.encode("utf-8", "replace")[:MAX_TURN_BYTES]
    return octets.decode("utf-8", "ignore")


def preview(text: str, *, media: int = 0) -> str:
    """One line for the list."""
    line = " ".join(text.split())
    if not line and media:
        return "Picture" if media == 1 else f"{media} pictures"
    return line if len(line) <= PREVIEW_CHARACTERS else line[: PREVIEW_CHARACTERS - 1] + "…"


def reason(text: str) -> str:
    """Why a person is needed, in one line that fits its column; never empty."""
    line = " ".join(storable(text).split()) or "A person is needed."
    return line if len(line) <= MAX_REASON_CHARACTERS else line[: MAX_REASON_CHARACTERS - 1] + "…"


def is_heard(speaker: Speaker) -> bool:
    """What the other side said waits to be read and ends a snooze (I6); our own turns do not."""
    return speaker is Speaker.CALLER


def clean_label(text: str) -> str:
    """A label as it is kept: one line without control characters; "" if it is none."""
    line = " ".join(text.split())
    return line if line.isprintable() and len(line) <= MAX_LABEL else ""


@dataclass(frozen=True, slots=True)
class Later:
    """A time that is offered for a snooze, and its name."""

    name: str
    at: datetime


def laters(now: datetime, zone: ZoneInfo) -> list[Later]:
    """When somebody may want to see a conversation again: by the clock on the team's wall."""
    local = now.astimezone(zone)
    evening = datetime.combine(local.date(), EVENING, zone)
    tomorrow = datetime.combine(local.date() + timedelta(days=1), MORNING, zone)
    monday = datetime.combine(local.date() + timedelta(days=7 - local.weekday()), MORNING, zone)
    offered = [Later("In an hour", now + SOON)]
    if evening > local + SOON:
        offered.append(Later("This evening, 18:00", evening))
    offered.append(Later("Tomorrow, 9:00", tomorrow))
    if monday > tomorrow:
        offered.append(Later("Monday, 9:00", monday))
    return offered
