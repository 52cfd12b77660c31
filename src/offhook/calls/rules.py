"""The decisions about calls, in the words of the rules; pure, with time as an argument.

Why a call is not answered and how the carrier is told (C1), the life of a call as a table, and
what a caller may cost us at once. Knows no database, no clock and no carrier.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from offhook.errors import Conflict
from offhook.prices import Direction

HEARTBEAT_S = 5
LEASE = timedelta(seconds=120)
NODE_SILENT_AFTER = timedelta(seconds=8)
ATTACH_WITHIN = timedelta(seconds=10)  # a stream's token is good for this long (SEC4)
MAX_ALONE_MINUTES = 15  # how long an unlimited call goes on while the ledger is away (UL13)

Signal = Literal["busy", "rejected"]


class CallState(StrEnum):
    REFUSED = "refused"
    DIALLING = "dialling"
    """We call: the carrier is being asked, or it rings (C8)."""
    ADMITTED = "admitted"
    LIVE = "live"
    TRANSFERRED = "transferred"
    """No media process carries it: the caller is being put through, or talks to a person (C6)."""
    ENDED = "ended"


class Happening(StrEnum):
    PICKED_UP = "picked_up"
    STREAM_OPENED = "stream_opened"
    LEG_LEFT = "leg_left"
    CAME_BACK = "came_back"
    HUNG_UP = "hung_up"


# The life of a call. What is not in the table cannot happen; a second end changes nothing.
TRANSITIONS: dict[tuple[CallState, Happening], CallState] = {
    (CallState.DIALLING, Happening.PICKED_UP): CallState.ADMITTED,
    (CallState.DIALLING, Happening.HUNG_UP): CallState.ENDED,
    (CallState.ADMITTED, Happening.STREAM_OPENED): CallState.LIVE,
    (CallState.ADMITTED, Happening.HUNG_UP): CallState.ENDED,
    (CallState.LIVE, Happening.LEG_LEFT): CallState.TRANSFERRED,
    (CallState.LIVE, Happening.HUNG_UP): CallState.ENDED,
    (CallState.TRANSFERRED, Happening.CAME_BACK): CallState.ADMITTED,
    (CallState.TRANSFERRED, Happening.HUNG_UP): CallState.ENDED,
    (CallState.ENDED, Happening.HUNG_UP): CallState.ENDED,
    (CallState.REFUSED, Happening.HUNG_UP): CallState.REFUSED,
}


class CallStateConflict(Conflict):
    code = "call_state_conflict"


def after(state: CallState, happening: Happening) -> CallState:
    """The state that follows; raises CallStateConflict where nothing may."""
    try:
        return TRANSITIONS[state, happening]
    except KeyError:
        raise CallStateConflict(
            f"A call that is {state.value} cannot be {happening.value.replace('_', ' ')}.",
            remedy="Nothing was changed.",
        ) from None


class Refusal(StrEnum):
    """Why an inbound call is not answered (C1)."""

    UNKNOWN_NUMBER = "unknown_number"
    DISABLED = "disabled"
    CALLS_OFF = "calls_off"
    AGENT_NOT_LIVE = "agent_not_live"
    SUSPENDED = "suspended"
    LIMIT_REACHED = "limit_reached"
    SPEND_CAP = "spend_cap"
    CALLER_LINES_FULL = "caller_lines_full"
    LINES_FULL = "lines_full"
    CLOSED = "closed"
    BLOCKED = "blocked"
    HIDDEN = "hidden"
    FALSE_NUMBER = "false_number"
    TOO_MANY_CALLS = "too_many_calls"
    NO_CAPACITY = "no_capacity"
    OUR_FAULT = "our_fault"


BUSY = frozenset(
    {
        Refusal.LIMIT_REACHED,
        Refusal.SPEND_CAP,
        Refusal.CALLER_LINES_FULL,
        Refusal.LINES_FULL,
        Refusal.NO_CAPACITY,
        Refusal.OUR_FAULT,
    }
)

SENTENCES: dict[Refusal, str] = {
    Refusal.UNKNOWN_NUMBER: "Nobody here has this number.",
    Refusal.DISABLED: "The number is disabled.",
    Refusal.CALLS_OFF: "Calls are switched off for this number.",
    Refusal.AGENT_NOT_LIVE: "The number's agent is not live.",
    Refusal.SUSPENDED: "The team is suspended.",
    Refusal.LIMIT_REACHED: "The monthly limit of call minutes is used up.",
    Refusal.SPEND_CAP: "The team's spend cap of this month is reached.",
    Refusal.CALLER_LINES_FULL: "The caller already had as many calls as they may at once.",
    Refusal.LINES_FULL: "The number had as many calls as it takes at once.",
    Refusal.CLOSED: "It was outside the number's hours.",
    Refusal.BLOCKED: "The caller's number is blocked.",
    Refusal.HIDDEN: "The caller hides their number, and such calls are not answered.",
    Refusal.FALSE_NUMBER: "The carriers found that the caller's number is not theirs.",
    Refusal.TOO_MANY_CALLS: "The caller has called too often within an hour.",
    Refusal.NO_CAPACITY: "All lines of this installation were in use.",
    Refusal.OUR_FAULT: "The agent's voice was not available.",
}


def signal_for(refusal: Refusal) -> Signal:
    """How the carrier is told: busy where trying again may help, rejected elsewhere."""
    return "busy" if refusal in BUSY else "rejected"


class End(StrEnum):
    """Why a call ended."""

    CALLER_HUNG_UP = "caller_hung_up"
    AGENT_HUNG_UP = "agent_hung_up"
    LIMIT_REACHED = "limit_reached"
    SPEND_CAP = "spend_cap"
    LEDGER_AWAY = "ledger_away"
    LONGEST_DURATION = "longest_duration"
    NUMBER_DISABLED = "number_disabled"
    SUSPENDED = "suspended"
    ENDED_BY_PERSON = "ended_by_person"
    SILENCE = "silence"
    NO_PART = "no_part"
    MACHINE = "machine"
    MEDIA_LOST = "media_lost"
    NEVER_CONNECTED = "never_connected"
    STOPPING = "stopping"
    TRANSFER_OVER = "transfer_over"
    TROUBLE = "trouble"
    CLOSED = "closed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    NO_CAPACITY = "no_capacity"
    NO_VOICE = "no_voice"
    CANCELLED = "cancelled"
    ANSWERED_BY_MACHINE = "answered_by_machine"
    MESSAGE_LEFT = "message_left"


END_SENTENCES: dict[End, str] = {
    End.CALLER_HUNG_UP: "The caller hung up.",
    End.AGENT_HUNG_UP: "The agent said goodbye and hung up.",
    End.LIMIT_REACHED: "The monthly limit of call minutes was reached.",
    End.SPEND_CAP: "The team's spend cap of this month was reached.",
    End.LEDGER_AWAY: "A fault on our side: no further minute could be reserved.",
    End.LONGEST_DURATION: "The call reached its longest duration.",
    End.NUMBER_DISABLED: "The number was disabled during the call.",
    End.SUSPENDED: "The team was suspended during the call.",
    End.ENDED_BY_PERSON: "A member of the team ended the call.",
    End.SILENCE: "The caller said nothing more.",
    End.NO_PART: "Nobody took part for three minutes: music, a recording, or a machine.",
    End.MACHINE: "The other side was a voice agent too, and the two went round in circles.",
    End.MEDIA_LOST: "The connection to the media process was lost.",
    End.NEVER_CONNECTED: "The caller was gone before the agent spoke.",
    End.STOPPING: "The installation was stopped during the call.",
    End.TROUBLE: "A technical problem kept the agent from going on.",
    End.CLOSED: "It was outside the number's hours.",
    End.TRANSFER_OVER: "The person whom the caller was put through to hung up.",
    End.BUSY: "The line was busy.",
    End.NO_ANSWER: "Nobody answered.",
    End.UNREACHABLE: "The number could not be reached.",
    End.NO_CAPACITY: "All lines of this installation were in use.",
    End.NO_VOICE: "The agent's voice was not available, so nobody was called.",
    End.CANCELLED: "It was ended before anybody answered.",
    End.ANSWERED_BY_MACHINE: "A machine answered.",
    End.MESSAGE_LEFT: "A message was left on a machine.",
}
OUTBOUND_SENTENCES: dict[End, str] = {
    End.CALLER_HUNG_UP: "They hung up.",
    End.SILENCE: "They said nothing more.",
    End.NEVER_CONNECTED: "They were gone before the agent spoke.",
    End.TRANSFER_OVER: "The person whom they were put through to hung up.",
}
"""Of calls that we started, whose other side is no caller."""
NOT_REACHED = frozenset(
    {End.BUSY, End.NO_ANSWER, End.UNREACHABLE, End.NO_CAPACITY, End.NO_VOICE, End.CANCELLED}
)
"""Ends of calls that nobody took."""
BEFORE_ANSWER = NOT_REACHED | {End.ANSWERED_BY_MACHINE}
"""Ends of calls that no agent had yet: a machine may be told of before the line is there."""


def end_sentence(reason: End, direction: Direction) -> str:
    """Why a call ended, for people."""
    ours = OUTBOUND_SENTENCES if direction is Direction.OUTBOUND else {}
    return ours.get(reason, END_SENTENCES[reason])


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of a call that may have died, by the database's clock.

    The first sign of life is the answer, or a transferred call's return.
    """

    state: CallState
    heartbeat_at: datetime


def is_stale(life: Life, now: datetime) -> bool:
    """No sign of life within the lease (UC3)."""
    over = life.state in {CallState.ENDED, CallState.REFUSED}
    return not over and now - life.heartbeat_at > LEASE
