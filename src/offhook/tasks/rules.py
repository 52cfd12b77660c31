"""What may run, when, and what counts as a yes (T1, T3, T4, SEC9, SEC10). Pure.

proposed  --confirm-->  confirmed  --claim-->  running  --finish-->  completed | failed
proposed  --drop-->     dropped    confirmed --fail--> failed        running --claim--> running

Confirmed means that surely nothing was sent; running, that it may have been.
"""

from dataclasses import dataclass
from enum import StrEnum


class RunState(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    DROPPED = "dropped"


class RunStep(StrEnum):
    CONFIRM = "confirm"
    DROP = "drop"
    CLAIM = "claim"
    COMPLETE = "complete"
    FAIL = "fail"


NEXT: dict[tuple[RunState, RunStep], RunState] = {
    (RunState.PROPOSED, RunStep.CONFIRM): RunState.CONFIRMED,
    (RunState.PROPOSED, RunStep.DROP): RunState.DROPPED,
    (RunState.CONFIRMED, RunStep.CLAIM): RunState.RUNNING,
    (RunState.CONFIRMED, RunStep.COMPLETE): RunState.COMPLETED,
    (RunState.CONFIRMED, RunStep.FAIL): RunState.FAILED,
    (RunState.RUNNING, RunStep.CLAIM): RunState.RUNNING,
    (RunState.RUNNING, RunStep.COMPLETE): RunState.COMPLETED,
    (RunState.RUNNING, RunStep.FAIL): RunState.FAILED,
}
UNDER_WAY = frozenset({RunState.CONFIRMED, RunState.RUNNING})
OVER = frozenset({RunState.COMPLETED, RunState.FAILED})
MAX_ATTEMPTS = 3
UNKNOWN_OUTCOME = "outcome_unknown"
"""The error of a run that may have been done: nobody knows."""
SILENT = frozenset({"timeout", "not_reached", "mail_uncertain", "fault"})
"""Errors after which the other side may have done it all the same."""


class Effect(StrEnum):
    """What a task does to the world."""

    READ = "read"
    """Looks something up."""
    RECORD = "record"
    """Marks the conversation for the team; nobody else notices."""
    ACT = "act"
    """Changes something: books, orders, puts the call through."""
    REACH_OUT = "reach_out"
    """Writes to somebody."""


class Trust(StrEnum):
    """What is known of the other side's number. It never proves who they are (SEC10)."""

    HIDDEN = "hidden"
    FAILED = "failed"
    """The carrier found that the number is not theirs."""
    UNKNOWN = "unknown"
    """Nothing was attested: most of the world."""
    GATEWAY = "C"
    PARTIAL = "B"
    FULL = "A"


class Verdict(StrEnum):
    ALLOW = "allow"
    CONFIRM = "confirm"
    DENY = "deny"


ALL = tuple(Trust)
REACHABLE = (Trust.UNKNOWN, Trust.GATEWAY, Trust.PARTIAL, Trust.FULL)
MATRIX: dict[tuple[Trust, Effect], Verdict] = (
    {(trust, Effect.READ): Verdict.ALLOW for trust in ALL}
    | {(trust, Effect.RECORD): Verdict.ALLOW for trust in ALL}
    | {(trust, Effect.ACT): Verdict.CONFIRM for trust in ALL}
    | {(trust, Effect.REACH_OUT): Verdict.DENY for trust in (Trust.HIDDEN, Trust.FAILED)}
    | {(trust, Effect.REACH_OUT): Verdict.CONFIRM for trust in REACHABLE}
    | {(Trust.FULL, Effect.REACH_OUT): Verdict.ALLOW}
)
"""SEC10: attestation × class of a task that touches nobody's own data."""


def trust(number: str, attestation: str) -> Trust:
    """Of a caller's or texter's number as the carrier gave it; `attestation` is A, B, C,
    `failed-…` or "".
    """
    if not number:
        return Trust.HIDDEN
    if attestation.startswith("failed"):
        return Trust.FAILED
    return Trust(attestation) if attestation in {"A", "B", "C"} else Trust.UNKNOWN


def verdict(held: Trust, effect: Effect, *, personal: bool, proven: bool) -> Verdict:
    """Whether it may run: personal data needs a second factor whatever is attested (SEC10)."""
    allowed = MATRIX[held, effect]
    if not personal or allowed is Verdict.DENY:
        return allowed
    # A proof is the second factor: the number has to be the first.
    return allowed if proven and held in REACHABLE else Verdict.DENY


@dataclass(frozen=True, slots=True)
class Budget:
    """Of one conversation within a day (T4)."""

    runs: int = 20
    reach_outs: int = 5
    proposals: int = 60


BUDGET = Budget()


MAX_MONEY = 1_000_000
DEFAULT_MONEY = 500


@dataclass(frozen=True, slots=True)
class Total:
    """What the amounts of one task have come to in the conversation, this one among them."""

    money: float = 0.0
    most: float = DEFAULT_MONEY


def over_budget(
    *,
    of_task: int,
    of_all: int,
    reaching: int,
    proposed: int,
    max_runs: int,
    effect: Effect,
    total: Total = Total(),
) -> str:
    """Which budget does not allow another run, as a sentence that can be said; "" for none."""
    if total.money > total.most:
        return f"I may agree to no more than {total.most:,.2f} in one conversation."
    if of_task >= max_runs or of_all >= BUDGET.runs or proposed >= BUDGET.proposals:
        return "I have done that as often as I may in one conversation."
    if effect is Effect.REACH_OUT and reaching >= BUDGET.reach_outs:
        return "I have sent as many messages as I may in one conversation."
    return ""
