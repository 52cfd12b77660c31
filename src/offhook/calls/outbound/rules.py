"""The decisions about calls that we start, in the words of the rules; pure, time is an argument.

When somebody may be called (SEC19), what speaks against a call (C8, S4, SEC12, SEC13), what an
answering machine gets, and what a call came to that nobody took. Knows no database and no carrier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from offhook.calls.rules import End
from offhook.carriers import AnsweredBy, CallState, Detection
from offhook.errors import Conflict, Invalid
from offhook.phone import E164, country_of, is_costly, is_valid, national

RING_S = 30
GIVE_UP_S = 30  # after which a carrier that cannot be reached is not asked any more
MAX_MESSAGE_CHARACTERS = 600
MAX_OPENING_CHARACTERS = 400
MAX_DAILY = 10_000
DAILY_CALLS = 100
MAX_PER_CONTACT = 100
PER_CONTACT = 5
"""Calls, and texts, that one person gets from us in a day (SEC12)."""
OPENING = "Hello, this is {agent}, an automated assistant."
LOOK_AHEAD = timedelta(hours=30)
STEP = timedelta(minutes=15)


class Machine(StrEnum):
    """What is done when a machine answers."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"
    GO_ON = "go_on"


DETECTION: dict[Machine, Detection | None] = {
    Machine.HANG_UP: Detection.START,
    Machine.LEAVE_MESSAGE: Detection.MESSAGE_END,
    Machine.GO_ON: None,
}


class Answer(StrEnum):
    """What is done once the carrier has listened to who answered."""

    NOTHING = "nothing"
    HANG_UP = "hang_up"
    SPEAK = "speak"
    """The beep was heard: the message is left now, and then we hang up."""


def answer_to(policy: Machine, answered_by: AnsweredBy) -> Answer:
    """A fax is never talked to; a machine whose beep has not come yet is waited for."""
    if policy is Machine.GO_ON or answered_by in {AnsweredBy.HUMAN, AnsweredBy.UNKNOWN}:
        return Answer.NOTHING
    if policy is Machine.HANG_UP or answered_by is AnsweredBy.FAX:
        return Answer.HANG_UP
    return Answer.SPEAK if answered_by is AnsweredBy.MACHINE_END else Answer.NOTHING


ANSWERED_BY: dict[AnsweredBy, str] = {
    AnsweredBy.HUMAN: "A person",
    AnsweredBy.MACHINE: "A machine",
    AnsweredBy.MACHINE_END: "A machine",
    AnsweredBy.FAX: "A fax",
    AnsweredBy.UNKNOWN: "Not known",
}
"""Who took a call, as the carrier heard it; of whom it could not tell we think as of a person."""

ENDS: dict[CallState, End] = {
    CallState.BUSY: End.BUSY,
    CallState.NO_ANSWER: End.NO_ANSWER,
    CallState.FAILED: End.UNREACHABLE,
    CallState.CANCELED: End.CANCELLED,
    CallState.COMPLETED: End.UNREACHABLE,
}
"""What a call came to that ended, by the carrier's word, before we knew of its answer."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When people may be called, at their own place: from `opens` until `closes`, every day."""

    opens: time = time(8)
    closes: time = time(21)

    def holds(self, local: time) -> bool:
        return self.opens <= local < self.closes


def is_quiet(hours: Hours, zones: Sequence[str], at: datetime) -> bool:
    """Whether it is too early or too late in any zone that the number may be in (SEC19)."""
    return not all(hours.holds(at.astimezone(ZoneInfo(zone)).time()) for zone in zones)


def opens_at(hours: Hours, zones: Sequence[str], at: datetime) -> datetime | None:
    """The next quarter of an hour in which nobody sleeps; None where there is none in a day."""
    ahead = at.replace(minute=0, second=0, microsecond=0)
    end = at + LOOK_AHEAD
    while ahead < end:
        if ahead > at and not is_quiet(hours, zones, ahead):
            return ahead
        ahead += STEP
    return None


class Against(StrEnum):
    """What speaks against a call."""

    DISABLED = "disabled"
    SERVICE_OFF = "service_off"
    AGENT_NOT_LIVE = "agent_not_live"
    SUSPENDED = "suspended"
    NO_NUMBER = "no_number"
    OWN_NUMBER = "own_number"
    PREMIUM = "premium"
    COUNTRY = "country"
    OPTED_OUT = "opted_out"
    BLOCKED = "blocked"
    QUIET_HOURS = "quiet_hours"
    DAILY_CAP = "daily_cap"
    CONTACT_CAP = "contact_cap"
    LINES_FULL = "lines_full"
    NUMBER_LINES_FULL = "number_lines_full"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that is asked before somebody is called. `number_stops`: why the number makes no calls.

    `countries` are those that may be called; `today` counts the calls that the number began today,
    `to_them` those that any number of the team began to this person, `lines` those with this other
    side now, `all_lines` those with anybody.
    """

    to: E164
    number_stops: Against | None
    own: bool
    countries: frozenset[str]
    opted_out: bool
    blocked: bool
    quiet: bool
    today: int
    daily: int
    to_them: int
    per_contact: int
    lines: int
    max_lines: int
    all_lines: int
    max_all_lines: int | None


def against(asked: Situation) -> list[Against]:
    """Everything that speaks against the call, at once; empty when nothing does."""
    found = [asked.number_stops] if asked.number_stops else []
    if not is_valid(asked.to):
        found.append(Against.NO_NUMBER)
    elif asked.own:
        found.append(Against.OWN_NUMBER)
    elif is_costly(asked.to):
        found.append(Against.PREMIUM)
    elif country_of(asked.to) not in asked.countries:
        found.append(Against.COUNTRY)
    found += [
        reason
        for holds, reason in (
            (asked.opted_out, Against.OPTED_OUT),
            (asked.blocked, Against.BLOCKED),
            (asked.quiet, Against.QUIET_HOURS),
            (asked.today >= asked.daily, Against.DAILY_CAP),
            (asked.to_them >= asked.per_contact, Against.CONTACT_CAP),
            (asked.lines >= asked.max_lines, Against.LINES_FULL),
            (_is_full(asked.all_lines, asked.max_all_lines), Against.NUMBER_LINES_FULL),
        )
        if holds
    ]
    return found


def _is_full(lines: int, most: int | None) -> bool:
    return most is not None and lines >= most


class CallNotStarted(Conflict):
    """Nobody was called; `errors` name everything that speaks against it."""

    code = "call_not_started"


class RulesInvalid(Invalid):
    """A number's rules for calls that it starts cannot be kept as they were written."""

    code = "outbound_rules_invalid"


class MessageInvalid(Invalid):
    code = "call_message_invalid"


def sentences(found: Sequence[Against], to: E164, opens: str) -> list[tuple[Against, str]]:
    """Each reason in words; `opens` is when it is no longer too early or too late, if ever."""
    who = national(to)
    again = f" They can be called from {opens}." if opens else ""
    words = {
        Against.DISABLED: "The number is disabled.",
        Against.SERVICE_OFF: "Calls are switched off for this number.",
        Against.AGENT_NOT_LIVE: "The number's agent is not live.",
        Against.SUSPENDED: "The team is suspended.",
        Against.NO_NUMBER: f"{who} is no number of any plan.",
        Against.OWN_NUMBER: f"{who} is a number of this team.",
        Against.PREMIUM: f"{who} is a premium or shared-cost number; such ones are never called.",
        Against.COUNTRY: f"This number may not call {country_of(to) or 'the country'} of {who}.",
        Against.OPTED_OUT: f"{who} asked not to be contacted by this number.",
        Against.BLOCKED: f"{who} is blocked.",
        Against.QUIET_HOURS: f"It is too early or too late where {who} is.{again}",
        Against.DAILY_CAP: "The number has made all the calls that it may make today.",
        Against.CONTACT_CAP: f"{who} was called as often as one person may be called in a day.",
        Against.NUMBER_LINES_FULL: "All lines of the number are in use.",
        Against.LINES_FULL: f"{who} is being called, or in a call with this number.",
    }
    return [(reason, words[reason]) for reason in found]


def clean_message(text: str, most: int) -> str:
    """Words that an agent says, on one line. Raises MessageInvalid."""
    said = " ".join(text.replace("\x00", "").split())
    if len(said) > most:
        raise MessageInvalid(
            f"The message has {len(said):,} characters.", remedy=f"Use at most {most:,}."
        )
    return said


def first_words(opening: str, agent: str, message: str) -> str:
    """What who answers hears first: the opening line, then what the call is about."""
    line = (opening or OPENING).replace("{agent}", agent)
    return f"{line} {message}".strip()
