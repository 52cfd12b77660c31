"""What follows when the carrier's records and ours disagree (UC4 to UC7); pure.

A day is a UTC day, as carriers' lists are. Ours bills the customer and theirs is cost, so the
customer pays the lower of the two; a call that only they know was answered by us and is charged; a
call that they do not know after 72 h is given back. Knows no database, no carrier and no clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from offhook.calls import CallKept
from offhook.carriers import CallRecord, Direction, Message, MessageState
from offhook.messages import MessageKept
from offhook.usage import Service, Units, started_minutes

TOLERANCE_S = 2.0  # clocks and signalling; not worth a word (UC4)
PATIENCE = timedelta(hours=72)  # so late may a carrier's record be (UC6)
FIRST_CHECK = timedelta(hours=1)  # after the day's end: its last calls are over
AGAIN = timedelta(hours=24)
NOTHING = Units(0, 0)


class Kind(StrEnum):
    """How the two disagree."""

    SHORTER = "shorter"
    LONGER = "longer"
    LENGTH = "length"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    REFUSED_HERE = "refused_here"
    STATE = "state"
    SEGMENTS = "segments"


KIND_SENTENCES: dict[Kind, str] = {
    Kind.SHORTER: "The carrier counted fewer minutes.",
    Kind.LONGER: "The carrier counted more minutes.",
    Kind.LENGTH: "The lengths differ, the minutes do not.",
    Kind.MISSING_HERE: "Only the carrier has it.",
    Kind.MISSING_THERE: "The carrier does not have it.",
    Kind.REFUSED_HERE: "The carrier says it was answered; we refused it.",
    Kind.STATE: "The carrier tells another end.",
    Kind.SEGMENTS: "The segments differ.",
}


class Action(StrEnum):
    """What was done about it; the first three are open."""

    NONE = "none"
    WAITING = "waiting"
    AGREES = "agrees"
    TAKEN_BACK = "taken_back"
    CHARGED = "charged"
    FETCHED = "fetched"
    UPDATED = "updated"
    CORRECTED = "corrected"

    @property
    def is_done(self) -> bool:
        return self not in {Action.NONE, Action.WAITING, Action.AGREES}


ACTION_SENTENCES: dict[Action, str] = {
    Action.NONE: "Nothing: what we counted stands.",
    Action.WAITING: "Waiting for the carrier's record, 72 hours at most.",
    Action.AGREES: "Nothing: the carrier's record came and agrees.",
    Action.TAKEN_BACK: "Taken back, so that the lower of the two is charged.",
    Action.CHARGED: "Charged by the carrier's record.",
    Action.FETCHED: "Fetched from the carrier's list.",
    Action.UPDATED: "The carrier's word was taken over.",
    Action.CORRECTED: "Corrected by hand.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement and what is to be done. `ours` and `theirs` are minutes, or segments.

    `keep`: with TAKEN_BACK, how many units are left to the customer.
    """

    service: Service
    kind: Kind
    action: Action
    carrier_id: str
    subject_id: str
    ours: int
    theirs: int
    ours_s: float = 0.0
    theirs_s: float = 0.0
    keep: int = 0


def day_of(at: datetime) -> date:
    return at.astimezone(UTC).date()


def span(day: date) -> tuple[datetime, datetime]:
    """The day's first instant, and the next day's."""
    start = datetime.combine(day, time(0), UTC)
    return start, start + timedelta(days=1)


def checks(day: date) -> list[datetime]:
    """When a day is compared: soon after its end, each day, and for the last time (UC7)."""
    end = span(day)[1]
    return [end + FIRST_CHECK + n * AGAIN for n in range(3)] + [end + PATIENCE]


def is_due(day: date, checked_at: datetime | None, now: datetime) -> bool:
    """Whether a check's time has come since the last one was made."""
    passed = [check for check in checks(day) if check <= now]
    return bool(passed) and (checked_at is None or checked_at < passed[-1])


def is_final(day: date, checked_at: datetime) -> bool:
    """Whether a check at that time was the day's last."""
    return checked_at >= checks(day)[-1]


def compare_call(
    ours: CallKept | None, billed: Units, theirs: CallRecord | None, now: datetime
) -> Finding | None:
    """One call (UC4, UC5, UC6); None: they agree, or it is too early to say."""
    if ours is None:
        return _only_theirs(theirs) if theirs else None
    if not ours.is_over or (theirs is not None and not theirs.state.final):
        return None
    if not ours.answered:
        return _refused_here(ours, theirs) if theirs is not None and theirs.answered else None
    if theirs is None:
        return _only_ours(ours, billed, now)
    return _lengths(ours, billed, theirs)


def _only_theirs(theirs: CallRecord) -> Finding | None:
    """UC5: answered by us, so charged; what was not answered costs nobody."""
    if not theirs.answered:
        return None
    minutes = started_minutes(theirs.duration_s)
    return Finding(
        Service.CALLS, Kind.MISSING_HERE, Action.CHARGED, theirs.carrier_id, theirs.carrier_id,
        ours=0, theirs=minutes, theirs_s=theirs.duration_s,
    )  # fmt: skip


def _refused_here(ours: CallKept, theirs: CallRecord) -> Finding:
    return Finding(
        Service.CALLS, Kind.REFUSED_HERE, Action.NONE, ours.carrier_id, ours.call_id,
        ours=0, theirs=started_minutes(theirs.duration_s), theirs_s=theirs.duration_s,
    )  # fmt: skip


def _only_ours(ours: CallKept, billed: Units, now: datetime) -> Finding:
    """UC6: given back once the carrier's record is 72 h late."""
    action = Action.WAITING
    if now - ours.at >= PATIENCE:
        action = Action.TAKEN_BACK if billed.net else Action.NONE
    return Finding(
        Service.CALLS, Kind.MISSING_THERE, action, ours.carrier_id, ours.call_id,
        ours=billed.posted, theirs=0, ours_s=ours.seconds,
    )  # fmt: skip


def _lengths(ours: CallKept, billed: Units, theirs: CallRecord) -> Finding | None:
    """UC4. What is billed can be less than what was spoken: then that is the lower one. Whether
    it was answered at all is no matter of clocks, however short the call.
    """
    theirs_s = float(theirs.duration_s if theirs.answered else 0)
    if theirs.answered and abs(ours.seconds - theirs_s) <= TOLERANCE_S:
        return None
    spoken = started_minutes(ours.seconds)
    minutes = started_minutes(theirs_s) if theirs_s else 0
    kind = Kind.LENGTH
    if minutes != spoken:
        kind = Kind.SHORTER if minutes < spoken else Kind.LONGER
    lower = minutes < billed.net
    return Finding(
        Service.CALLS, kind, Action.TAKEN_BACK if lower else Action.NONE, ours.carrier_id,
        ours.call_id, ours=billed.posted, theirs=minutes, ours_s=ours.seconds, theirs_s=theirs_s,
        keep=min(minutes, billed.net),
    )  # fmt: skip


def compare_message(
    ours: MessageKept | None, theirs: Message | None, now: datetime
) -> Finding | None:
    """One message; None: they agree, or it is too early to say."""
    if ours is None:
        return _only_their_message(theirs) if theirs else None
    if theirs is None:
        action = Action.WAITING
        if now - ours.at >= PATIENCE:
            action = Action.TAKEN_BACK if ours.counted else Action.NONE
        return Finding(
            Service.SMS, Kind.MISSING_THERE, action, ours.carrier_id, ours.message_id,
            ours=ours.segments, theirs=0,
        )  # fmt: skip
    about = (ours.carrier_id, ours.message_id)
    if not ours.inbound and not ours.is_final and _ended(theirs):
        return Finding(
            Service.SMS, Kind.STATE, Action.UPDATED, *about,
            ours=ours.segments, theirs=theirs.segments,
        )  # fmt: skip
    if ours.segments != theirs.segments:
        return Finding(
            Service.SMS, Kind.SEGMENTS, Action.NONE, *about,
            ours=ours.segments, theirs=theirs.segments,
        )  # fmt: skip
    return None


def _only_their_message(theirs: Message) -> Finding:
    """What came in is fetched; what went out of the account was not sent by us."""
    inbound = theirs.direction is Direction.INBOUND
    return Finding(
        Service.SMS, Kind.MISSING_HERE, Action.FETCHED if inbound else Action.NONE,
        theirs.carrier_id, "", ours=0, theirs=theirs.segments,
    )  # fmt: skip


def _ended(theirs: Message) -> bool:
    ends = {MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.FAILED}
    return theirs.state in ends


@dataclass(slots=True)
class Side:
    """What one side counted on a number's day. Calls are the answered ones."""

    calls: int = 0
    minutes: int = 0
    messages: int = 0
    segments: int = 0


@dataclass(slots=True)
class Totals:
    """Both sides of a number's day, and what the carrier charges us for it (UC7)."""

    ours: Side
    theirs: Side
    cost_micros: int = 0
    currency: str = ""
    unpriced: int = 0

    def charge(self, record: CallRecord | Message) -> None:
        """Cost in the first currency seen; what has no price yet is counted."""
        if record.price_micros is None:
            self.unpriced += 1
            return
        self.currency = self.currency or record.currency
        self.cost_micros += record.price_micros


def our_side(
    calls: Iterable[CallKept], billed: Mapping[str, Units], messages: Iterable[MessageKept]
) -> dict[str, Side]:
    """By number id."""
    sides: dict[str, Side] = {}
    for call in calls:
        if call.answered and call.is_over:
            count(sides, call.number_id, billed.get(call.call_id, NOTHING))
    for message in messages:
        side = sides.setdefault(message.number_id, Side())
        side.messages += 1
        side.segments += message.segments
    return sides


def count(sides: dict[str, Side], number_id: str, billed: Units) -> None:
    """One answered call more."""
    side = sides.setdefault(number_id, Side())
    side.calls += 1
    side.minutes += billed.net


def their_side(records: Sequence[tuple[str, CallRecord | Message]]) -> dict[str, Totals]:
    """By number id, of which each record is told; our own side is still empty."""
    totals: dict[str, Totals] = {}
    for number_id, record in records:
        total = totals.setdefault(number_id, Totals(Side(), Side()))
        if isinstance(record, Message):
            total.theirs.messages += 1
            total.theirs.segments += record.segments
            total.charge(record)
        elif record.parent_id:
            total.charge(record)  # a transfer's second leg is cost, no minute (UM9)
        elif record.answered:
            total.theirs.calls += 1
            total.theirs.minutes += started_minutes(record.duration_s)
            total.charge(record)
    return totals
