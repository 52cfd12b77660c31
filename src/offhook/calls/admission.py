"""Whether an inbound call is answered (C1): one transaction, the first minute reserved in it.

Everything that may say no is asked here and nowhere else: the number, its agent, the caller's
lines, the media processes' room, the ledger. A refused call is kept as a conversation that was not
answered. The same carrier call told twice gets the same answer (UM10, SEC2).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from offhook import contacts, inbox, numbers, teams, usage
from offhook.agents import Snapshot, to_json
from offhook.calls.events import About, CallRefused, CallStarted
from offhook.calls.manners import rules as manners_rules
from offhook.calls.manners import service as manners_of
from offhook.calls.manners.closing import as_answered
from offhook.calls.manners.rules import Answers, Manners
from offhook.calls.models import Call, MediaNode
from offhook.calls.rules import (
    LEASE,
    NODE_SILENT_AFTER,
    CallState,
    Refusal,
    Signal,
    signal_for,
)
from offhook.carriers import InboundCall
from offhook.db import Session, new_id, now, one_at_a_time, publish
from offhook.phone import E164
from offhook.prices import Direction

LIVE_STATES = (
    CallState.DIALLING,
    CallState.ADMITTED,
    CallState.LIVE,
    CallState.TRANSFERRED,
)
CARRIED_STATES = (CallState.ADMITTED, CallState.LIVE)  # those that a media process carries
LINE_STATES = (CallState.DIALLING, *CARRIED_STATES)  # one that rings has a line kept for its answer
AN_HOUR = timedelta(hours=1)
REFUSALS = {
    numbers.Reason.DISABLED: Refusal.DISABLED,
    numbers.Reason.SERVICE_OFF: Refusal.CALLS_OFF,
    numbers.Reason.AGENT_NOT_LIVE: Refusal.AGENT_NOT_LIVE,
    numbers.Reason.SUSPENDED: Refusal.SUSPENDED,
}
SCREENED = {
    contacts.Screened.BLOCKED: Refusal.BLOCKED,
    contacts.Screened.HIDDEN: Refusal.HIDDEN,
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call is to be answered: connect it to `node_url` with the token of this call."""

    team_id: str
    call_id: str
    epoch: int
    node_url: str


@dataclass(frozen=True, slots=True)
class Refused:
    refusal: Refusal
    signal: Signal


Verdict = Admitted | Refused


@dataclass(frozen=True, slots=True)
class Called:
    """Whom a call is for, if anybody: what must be known before its greeting can be made ready."""

    team_id: str
    number_id: str
    snapshot: Snapshot | None
    refusal: Refusal | None
    answers: Answers = Answers.AGENT
    manners: Manners = field(default_factory=Manners)


async def called(session: Session, inbound: InboundCall) -> Called | None:
    """The number that is called and whether it answers calls now; None for nobody's number."""
    number = await numbers.held(session, inbound.to)
    if number is None:
        return None
    await numbers.stays_as_it_is(session, number.id)
    answer = await numbers.answering(session, number.team_id, number.id, numbers.Service.CALLS)
    if isinstance(answer, numbers.Answerer):
        return await _met(session, number, answer.agent)
    refusal = REFUSALS[answer.reason] if answer is not None else Refusal.UNKNOWN_NUMBER
    return Called(number.team_id, number.id, None, refusal)


async def _met(session: Session, number: numbers.Number, snapshot: Snapshot) -> Called:
    """The agent within the number's hours, outside them what the team has chosen."""
    manners = await manners_of.of(session, number.team_id, number.id)
    zone = ZoneInfo(await teams.zone(session, number.team_id))
    answers = manners_rules.answers(manners, await now(session), zone)
    if answers is None:
        return Called(number.team_id, number.id, None, Refusal.CLOSED, manners=manners)
    met = as_answered(snapshot, manners, answers)
    return Called(number.team_id, number.id, met, None, answers, manners)


async def admit(
    session: Session, inbound: InboundCall, *, greeting_is_ready: bool = True
) -> Verdict:
    """Decide, and reserve the first minute before the carrier is told to answer (U4)."""
    await one_at_a_time(session, f"call {inbound.call_id}")  # a repeat waits for the first (UM10)
    if (known := await _known(session, inbound.call_id)) is not None:
        return known
    target = await called(session, inbound)
    if target is None:
        return Refused(Refusal.UNKNOWN_NUMBER, signal_for(Refusal.UNKNOWN_NUMBER))
    call_id = new_id("call")
    decision = await _decide(session, target, inbound, call_id, ready=greeting_is_ready)
    call = await _keep(session, target, inbound, call_id, decision)
    if isinstance(decision, Refusal):
        await publish(session, CallRefused(**about(call), reason=decision.value))
        return Refused(decision, signal_for(decision))
    await publish(session, CallStarted(**about(call)))
    return Admitted(call.team_id, call.id, call.epoch, decision.node.url)


@dataclass(frozen=True, slots=True)
class _Place:
    """Everything said yes: who answers, where, and whether the number has a limit."""

    snapshot: Snapshot
    node: MediaNode
    limited: bool


async def _decide(
    session: Session, target: Called, inbound: InboundCall, call_id: str, *, ready: bool
) -> _Place | Refusal:
    """Every question in order; the ledger last, since its yes is a reservation."""
    if target.snapshot is None:
        return target.refusal or Refusal.OUR_FAULT
    if (refusal := await _caller_refusal(session, target, inbound)) is not None:
        return refusal
    if not ready:
        return Refusal.OUR_FAULT
    node = await free_node(session)
    if node is None:
        return Refusal.NO_CAPACITY
    answer = await usage.reserve_minute(
        session, target.team_id, number_id=target.number_id, call_id=call_id, index=0
    )
    if isinstance(answer, usage.Denied):
        capped = answer.reason is usage.Reason.SPEND_CAP
        return Refusal.SPEND_CAP if capped else Refusal.LIMIT_REACHED
    return _Place(target.snapshot, node, limited=answer.left is not None or answer.is_capped)


async def _known(session: Session, carrier_call_id: str) -> Verdict | None:
    """What was decided about this carrier call before, if it was."""
    row = (
        await session.execute(
            select(Call, MediaNode.url)
            .join(MediaNode, MediaNode.id == Call.node_id, isouter=True)
            .where(Call.carrier_call_id == carrier_call_id)
        )
    ).one_or_none()
    if row is None:
        return None
    call, url = row
    if call.state is CallState.REFUSED:
        refusal = Refusal(call.reason)
        return Refused(refusal, signal_for(refusal))
    return Admitted(call.team_id, call.id, call.epoch, url or "")


async def _caller_refusal(session: Session, target: Called, inbound: InboundCall) -> Refusal | None:
    """Blocked or screened (P5, P7, SEC10), too often, or above the caller's or the number's own
    cap (SEC12). Strangers who hide their number share no cap of a caller.

    Calls that share a cap are decided one after the other, so that it holds.
    """
    caller, manners = inbound.sender.e164, target.manners
    if (refusal := await _screened(session, target, inbound)) is not None:
        return refusal
    if caller is not None:
        await one_at_a_time(session, f"lines {target.number_id} {caller}")
        if await _calls_too_often(session, target, caller):
            return Refusal.TOO_MANY_CALLS
        if await _live(session, target, Call.caller == caller) >= manners.caller_lines:
            return Refusal.CALLER_LINES_FULL
    if manners.number_lines is not None:
        await one_at_a_time(session, f"lines {target.number_id}")
        if await _live(session, target) >= manners.number_lines:
            return Refusal.LINES_FULL
    return None


async def _screened(session: Session, target: Called, inbound: InboundCall) -> Refusal | None:
    caller, manners = inbound.sender.e164, target.manners
    if caller is None and manners.refuse_hidden is not None:
        return Refusal.HIDDEN if manners.refuse_hidden else None
    if (screened := await contacts.screened(session, target.team_id, caller)) is not None:
        return SCREENED[screened]
    is_false = inbound.attestation.startswith("failed")
    return Refusal.FALSE_NUMBER if manners.refuse_failed and is_false else None


async def _calls_too_often(session: Session, target: Called, caller: E164) -> bool:
    """Whether this call would be one more than a caller may make within an hour."""
    if target.manners.max_calls_an_hour is None:
        return False
    made = await session.scalar(
        select(func.count())
        .select_from(Call)
        .where(
            Call.team_id == target.team_id,
            Call.number_id == target.number_id,
            Call.caller == caller,
            Call.answered_at > await now(session) - AN_HOUR,
        )
    )
    return (made or 0) >= target.manners.max_calls_an_hour


async def _live(session: Session, target: Called, *which: ColumnElement[bool]) -> int:
    return await _alive(session, target.team_id, target.number_id, *which)


async def _alive(
    session: Session, team_id: str, number_id: str, *which: ColumnElement[bool]
) -> int:
    """Calls of the number that are alive; a dead one holds its line for the lease only (LB4)."""
    found = await session.scalar(
        select(func.count())
        .select_from(Call)
        .where(
            Call.team_id == team_id,
            Call.number_id == number_id,
            Call.state.in_(LIVE_STATES),
            Call.heartbeat_at > await now(session) - LEASE,
            *which,
        )
    )
    return found or 0


async def lines_with(session: Session, team_id: str, number_id: str, other: E164) -> int:
    """Calls between this number and `other` now; whoever counts them next waits for the commit."""
    await one_at_a_time(session, f"lines {number_id} {other}")
    return await _alive(session, team_id, number_id, Call.caller == other)


async def lines_of(session: Session, team_id: str, number_id: str) -> int:
    """Calls of this number now, likewise."""
    await one_at_a_time(session, f"lines {number_id}")
    return await _alive(session, team_id, number_id)


async def free_node(session: Session, prefer: str | None = None) -> MediaNode | None:
    """The media process with the most room, or `prefer` if it has any; all are locked, so that two
    calls cannot take a last line.
    """
    instant = await now(session)
    nodes = await session.scalars(
        select(MediaNode)
        .where(MediaNode.heartbeat_at > instant - NODE_SILENT_AFTER)
        .order_by(MediaNode.id)
        .with_for_update(key_share=True)
    )
    best, most = None, 0
    for node in nodes:
        live = await session.scalar(
            select(func.count())
            .select_from(Call)
            .where(
                Call.node_id == node.id,
                Call.state.in_(LINE_STATES),
                Call.heartbeat_at > instant - LEASE,
            )
        )
        free = node.capacity - (live or 0)
        if free > 0 and node.id == prefer:
            return node
        if free > most:
            best, most = node, free
    return best


async def _keep(
    session: Session,
    target: Called,
    inbound: InboundCall,
    call_id: str,
    decision: _Place | Refusal,
) -> Call:
    """The call's row and conversation. A refused one is a record without life, and makes nobody
    a contact: state "not answered", its reason, hidden unless filtered for (C1).
    """
    place, refusal = (None, decision) if isinstance(decision, Refusal) else (decision, None)
    caller = inbound.sender.e164
    contact, known_as = None, ""
    if caller is not None:
        meet = contacts.on_contact if place else contacts.find
        contact = await meet(session, target.team_id, caller)
        known_as = await contacts.spelling(session, target.team_id, caller)
    conversation = await inbox.open_conversation(
        session,
        target.team_id,
        channel=inbox.Channel.CALL,
        number_id=target.number_id,
        sender=known_as,
        contact_id=contact.id if contact else None,
        agent_id=place.snapshot.agent_id if place else None,
        agent_version=place.snapshot.version if place else None,
        call_id=call_id,
        refused=refusal.value if refusal else "",
    )
    instant = await now(session)
    call = Call(
        id=call_id,
        team_id=target.team_id,
        conversation_id=conversation.id,
        number_id=target.number_id,
        contact_id=conversation.contact_id,
        carrier_call_id=inbound.call_id,
        caller=caller or "",
        attestation=inbound.attestation,
        direction=Direction.INBOUND,
        state=CallState.ADMITTED if place else CallState.REFUSED,
        reason=refusal.value if refusal else None,
        agent=to_json(place.snapshot) if place else {},
        answers=target.answers,
        limited=bool(place and place.limited),
        node_id=place.node.id if place else None,
        epoch=1,
        answered_at=instant,
        heartbeat_at=instant,
        ended_at=None if place else instant,
    )
    session.add(call)
    await session.flush()
    return call


def about(call: Call) -> About:
    return About(
        team_id=call.team_id,
        conversation_id=call.conversation_id,
        call_id=call.id,
        number_id=call.number_id,
        contact_id=call.contact_id,
        direction=call.direction.value,
    )
