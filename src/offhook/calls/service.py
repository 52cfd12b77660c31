"""Use cases of a call after its admission: connected, alive, asked to end, ended, found dead.

Each is one transaction on one locked row, and each may be told twice: an end that is known
already changes nothing (UC1, SEC2). The row's lock is also what makes the settlement happen once.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from offhook import costs, inbox, numbers, usage
from offhook.agents import Snapshot, from_json
from offhook.calls import rules
from offhook.calls.admission import LIVE_STATES, about
from offhook.calls.events import (
    CallAnswered,
    CallEnded,
    RecordingFailed,
    RecordingReady,
    TranscriptReady,
)
from offhook.calls.manners.rules import Answers
from offhook.calls.memory import whispers
from offhook.calls.models import Call, OutboundCall, Transfer
from offhook.calls.rules import CallState, End, Happening
from offhook.calls.tokens import is_stream_token
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers.service import Returned
from offhook.db import Session, enqueue, for_change, now, publish, touch
from offhook.errors import Forbidden, NotFound
from offhook.prices import Direction

log = logging.getLogger(__name__)
RECORDING_JOB = "calls.finish_recording"
END_JOB = "calls.end_transferred"
CANCEL_JOB = "calls.cancel_outbound"
END_JOBS = {CallState.TRANSFERRED: END_JOB, CallState.DIALLING: CANCEL_JOB}
ERASE_JOB = "calls.erase_recording"
ERASED = "erased"
RECORDING_AFTER_S = 3.0
MUTE_AFTER_S = 3.0  # a caller who is gone sooner has heard nobody because of that


class CallNotFound(NotFound):
    code = "call_not_found"


class StreamRefused(Forbidden):
    """A media stream that is not this call's present one (SEC4, C7, UM10)."""

    code = "stream_refused"


@dataclass(frozen=True, slots=True)
class Connected:
    """What the media process needs to know of a call that it has taken."""

    call_id: str
    team_id: str
    conversation_id: str
    number_id: str
    contact_id: str | None
    carrier_call_id: str
    account_id: str | None
    caller: str
    attestation: str
    snapshot: Snapshot
    limited: bool
    connected_at: datetime
    answered_ago_ms: int
    opening: str = ""
    """What is said first: the agent's greeting, or the words of a call that we started."""
    direction: Direction = Direction.INBOUND
    notes: tuple[str, ...] = ()
    """What the agent is to know of how the call came about."""
    epoch: int = 1
    granted: int = 1
    """Minutes that the ledger has granted to it."""
    away_ms: int = 0
    """Since its recording ended, where it is to go on."""
    answers: Answers = Answers.AGENT
    unrecorded: bool = False
    """The caller did not want a recording."""
    returned: Returned | None = None
    """Set where the caller was to be put through and is back."""

    @property
    def is_outbound(self) -> bool:
        return self.direction is Direction.OUTBOUND


async def get(session: Session, team_id: str, call_id: str, *, lock: bool = False) -> Call:
    """Raises CallNotFound, also for another team's (SEC7)."""
    query = select(Call).where(Call.team_id == team_id, Call.id == call_id)
    if lock:
        query = for_change(query)
    call = None if "\0" in call_id else await session.scalar(query)  # PostgreSQL takes no NUL
    if call is None:
        raise CallNotFound(
            f"There is no call “{call_id[:40]}”.", remedy="Take an id from the inbox."
        )
    return call


async def team_of(session: Session, call_id: str) -> str | None:
    """Whose call this is; for the carrier's callbacks, before the team is known."""
    return await session.scalar(select(Call.team_id).where(Call.id == call_id))


async def by_carrier_id(session: Session, carrier_call_id: str) -> Call | None:
    """The call that the carrier means; for its callbacks, before the team is known."""
    return await session.scalar(select(Call).where(Call.carrier_call_id == carrier_call_id))


async def connect(session: Session, secret: bytes, call_id: str, token: str) -> Connected:
    """A media stream presents its token: once, in time, for its own call (SEC4)."""
    team_id = await team_of(session, call_id)
    if team_id is None:
        raise StreamRefused("There is no such call.")
    call = await get(session, team_id, call_id, lock=True)
    instant = await now(session)
    if not is_stream_token(secret, call.id, call.epoch, token):
        raise StreamRefused("The token is not this call's.")
    if call.state is not CallState.ADMITTED:
        raise StreamRefused("The call is connected already, or over.")
    if instant - call.heartbeat_at > rules.ATTACH_WITHIN:
        raise StreamRefused("The token has expired.")
    call.state = rules.after(call.state, Happening.STREAM_OPENED)
    call.taken_by, call.taken_name = None, ""
    call.heartbeat_at = instant
    snapshot = from_json(call.agent)
    started = await beside(session, call)
    last = await transfers.last_of(session, team_id, call.id) if call.epoch > 1 else None
    if last is None:
        await publish(session, CallAnswered(**about(call)))
    returned = Returned(last.name, last.failure) if last and last.failure else None
    forwarded = call.answers is Answers.FORWARD and returned is not None
    return Connected(
        call_id=call.id,
        team_id=call.team_id,
        conversation_id=call.conversation_id,
        number_id=call.number_id,
        contact_id=call.contact_id,
        carrier_call_id=call.carrier_call_id,
        account_id=await numbers.account_of(session, call.number_id),
        caller=call.caller,
        attestation=call.attestation,
        snapshot=snapshot,
        limited=call.limited,
        connected_at=instant,
        answered_ago_ms=int((instant - call.answered_at) / timedelta(milliseconds=1)),
        opening=started.said if started else snapshot.greeting,
        direction=call.direction,
        notes=_notes(started, last),
        epoch=call.epoch,
        granted=last.granted if last else 1,
        away_ms=int((instant - (call.recorded_until or instant)) / timedelta(milliseconds=1)),
        answers=Answers.MESSAGE if forwarded else call.answers,
        unrecorded=call.recording == ERASED,
        returned=returned,
    )


async def beside(session: Session, call: Call) -> OutboundCall | None:
    """What a call that we started has beside its row."""
    if call.direction is Direction.INBOUND:
        return None
    return await session.scalar(
        select(OutboundCall)
        .where(OutboundCall.team_id == call.team_id, OutboundCall.call_id == call.id)
        .execution_options(populate_existing=True)
    )


def _notes(started: OutboundCall | None, last: Transfer | None) -> tuple[str, ...]:
    notes: list[str] = []
    if started is not None:
        notes.append("You called them; they did not call you.")
    if started is not None and started.message:
        notes.append(f"You call to tell them this: {started.message}")
    if last is not None and last.failure:
        notes.append(Returned(last.name, last.failure).sentence)
    return tuple(notes)


async def spoke(session: Session, team_id: str, call_id: str) -> None:
    """The agent is heard for the first time: from here on the call is billed (UM5)."""
    instant = await now(session)
    await session.execute(
        update(Call)
        .where(Call.team_id == team_id, Call.id == call_id, Call.spoke_at.is_(None))
        .values(spoke_at=instant)
    )


async def beat(session: Session, team_id: str, call_id: str) -> str | None:
    """A sign of life (every 5 s). Returns the reason if somebody asked for the call's end."""
    instant = await now(session)
    await usage.heartbeat(session, team_id, call_id)
    return await session.scalar(
        update(Call)
        .where(Call.team_id == team_id, Call.id == call_id, Call.state == CallState.LIVE)
        .values(heartbeat_at=instant)
        .returning(Call.end_requested)
    )


async def request_end(session: Session, team_id: str, call_id: str, reason: End) -> Call:
    """Ask the media process to end a live call; it hears of it within moments (I5)."""
    call = await get(session, team_id, call_id, lock=True)
    if call.state in LIVE_STATES and call.end_requested is None:
        call.end_requested = reason.value
        await touch(session, team_id, f"call:{call.id}")
        if call.state in END_JOBS:  # no media process is there to hear of it
            await enqueue(session, END_JOBS[call.state], team_id=team_id, call_id=call.id)
    return call


async def leave(session: Session, team_id: str, call_id: str, wish: transfers.Wish) -> None:
    """The call leaves its media process, to be put through. Raises as `transfers.move`."""
    call = await get(session, team_id, call_id, lock=True)
    await transfers.move(session, call, wish)
    await touch(session, team_id, f"call:{call.id}")


async def end_calls_of(session: Session, team_id: str, number_id: str, reason: End) -> None:
    """End every live call of a number at once: disabled, suspended (N9)."""
    ids = await session.scalars(
        select(Call.id).where(
            Call.team_id == team_id, Call.number_id == number_id, Call.state.in_(LIVE_STATES)
        )
    )
    for call_id in ids:
        await request_end(session, team_id, call_id, reason)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a live call: its end, or to leave this message on a machine and hang up.
    `whispers`: what its agent is told besides.
    """

    end: End | None
    message: str = ""
    whispers: Sequence[str] = ()


async def asked(session: Session, team_id: str, call_id: str) -> Asked:
    """What anybody wants of this call now."""
    call = await get(session, team_id, call_id)
    if call.end_requested:
        return Asked(End(call.end_requested))
    started = await beside(session, call)
    message = started.said if started and started.message_due else ""
    return Asked(None, message, await whispers(session, team_id, call.conversation_id))


async def finish(
    session: Session,
    team_id: str,
    call_id: str,
    reason: End,
    *,
    seconds: float | None = None,
    at: datetime | None = None,
    used: Sequence[costs.Used] = (),
) -> bool:
    """The call is over: settle its minutes, close its conversation, announce it; once.

    `used`: what it used of its vendors; unknown where the media process died or the end was
    written down for later (UL13).

    `seconds` since the answer by a monotonic clock, where one was kept (UM7); else the time until
    `at`, by default now. False when the call had ended before: nothing was changed.
    """
    call = await get(session, team_id, call_id, lock=True)
    if call.state not in LIVE_STATES:
        return False
    ended_at = at or await now(session)
    if seconds is not None:
        ended_at = call.answered_at + timedelta(seconds=seconds)
    duration_s = max(0.0, (ended_at - call.answered_at).total_seconds())
    if call.state is CallState.DIALLING:
        duration_s = 0.0
        reason = reason if reason in rules.BEFORE_ANSWER else End.CANCELLED
    elif call.spoke_at is None and reason is End.CALLER_HUNG_UP:
        reason = End.NEVER_CONNECTED
    await transfers.call_ended(session, call, reason, ended_at)
    call.state = rules.after(call.state, Happening.HUNG_UP)
    call.taken_by, call.taken_name = None, ""
    call.reason = reason.value
    call.ended_at = ended_at
    minutes = await _settle(session, call, duration_s)
    await costs.record(
        session,
        team_id,
        conversation_id=call.conversation_id,
        number_id=call.number_id,
        used=used,
    )
    await inbox.close(session, team_id, call.conversation_id, reason=reason.value)
    ended = CallEnded(
        **about(call), reason=reason.value, duration_s=round(duration_s), minutes=minutes
    )
    await publish(session, ended)
    await publish(session, TranscriptReady(**about(call)))
    if call.recording == "recording":
        # A media process that lives saves it itself within the second; a dead one left a part.
        await enqueue(
            session, RECORDING_JOB, after_s=RECORDING_AFTER_S, team_id=team_id, call_id=call.id
        )
    return True


async def _settle(session: Session, call: Call, duration_s: float) -> int:
    """Post the begun minutes, or give all back when the agent was never heard (UM5)."""
    if call.spoke_at is None:
        if duration_s > MUTE_AFTER_S:
            log.error("incident: call %s was answered and its agent never heard", call.id)
        await usage.void_call(session, call.team_id, call_id=call.id)
        return 0
    # Of a call that we started it was taken before it rang; it counts from the answer (UM6).
    answered_at = call.answered_at if call.direction is Direction.OUTBOUND else None
    settled = await usage.settle_call(
        session, call.team_id, call_id=call.id, seconds=duration_s, answered_at=answered_at
    )
    return settled.minutes


async def recording_began(session: Session, team_id: str, call_id: str, path: str) -> None:
    await session.execute(
        update(Call)
        .where(Call.team_id == team_id, Call.id == call_id)
        .values(recording="recording", recording_path=path, recorded_until=None)
    )


async def recording_saved(
    session: Session, team_id: str, call_id: str, path: str, length_ms: int
) -> None:
    """The recording is whole on disk and can be listened to; told twice, it is one event.

    That of a transferred call may go on.
    """
    call = await get(session, team_id, call_id, lock=True)
    if call.recording == ERASED:  # the contact was erased while it was being made whole
        await enqueue(session, ERASE_JOB, team_id=team_id, call_id=call_id)
        return
    goes_on = call.state in LIVE_STATES and call.epoch > 1
    if call.recording == "ready" or goes_on or call.state is CallState.TRANSFERRED:
        return  # RECORDING_JOB tells of it once the call is over
    call.recording, call.recording_path, call.recording_ms = "ready", path, length_ms
    await publish(session, RecordingReady(**about(call), duration_ms=length_ms))


async def recording_refused(session: Session, team_id: str, call_id: str) -> None:
    """The caller does not want to be recorded: nothing of it stays (SEC17)."""
    call = await get(session, team_id, call_id, lock=True)
    call.recording = ERASED
    await enqueue(session, ERASE_JOB, team_id=team_id, call_id=call_id)


async def recording_lost(session: Session, team_id: str, call_id: str) -> None:
    """There is no usable recording."""
    call = await get(session, team_id, call_id, lock=True)
    if call.recording not in {"ready", "failed", ERASED}:
        call.recording = "failed"
        await publish(session, RecordingFailed(**about(call)))


async def stale(session: Session) -> list[Call]:
    """Calls of any team without a sign of life for the lease (UC3, LB4)."""
    limit = await now(session) - rules.LEASE
    rows = await session.scalars(
        select(Call).where(Call.state.in_(LIVE_STATES), Call.heartbeat_at < limit).limit(100)
    )
    return list(rows)


async def finish_dead(session: Session, team_id: str, call_id: str) -> bool:
    """Settle a call at its last sign of life (UC3); False when it has ended or lives after all."""
    call = await get(session, team_id, call_id, lock=True)
    life = rules.Life(call.state, call.heartbeat_at)
    if not rules.is_stale(life, await now(session)):
        return False
    reason = End.MEDIA_LOST
    if call.state is CallState.DIALLING:
        reason = End.NO_ANSWER
    elif call.state is CallState.ADMITTED and call.epoch == 1:
        reason = End.NEVER_CONNECTED
    return await finish(session, team_id, call_id, reason, at=call.heartbeat_at)
