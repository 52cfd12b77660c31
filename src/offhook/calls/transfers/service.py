"""Use cases of a transfer: the leg leaves, rings, is answered, joined or not, and over.

Each is one transaction on the locked call and its open transfer, and each may be told twice or
late: what the table does not know changes nothing. The task's run is finished in the same
transaction, so that it is known as failed the moment the transfer is (T3).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from offhook import inbox
from offhook.calls.admission import about
from offhook.calls.events import CallTransferred
from offhook.calls.models import Call
from offhook.calls.rules import CallState, End
from offhook.calls.rules import Happening as CallHappening
from offhook.calls.rules import after as call_after
from offhook.calls.transfers import legs, rules, targets
from offhook.calls.transfers.models import Transfer
from offhook.calls.transfers.rules import (
    FAILURES,
    OPEN,
    Failure,
    Happening,
    NotTransferable,
    TransferState,
)
from offhook.db import Session, for_change, now, publish
from offhook.phone import E164


class Outcome(Protocol):
    """Hears what became of a task's run that asked for a transfer."""

    async def __call__(
        self, session: Session, team_id: str, run_id: str, sentence: str, /, *, done: bool
    ) -> object: ...


_outcomes: list[Outcome] = []


def when_known(tell: Outcome) -> None:
    """Have `tell` hear, in the transaction that knows it, what became of each task's run."""
    if tell not in _outcomes:
        _outcomes.append(tell)


def forget(tell: Outcome) -> None:
    """The inverse, for tests."""
    if tell in _outcomes:
        _outcomes.remove(tell)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a conversation asks for. `granted` counts the minutes that the call holds; `rescue`:
    the agent cannot go on, and the caller is told so while it rings (C9).
    """

    target_id: str
    run_id: str
    granted: int
    rescue: bool = False


@dataclass(frozen=True, slots=True)
class Returned:
    """Why a caller is back with the agent."""

    name: str
    failure: Failure

    @property
    def sentence(self) -> str:
        return FAILURES[self.failure].format(name=self.name)


async def move(session: Session, call: Call, wish: Wish) -> Transfer:
    """The locked, live call leaves its media process.

    From this commit on the call is the keeper's. The carrier asks how to go on once its stream is
    closed, also by the process's death: no step can be lost between the two. Raises
    TargetNotFound, TargetRefused, NotTransferable; then nothing has changed.
    """
    if call.state is CallState.TRANSFERRED:
        known = await open_of(session, call)
        if known is not None and known.run_id == wish.run_id:
            return known
    if call.state is not CallState.LIVE or call.end_requested:
        raise NotTransferable("The call is about to end.", remedy="Nothing was changed.")
    target = await targets.get(session, call.team_id, wish.target_id)
    await targets.check_number(session, call.team_id, E164(target.e164))
    instant = await now(session)
    call.state = call_after(call.state, CallHappening.LEG_LEFT)
    call.heartbeat_at = instant
    call.recorded_until = instant
    transfer = Transfer(
        team_id=call.team_id,
        call_id=call.id,
        run_id=wish.run_id,
        target_id=target.id,
        name=target.name,
        e164=target.e164,
        ring_s=target.ring_s,
        announced=target.announced,
        rescue=wish.rescue,
        state=TransferState.LEAVING,
        granted=wish.granted,
        requested_at=instant,
    )
    session.add(transfer)
    await session.flush()
    await _note(session, call, f"The call is put through to {target.name}.")
    return transfer


async def not_begun(session: Session, team_id: str, run_id: str, sentence: str) -> None:
    """The caller stays with the agent: the task's run has failed."""
    for tell in _outcomes:
        await tell(session, team_id, run_id, sentence, done=False)


async def open_of(session: Session, call: Call) -> Transfer | None:
    """The call's transfer that is not over, locked."""
    return await session.scalar(
        for_change(
            select(Transfer).where(
                Transfer.team_id == call.team_id,
                Transfer.call_id == call.id,
                Transfer.ended_at.is_(None),
            )
        )
    )


async def dialled(transfer: Transfer) -> None:
    """The carrier was told to ring."""
    transfer.state = rules.after(transfer.state, Happening.DIALLED)


async def picked_up(session: Session, transfer: Transfer, leg_id: str) -> None:
    transfer.state = rules.after(transfer.state, Happening.PICKED_UP)
    if transfer.state in OPEN:
        transfer.leg_id = leg_id
        transfer.answered_at = transfer.answered_at or await now(session)
    await session.flush()


async def joined(session: Session, call: Call, transfer: Transfer) -> bool:
    """A person took the call: the transfer has succeeded, and the task's run with it.

    False when it is too late for that.
    """
    if transfer.state is TransferState.JOINED:
        return True
    transfer.state = rules.after(transfer.state, Happening.ACCEPTED)
    if transfer.state is not TransferState.JOINED:
        return False
    transfer.joined_at = await now(session)
    transfer.answered_at = transfer.answered_at or transfer.joined_at
    sentence = f"{transfer.name} took the call."
    await _note(session, call, sentence)
    await publish(
        session,
        CallTransferred(**about(call), transfer_id=transfer.id, target_id=transfer.target_id),
    )
    await _tell(session, transfer, done=True, sentence=sentence)
    return True


async def failed(session: Session, call: Call, transfer: Transfer, failure: Failure) -> None:
    """Nobody took the call; the first reason stands."""
    state = rules.after(transfer.state, Happening.NOT_JOINED)
    if state is not TransferState.FAILED or transfer.state is TransferState.FAILED:
        return
    transfer.state, transfer.failure = state, failure
    sentence = FAILURES[failure].format(name=transfer.name)
    await _note(session, call, sentence)
    await _tell(session, transfer, done=False, sentence=sentence)
    if not transfer.run_id:  # no task asked for it, but the caller, for a person
        await inbox.need_person(session, call.team_id, call.conversation_id, sentence)


async def over(
    session: Session,
    transfer: Transfer,
    leg_id: str = "",
    *,
    at: datetime | None = None,
    told_s: int = 0,
) -> None:
    """The second leg is gone, whatever it came to: by now, or `at`; `told_s` is its length by the
    carrier.
    """
    transfer.state = rules.after(transfer.state, Happening.OVER)
    transfer.leg_id = leg_id or transfer.leg_id
    instant = await now(session)
    transfer.ended_at = instant
    legs.rate(transfer, at or instant, told_s)


async def call_ended(session: Session, call: Call, reason: End, at: datetime) -> None:
    """The call is over since `at`, and with it a transfer that was under way."""
    transfer = await open_of(session, call)
    if transfer is None:
        return
    gone = Failure.CALLER_GONE if reason is End.CALLER_HUNG_UP else Failure.ENDED
    await failed(session, call, transfer, gone)
    await over(session, transfer, at=at)


async def came_back(session: Session, call: Call, node_id: str) -> None:
    """The locked call is given to a media process again: a new connection, with the next epoch."""
    call.state = call_after(call.state, CallHappening.CAME_BACK)
    call.epoch += 1
    call.node_id = node_id
    call.heartbeat_at = await now(session)


async def last_of(session: Session, team_id: str, call_id: str) -> Transfer | None:
    return await session.scalar(
        select(Transfer)
        .where(Transfer.team_id == team_id, Transfer.call_id == call_id)
        .order_by(Transfer.requested_at.desc(), Transfer.id.desc())
        .limit(1)
    )


async def of_call(session: Session, team_id: str, call_id: str) -> list[Transfer]:
    """The call's transfers, oldest first."""
    rows = await session.scalars(
        select(Transfer)
        .where(Transfer.team_id == team_id, Transfer.call_id == call_id)
        .order_by(Transfer.requested_at, Transfer.id)
    )
    return list(rows)


def told(transfer: Transfer) -> tuple[str, bool]:
    """What became of it, for people, and whether that is well."""
    if transfer.failure is not None:
        return FAILURES[transfer.failure].format(name=transfer.name), False
    return ("Took the call." if transfer.joined_at else "Being called."), True


async def _tell(session: Session, transfer: Transfer, *, done: bool, sentence: str) -> None:
    for tell in _outcomes:
        await tell(session, transfer.team_id, transfer.run_id, sentence, done=done)


async def _note(session: Session, call: Call, text: str) -> None:
    await inbox.add_turn(
        session,
        call.team_id,
        call.conversation_id,
        speaker=inbox.Speaker.NOTICE,
        text=text,
    )
