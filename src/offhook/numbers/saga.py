"""Buying a number as a saga (A5): what happened goes in, what to do next comes out. Pure.

Forward: hold the money, buy at the carrier with our order tag, write the number down, set its
callbacks, take the money. Where the card's bank asks its owner first (3-D Secure), the purchase
waits in `authenticating`, with nothing held, and looks again. Backward, from wherever it fails:
give the number back, let the money go. Every command may be repeated, so a purchase that was killed
goes on from its stored state and ends either completed or failed: never money without a number,
never a number without money.
"""

from datetime import datetime, timedelta
from enum import StrEnum


class PurchaseState(StrEnum):
    """How far a purchase has come; the name says what is known to be done."""

    ORDERED = "ordered"
    AUTHENTICATING = "authenticating"
    AUTHORISED = "authorised"
    BOUGHT = "bought"
    RECORDED = "recorded"
    CONFIGURED = "configured"
    COMPLETED = "completed"
    RELEASING = "releasing"
    VOIDING = "voiding"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return self in {PurchaseState.COMPLETED, PurchaseState.FAILED}

    @property
    def going_back(self) -> bool:
        return self in {PurchaseState.RELEASING, PurchaseState.VOIDING, PurchaseState.FAILED}


class Command(StrEnum):
    AUTHORISE = "authorise"
    LOOK = "look"
    BUY = "buy"
    RECORD = "record"
    CONFIGURE = "configure"
    CAPTURE = "capture"
    RELEASE = "release"
    VOID = "void"


class Happened(StrEnum):
    """The outcome of a command. An unknown outcome is none: the command is repeated."""

    DONE = "done"
    ASKED = "asked"  # the card's owner is to authenticate
    REFUSED = "refused"
    OUT_OF_TIME = "out_of_time"


COMMANDS: dict[PurchaseState, Command] = {
    PurchaseState.ORDERED: Command.AUTHORISE,
    PurchaseState.AUTHENTICATING: Command.LOOK,
    PurchaseState.AUTHORISED: Command.BUY,
    PurchaseState.BOUGHT: Command.RECORD,
    PurchaseState.RECORDED: Command.CONFIGURE,
    PurchaseState.CONFIGURED: Command.CAPTURE,
    PurchaseState.RELEASING: Command.RELEASE,
    PurchaseState.VOIDING: Command.VOID,
}

NEXT: dict[tuple[PurchaseState, Happened], PurchaseState] = {
    (PurchaseState.ORDERED, Happened.DONE): PurchaseState.AUTHORISED,
    (PurchaseState.ORDERED, Happened.ASKED): PurchaseState.AUTHENTICATING,
    (PurchaseState.ORDERED, Happened.REFUSED): PurchaseState.FAILED,
    (PurchaseState.ORDERED, Happened.OUT_OF_TIME): PurchaseState.VOIDING,
    (PurchaseState.AUTHENTICATING, Happened.DONE): PurchaseState.AUTHORISED,
    # Refused, or given up: the order is ended at the gateway, so that nobody can still confirm it.
    (PurchaseState.AUTHENTICATING, Happened.REFUSED): PurchaseState.VOIDING,
    (PurchaseState.AUTHENTICATING, Happened.OUT_OF_TIME): PurchaseState.VOIDING,
    (PurchaseState.AUTHORISED, Happened.DONE): PurchaseState.BOUGHT,
    (PurchaseState.AUTHORISED, Happened.REFUSED): PurchaseState.VOIDING,
    # Whether the carrier sold it is not known: what carries our tag is given back.
    (PurchaseState.AUTHORISED, Happened.OUT_OF_TIME): PurchaseState.RELEASING,
    (PurchaseState.BOUGHT, Happened.DONE): PurchaseState.RECORDED,
    (PurchaseState.BOUGHT, Happened.REFUSED): PurchaseState.RELEASING,
    (PurchaseState.RECORDED, Happened.DONE): PurchaseState.CONFIGURED,
    (PurchaseState.RECORDED, Happened.REFUSED): PurchaseState.RELEASING,
    (PurchaseState.RECORDED, Happened.OUT_OF_TIME): PurchaseState.RELEASING,
    (PurchaseState.CONFIGURED, Happened.DONE): PurchaseState.COMPLETED,
    (PurchaseState.CONFIGURED, Happened.REFUSED): PurchaseState.RELEASING,
    (PurchaseState.CONFIGURED, Happened.OUT_OF_TIME): PurchaseState.RELEASING,
    (PurchaseState.RELEASING, Happened.DONE): PurchaseState.VOIDING,
    (PurchaseState.VOIDING, Happened.DONE): PurchaseState.FAILED,
}

# A forward step that gets no answer for this long turns back; money is never held for longer
# than five minutes without a number (faults b).
PATIENCE = timedelta(minutes=3)
# The card's owner gets this long; nothing is held meanwhile.
AUTHENTICATION_PATIENCE = timedelta(minutes=15)


def next_command(state: PurchaseState) -> Command | None:
    """What to do now; None when the purchase has ended."""
    return COMMANDS.get(state)


def advance(state: PurchaseState, happened: Happened) -> PurchaseState:
    """The state after `happened`. A pair that is not in the table is a defect (KeyError)."""
    return NEXT[state, happened]


def starts_anew(before: PurchaseState, after: PurchaseState) -> bool:
    """Whether the wait is counted from here: how long a card's owner takes is nobody else's."""
    return PurchaseState.AUTHENTICATING in {before, after}


def without_answer(state: PurchaseState, *, since: datetime, at: datetime) -> Happened | None:
    """What an unanswered command amounts to: a repetition (None), or the end of our patience.

    `since` is when the purchase was ordered, or when the wait was last started anew.
    Going back has no such end: a number at the carrier or held money is not given up on.
    """
    waits = state is PurchaseState.AUTHENTICATING
    patience = AUTHENTICATION_PATIENCE if waits else PATIENCE
    turns_back = (state, Happened.OUT_OF_TIME) in NEXT
    return Happened.OUT_OF_TIME if turns_back and at - since >= patience else None
