"""The decisions about transfers, in the words of the rules; pure, with time as an argument.

What may be a target (SEC13), the life of a transfer as a table (C6, WT4), and what is due for a
call whose caller talks to a person (U4): nobody of us is on that line, so the carrier's own limit
stands at the end of the last granted minute while we go on asking for the next.
"""

from dataclasses import dataclass
from enum import StrEnum

from offhook.calls.meter import HANG_UP_MS, MINUTE_MS, NOTICE_MS
from offhook.calls.rules import End
from offhook.carriers import CallState
from offhook.errors import Conflict, Invalid
from offhook.phone import E164, is_costly, is_valid

MAX_RING_S = 25  # C6
MIN_RING_S = 5
ANNOUNCE_WAIT_S = 6  # for a key, after each of the two announcements
MAX_NAME_CHARACTERS = 80
MAX_TARGETS = 50
LAST_WORDS_MS = 10_000  # before the end: the sentence, and no more of the talk than it needs


class TransferState(StrEnum):
    LEAVING = "leaving"
    """The agent has said so; the call is on its way out of the media process."""
    RINGING = "ringing"
    ANSWERED = "answered"
    """Somebody or something picked up: not yet known to be a person who takes the call."""
    JOINED = "joined"
    ENDED = "ended"
    FAILED = "failed"


class Happening(StrEnum):
    DIALLED = "dialled"
    PICKED_UP = "picked_up"
    ACCEPTED = "accepted"
    """A person: by a key, or by their voice."""
    NOT_JOINED = "not_joined"
    OVER = "over"


_S, _H = TransferState, Happening
# The life of a transfer. What is not in the table changes nothing: callbacks come twice and late.
TRANSITIONS: dict[tuple[TransferState, Happening], TransferState] = {
    (_S.LEAVING, _H.DIALLED): _S.RINGING,
    (_S.LEAVING, _H.NOT_JOINED): _S.FAILED,
    (_S.RINGING, _H.PICKED_UP): _S.ANSWERED,
    (_S.RINGING, _H.ACCEPTED): _S.JOINED,
    (_S.RINGING, _H.NOT_JOINED): _S.FAILED,
    (_S.ANSWERED, _H.ACCEPTED): _S.JOINED,
    (_S.ANSWERED, _H.NOT_JOINED): _S.FAILED,
    (_S.JOINED, _H.OVER): _S.ENDED,
}
OPEN = frozenset({_S.LEAVING, _S.RINGING, _S.ANSWERED, _S.JOINED})


def after(state: TransferState, happening: Happening) -> TransferState:
    """The state that follows; the same where nothing does."""
    return TRANSITIONS.get((state, happening), state)


class Failure(StrEnum):
    """Why the caller was not put through."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    NOT_ACCEPTED = "not_accepted"
    UNREACHABLE = "unreachable"
    MACHINE = "machine"
    CALLER_GONE = "caller_gone"
    ENDED = "ended"


FAILURES: dict[Failure, str] = {
    Failure.BUSY: "The line of {name} was busy.",
    Failure.NO_ANSWER: "{name} did not answer.",
    Failure.NOT_ACCEPTED: "Nobody at {name} took the call.",
    Failure.UNREACHABLE: "{name} could not be reached.",
    Failure.MACHINE: "A machine answered at {name}.",
    Failure.CALLER_GONE: "The caller hung up before {name} was there.",
    Failure.ENDED: "The call was ended before {name} was there.",
}


def failure_of(
    state: TransferState, outcome: CallState, *, announced: bool, joined: bool
) -> Failure | None:
    """Why a leg that is over came to nothing; None where a person talked.

    `outcome` and `joined` are the carrier's words. To be joined is not enough where the call had
    to be accepted: a machine presses no key.
    """
    if state is TransferState.JOINED:
        return None
    if outcome is CallState.COMPLETED:
        return None if joined and not announced else Failure.NOT_ACCEPTED
    return _FAILURE_OF.get(outcome, Failure.UNREACHABLE)


_FAILURE_OF = {CallState.BUSY: Failure.BUSY, CallState.NO_ANSWER: Failure.NO_ANSWER}


class TargetRefused(Invalid):
    code = "transfer_target_refused"


class NotTransferable(Conflict):
    """The call cannot be put through now; the conversation goes on and says so."""

    code = "call_not_transferable"


def check_target(name: str, ring_s: int) -> str:
    """The name as it is kept. Raises TargetRefused."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_CHARACTERS:
        raise TargetRefused(
            f"A name has 1 to {MAX_NAME_CHARACTERS} characters.", remedy="Name the person or desk."
        )
    if not MIN_RING_S <= ring_s <= MAX_RING_S:
        raise TargetRefused(
            f"It can ring for {MIN_RING_S} to {MAX_RING_S} seconds, not for {ring_s}.",
            remedy=f"Choose {MAX_RING_S} or less: the caller waits meanwhile.",
        )
    return name


def check_number(e164: E164, *, own: bool) -> None:
    """Raises TargetRefused for what may not be called (SEC13).

    `own`: a number of the team itself, where the call would come back to where it is.
    """
    if own:
        raise TargetRefused(
            f"{e164} is a number of this team: the call would come back to it.",
            remedy="Take the person's own number.",
        )
    if not is_valid(e164):
        raise TargetRefused(f"{e164} is no number of any plan.", remedy="Check its digits.")
    if is_costly(e164):
        raise TargetRefused(
            f"{e164} is a premium or shared-cost number.",
            remedy="Take an ordinary number: calls to such ones are how lines are defrauded.",
        )


@dataclass(frozen=True, slots=True)
class Watched:
    """A call whose caller is put through, as far as its minutes go.

    `final`: why no further minute was granted, None while the next may be. `told`: the caller
    hears, or has heard, that the time is up.
    """

    granted: int
    limited: bool
    max_minutes: int
    final: End | None
    told: bool


@dataclass(frozen=True, slots=True)
class Renew:
    """Ask the ledger for minute `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class LastWords:
    """Take the caller out of the talk and say that the time is up."""

    reason: End


@dataclass(frozen=True, slots=True)
class HangUp:
    reason: End


Due = Renew | LastWords | HangUp


def due(call: Watched, elapsed_ms: int) -> Due | None:
    """What is to be done now, `elapsed_ms` after the answer (U4, UL5, UL14).

    A refused minute is asked for again until the last words (UL9). A call without a limit is not
    hung up because nobody of us was there to ask: its minutes are taken after the fact.
    """
    horizon_ms = call.granted * MINUTE_MS
    longest = call.granted >= call.max_minutes
    reason = End.LONGEST_DURATION if longest else call.final or End.LIMIT_REACHED
    if elapsed_ms >= horizon_ms - HANG_UP_MS and (call.limited or longest or call.final):
        return HangUp(reason)
    if longest or call.final:
        nearly_over = elapsed_ms >= horizon_ms - LAST_WORDS_MS
        if nearly_over:
            return None if call.told else LastWords(reason)
        if longest:
            return None
    if elapsed_ms >= horizon_ms - NOTICE_MS and not call.told:
        return Renew(call.granted)
    return None


def wall_s(granted: int) -> int:
    """When the carrier itself is to end a limited call, in seconds after its answer (U4)."""
    return (granted * MINUTE_MS - HANG_UP_MS) // 1000
