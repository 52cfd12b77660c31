"""Have an agent call somebody (C8): one transaction, every question at once, a minute reserved.

Nobody is called here: that is the job's, which is enqueued in the same transaction (dialling.py).
So a call that was asked for once is made once, and one that is not committed is not made.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import func, select

from offhook import agents, contacts, inbox, numbers, teams, usage
from offhook.calls import admission
from offhook.calls.events import CallStarted
from offhook.calls.manners import service as manners
from offhook.calls.models import Call, OutboundCall
from offhook.calls.outbound import rules, settings
from offhook.calls.outbound.rules import Against, CallNotStarted, Machine, Situation
from offhook.calls.rules import CallState
from offhook.db import Session, enqueue, new_id, now, one_at_a_time, publish, touch
from offhook.errors import Conflict
from offhook.phone import E164
from offhook.prices import Direction

DIAL_JOB = "calls.dial"
OptedOut = Callable[..., Awaitable[bool]]
"""`(session, team_id, *, ours, remote)`: whether somebody wants nothing from this number (S4)."""
_opted_out: list[OptedOut] = []


class LimitReached(Conflict):
    code = "limit_reached"


class SpendCapReached(Conflict):
    code = "spend_cap_reached"


def opt_outs_from(asked: OptedOut) -> None:
    """Have `asked` before anybody is called; app.py joins the room that keeps opt-outs."""
    if asked not in _opted_out:
        _opted_out.append(asked)


@dataclass(frozen=True, slots=True)
class Order:
    """A call that somebody wants. `message`: what it is about, said after the opening line.

    `machine` empty: as the number has it. `asked_by`: a user's, key's or task run's id.
    """

    number_id: str
    to: E164
    asked_by: str
    message: str = ""
    machine: Machine | None = None


async def start(session: Session, team_id: str, order: Order) -> Call:
    """The call, on its way to the carrier.

    Raises NumberNotFound, MessageInvalid, CallNotStarted with every reason, LimitReached,
    SpendCapReached; then nothing is written.
    """
    number = await numbers.get(session, team_id, order.number_id)
    message = rules.clean_message(order.message, rules.MAX_MESSAGE_CHARACTERS)
    answer = await numbers.answering(session, team_id, number.id, numbers.Service.CALLS)
    await one_at_a_time(session, f"outbound {number.id}")  # so that its cap of the day holds
    chosen = await settings.of(session, team_id, number.id)
    own = await manners.of(session, team_id, number.id)
    opens = await settings.quiet_until(session, chosen, number, order.to)
    reason = answer.reason.value if isinstance(answer, numbers.Refusal) else Against.DISABLED.value
    stops = None if isinstance(answer, numbers.Answerer) else Against(reason)
    situation = Situation(
        to=order.to,
        number_stops=stops,
        own=await _is_own(session, team_id, order.to),
        countries=settings.countries_of(chosen, number),
        opted_out=await _is_opted_out(session, number, order.to),
        blocked=await contacts.screened(session, team_id, order.to) is not None,
        quiet=opens is not None,
        today=await _today(session, number),
        daily=chosen.daily_calls,
        to_them=await _to_them_today(session, team_id, order.to),
        per_contact=chosen.daily_per_contact,
        lines=await admission.lines_with(session, team_id, number.id, order.to),
        max_lines=own.caller_lines,
        all_lines=await admission.lines_of(session, team_id, number.id),
        max_all_lines=own.number_lines,
    )
    found = rules.against(situation)
    if found or not isinstance(answer, numbers.Answerer):
        told = rules.sentences(found, order.to, opens or "")
        raise CallNotStarted(
            " ".join(sentence for _, sentence in told),
            remedy="Nobody was called.",
            errors=[{"code": code.value, "sentence": sentence} for code, sentence in told],
        )
    said = rules.first_words(chosen.opening, answer.agent.name, message)
    policy = order.machine or chosen.machine
    call = await _keep(session, number, order, answer.agent)
    session.add(
        OutboundCall(
            team_id=team_id,
            call_id=call.id,
            number_id=number.id,
            message=message,
            said=said,
            machine=policy,
            asked_by=order.asked_by,
            asked_at=call.answered_at,
        )
    )
    await publish(session, CallStarted(**admission.about(call)))
    await enqueue(session, DIAL_JOB, lock=call.id, team_id=team_id, call_id=call.id)
    await touch(session, team_id, "calls")
    call.limited = await _first_minute(session, call)  # last: it locks the number's counter
    await session.flush()
    return call


async def _keep(
    session: Session, number: numbers.Number, order: Order, agent: agents.Snapshot
) -> Call:
    """The call's row and conversation; whom we call is a contact."""
    call_id = new_id("call")
    contact = await contacts.on_contact(session, number.team_id, order.to)
    conversation = await inbox.open_conversation(
        session,
        number.team_id,
        channel=inbox.Channel.CALL,
        number_id=number.id,
        sender=await contacts.spelling(session, number.team_id, order.to),
        contact_id=contact.id,
        agent_id=agent.agent_id,
        agent_version=agent.version,
        call_id=call_id,
    )
    instant = await now(session)
    call = Call(
        id=call_id,
        team_id=number.team_id,
        conversation_id=conversation.id,
        number_id=number.id,
        contact_id=contact.id,
        carrier_call_id=call_id,
        caller=order.to,
        direction=Direction.OUTBOUND,
        state=CallState.DIALLING,
        agent=agents.to_json(agent),
        answered_at=instant,
        heartbeat_at=instant,
    )
    session.add(call)
    await session.flush()
    return call


async def _first_minute(session: Session, call: Call) -> bool:
    """Reserve it before the carrier is asked (U4); whether the number has a limit."""
    answer = await usage.reserve_minute(
        session,
        call.team_id,
        number_id=call.number_id,
        call_id=call.id,
        index=0,
        direction=Direction.OUTBOUND,
    )
    if not isinstance(answer, usage.Denied):
        return answer.left is not None or answer.is_capped
    if answer.reason is usage.Reason.SPEND_CAP:
        raise SpendCapReached(
            "The team's spend cap of this month is reached.",
            remedy="Raise the cap, or wait for the next month.",
        )
    raise LimitReached(
        "The number has used up its minutes of this month.",
        remedy="Raise its limit, or wait for the next month.",
    )


async def _is_own(session: Session, team_id: str, to: E164) -> bool:
    holder = await numbers.held(session, to)
    return holder is not None and holder.team_id == team_id


async def _is_opted_out(session: Session, number: numbers.Number, to: E164) -> bool:
    for asked in _opted_out:
        if await asked(session, number.team_id, ours=number.e164, remote=to):
            return True
    return False


async def _today(session: Session, number: numbers.Number) -> int:
    """Calls that the number has begun since midnight in the team's zone."""
    begun = await session.scalar(
        select(func.count())
        .select_from(OutboundCall)
        .where(
            OutboundCall.team_id == number.team_id,
            OutboundCall.number_id == number.id,
            OutboundCall.asked_at >= await teams.today_began(session, number.team_id),
        )
    )
    return begun or 0


async def _to_them_today(session: Session, team_id: str, to: E164) -> int:
    """Calls that any number of the team has begun today to the person with this number."""
    theirs = await contacts.addresses(session, team_id, to)
    await one_at_a_time(session, f"outbound {team_id} {theirs[0]}")
    begun = await session.scalar(
        select(func.count())
        .select_from(OutboundCall)
        .join(Call, Call.id == OutboundCall.call_id)
        .where(
            OutboundCall.team_id == team_id,
            Call.caller.in_(theirs),
            OutboundCall.asked_at >= await teams.today_began(session, team_id),
        )
    )
    return begun or 0
