"""The life of a message, when a thread is answered, and what is said of one that is not. Pure.

    draft    --written-->   queued    the reply's unit is held, the model is asked
    draft    --withdrawn--> withdrawn nothing was written; the unit is given back
    queued   --claimed-->   sending   about to be handed to the carrier
    queued   --withdrawn--> withdrawn the number was switched off meanwhile (N9)
    sending  --withdrawn--> withdrawn the carrier does not have it, and it is not to be sent
    sending  --news-->      sent | delivered | undelivered | failed
    sent     --news-->      delivered | undelivered | failed

States only move forward; the first final one wins, and a later contradiction is kept beside it
(S6). What was received has no life: its state is `received`.
"""

from dataclasses import dataclass
from enum import StrEnum

from offhook.carriers import MessageState

OVERDUE_S = 20
"""An endless burst is answered after this long all the same (S3)."""
GIVEN_UP_AFTER_S = 3_600
"""A text that the carrier would not take for this long has failed."""


class State(StrEnum):
    DRAFT = "draft"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    RECEIVED = "received"


NEXT: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.QUEUED, State.WITHDRAWN}),
    State.QUEUED: frozenset({State.SENDING, State.WITHDRAWN, State.FAILED}),
    State.SENDING: frozenset(
        {State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED, State.WITHDRAWN}
    ),
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED}),
    State.DELIVERED: frozenset(),
    State.UNDELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.RECEIVED: frozenset(),
}
FINAL = frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED})

TOLD: dict[MessageState, State] = {
    MessageState.QUEUED: State.SENDING,
    MessageState.SENDING: State.SENDING,
    MessageState.SENT: State.SENT,
    MessageState.DELIVERED: State.DELIVERED,
    MessageState.UNDELIVERED: State.UNDELIVERED,
    MessageState.FAILED: State.FAILED,
    MessageState.CANCELED: State.FAILED,
    MessageState.RECEIVED: State.DELIVERED,
}
"""The carrier's word and ours; to a number of its own a text is `received`, which is delivered."""


@dataclass(frozen=True, slots=True)
class Move:
    """What news means: a new state, or a contradiction to keep, or nothing (both None)."""

    state: State | None = None
    contradiction: State | None = None


def move(current: State, told: State) -> Move:
    """What becomes of a message in `current` when the carrier says `told` (S6, SEC2).

    News of the same state, of an earlier one, or about a text that was never handed over changes
    nothing; another final state than the one that stands is kept beside it.
    """
    if told in NEXT[current] and current in {State.SENDING, State.SENT}:
        return Move(state=told)
    if current in FINAL and told in FINAL and told is not current:
        return Move(contradiction=told)
    return Move()


class Kind(StrEnum):
    """Why we sent a text. A QUESTION is the reply that asks whether to stop (SEC18); a CONFIRMATION
    (STOP, START, HELP) never counts (UT9).
    """

    REPLY = "reply"
    QUESTION = "question"
    BY_HAND = "by_hand"
    TASK = "task"
    CONFIRMATION = "confirmation"
    CODE = "code"
    """Proves a number (SEC10); its thread shows that one was sent, not which."""


class Outcome(StrEnum):
    """What becomes of a text that came in; all but WAITING are final."""

    WAITING = "waiting"
    ANSWERED = "answered"
    KEYWORD = "keyword"
    REACTION = "reaction"
    KEPT = "kept"


class Why(StrEnum):
    """Why a text that came in was kept and not answered."""

    LIMIT_REACHED = "limit_reached"
    SPEND_CAP = "spend_cap"
    DISABLED = "disabled"
    SUSPENDED = "suspended"
    SERVICE_OFF = "service_off"
    AGENT_NOT_LIVE = "agent_not_live"
    OPTED_OUT = "opted_out"
    BLOCKED = "blocked"
    ERASED = "erased"
    COUNTRY = "country_not_answered"
    SENDER_BRAKE = "sender_brake"
    BLOCK_BRAKE = "block_brake"
    LOOP = "loop"
    NO_REPLY_POSSIBLE = "no_reply_possible"
    NOTHING_TO_SAY = "nothing_to_say"
    TAKEN_OVER = "taken_over"


NOTES: dict[Why, str] = {
    Why.LIMIT_REACHED: "Limit reached, not answered",
    Why.SPEND_CAP: "Spend cap reached, not answered",
    Why.DISABLED: "Received while disabled",
    Why.SUSPENDED: "Received while suspended",
    Why.SERVICE_OFF: "Received while SMS was off",
    Why.AGENT_NOT_LIVE: "Received while the agent was not live",
    Why.OPTED_OUT: "Not answered: this sender has opted out",
    Why.ERASED: "Not answered: the contact was erased",
    Why.BLOCKED: "Not answered: this number is blocked",
    Why.COUNTRY: "Not answered: texts from this country are not answered",
    Why.SENDER_BRAKE: "Not answered: this sender gets no more replies for now",
    Why.BLOCK_BRAKE: "Not answered: too many new senders of one block of numbers",
    Why.LOOP: "Not answered: two machines seem to text each other",
    Why.NO_REPLY_POSSIBLE: "Not answered: this sender takes no replies",
    Why.NOTHING_TO_SAY: "Not answered",
    Why.TAKEN_OVER: "Left to a person",
}

NOT_SENT: dict[Why, str] = {
    Why.DISABLED: "Not sent: the number was disabled",
    Why.SUSPENDED: "Not sent: the team was suspended",
    Why.SERVICE_OFF: "Not sent: SMS was switched off",
    Why.AGENT_NOT_LIVE: "Not sent: the agent was not live",
    Why.OPTED_OUT: "Not sent: this recipient has opted out",
    Why.BLOCKED: "Not sent: this number is blocked",
    Why.TAKEN_OVER: "Not sent: a person took over",
}
"""What is said of a text of ours that was withdrawn."""


class Step(StrEnum):
    """What a job that was started for one text does about its thread."""

    ANSWER = "answer"
    LEAVE = "leave"
    NOTHING = "nothing"


def step(*, waiting: int, newer_than_mine: bool, oldest_waiting_s: float) -> Step:
    """Whether the job answers its thread now, or leaves it to the job of a newer text (S3).

    Every text starts a job after the settle time. If a newer text has come meanwhile, that one's
    job answers all; unless the burst has lasted for 20 s, then it is answered all the same.
    """
    if waiting == 0:
        return Step.NOTHING
    if newer_than_mine and oldest_waiting_s < OVERDUE_S:
        return Step.LEAVE
    return Step.ANSWER


def superseded(*, came_meanwhile: bool, oldest_waiting_s: float) -> bool:
    """Whether a reply is thrown away because a text came while it was written (S3, SM7).

    In an endless burst it is sent, and the newer texts get a second one that knows both.
    """
    return came_meanwhile and oldest_waiting_s < OVERDUE_S
