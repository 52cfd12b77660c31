"""A text comes in: stored once, its keyword honoured, its unit taken, its answer enqueued (S1, S2).

One transaction, so the carrier hears 2xx only when all of it is kept; told twice, nothing is done
twice. What is not answered is stored all the same, and the thread says why (U5, SM4).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from offhook import contacts, inbox, numbers, teams
from offhook.carriers import InboundSms
from offhook.db import Database, Session, enqueue, now, one_at_a_time, publish
from offhook.failpoints import failpoint
from offhook.inbox import Conversation, Speaker
from offhook.messages import obeying, optouts, reacting, threads, units
from offhook.messages.events import MessageReceived
from offhook.messages.manners import braking
from offhook.messages.manners.rules import Manners, Talk, settle_s
from offhook.messages.manners.service import of as of_number
from offhook.messages.media import keeping
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Outcome, State, Why
from offhook.messages.segments import size
from offhook.messages.wishes import wish_to_stop

log = logging.getLogger(__name__)

ANSWER_JOB = "messages.answer"
WISH_NOTE = "Wishes to stop"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A text, the number that it came to, and how long a burst may settle."""

    number: numbers.Number
    account_id: str
    sms: InboundSms
    settle_ms: int


async def receive(
    database: Database,
    sms: InboundSms,
    *,
    account_id: str,
    settle_ms: int,
    number: numbers.Number | None = None,
) -> str | None:
    """Store `sms` and see to its answer; our message's id, or None if the number is nobody's.

    `number`: the one that it is for, where the caller has just read it.
    """
    if number is None or number.e164 != sms.to:
        async with database.system() as session:
            number = await numbers.held(session, sms.to)
    if number is None:
        log.warning("a text for …%s, which no team holds", sms.to[-2:])
        return None
    arrival = Arrival(number, account_id, sms, settle_ms)
    async with database.team(number.team_id) as session:
        message = await store(session, arrival)
        failpoint("messages.received")
    failpoint("messages.stored")
    return message.id


async def store(session: Session, arrival: Arrival) -> Message:
    """The use case in the team's transaction. A repetition finds the first one's row (S2)."""
    known = await _known(session, arrival)
    if known is not None:
        return known
    number, sms = arrival.number, arrival.sms
    contact, known_as = None, sms.sender.value
    if sms.sender.e164 is not None:
        contact = await contacts.on_contact(session, number.team_id, sms.sender.e164)
        known_as = await contacts.spelling(session, number.team_id, sms.sender.e164)
    thread = await inbox.open_thread(
        session,
        number.team_id,
        number_id=number.id,
        sender=known_as,
        contact_id=contact.id if contact else None,
    )
    answer = await numbers.answering(session, number.team_id, number.id, numbers.Service.SMS)
    reacted_to = await reacting.quoted(session, thread, sms.body)
    message = await _write(session, arrival, thread, reacted_to is None)
    if reacted_to is not None:
        await reacting.show(session, message, reacted_to, answer)
    else:
        stopped = await _stopped(session, arrival, message)
        order = await obeying.order(session, message, sms, stopped=stopped)
        if order is not None:
            await obeying.obey(session, message, order, answer, confirms=not sms.opt_out)
        else:
            left = _left(arrival, thread, stopped=stopped)
            await _judge(session, arrival, thread, message, answer, left)
    await publish(
        session,
        MessageReceived(
            team_id=number.team_id,
            conversation_id=thread.id,
            message_id=message.id,
            number_id=number.id,
            contact_id=message.contact_id,
        ),
    )
    return message


async def _known(session: Session, arrival: Arrival) -> Message | None:
    """The row of a text that was told before. Two at once are told one after the other (UT12)."""
    await one_at_a_time(session, f"text {arrival.account_id}/{arrival.sms.message_id}")
    return await session.scalar(
        select(Message).where(
            Message.team_id == arrival.number.team_id,
            Message.carrier_account == arrival.account_id,
            Message.carrier_id == arrival.sms.message_id,
        )
    )


async def _write(session: Session, arrival: Arrival, thread: Conversation, spoken: bool) -> Message:
    """The row of the text, and its turn; a reaction has none of its own (S9)."""
    number, sms = arrival.number, arrival.sms
    instant = await now(session)
    plan = keeping.planned(sms.media)
    turn = await _turn(session, arrival, thread, instant, plan) if spoken else None
    body = turn.text if turn else await teams.as_kept(session, number.team_id, sms.body)
    message = Message(
        team_id=number.team_id,
        number_id=number.id,
        conversation_id=thread.id,
        contact_id=thread.contact_id,
        turn_id=turn.id if turn else None,
        turn_sequence=turn.sequence if turn else None,
        direction=Direction.INBOUND,
        carrier_account=arrival.account_id,
        carrier_id=sms.message_id,
        ours=number.e164,
        remote=sms.sender.value,
        body=inbox.storable(body),
        encoding=size(body).encoding,
        segments=sms.segments,
        state=State.RECEIVED,
        outcome=Outcome.KEPT,
        created_at=instant,
    )
    session.add(message)
    await session.flush()
    await keeping.expect(session, message, sms.media, plan)
    return message


async def _turn(
    session: Session,
    arrival: Arrival,
    thread: Conversation,
    instant: datetime,
    plan: Sequence[keeping.Told],
) -> inbox.Turn:
    return await inbox.add_turn(
        session,
        thread.team_id,
        thread.id,
        locked=thread,
        speaker=Speaker.CALLER,
        text=arrival.sms.body,
        started_at=instant,
        ended_at=instant,
        status=State.RECEIVED,
        media=plan,
    )


async def _judge(
    session: Session,
    arrival: Arrival,
    thread: Conversation,
    message: Message,
    answer: numbers.Answerer | numbers.Refusal | None,
    left: Why | None,
) -> None:
    """Take the unit of an ordinary text and let it be answered, or say why it is not.

    `left`: why it is left unanswered although it counts.
    """
    manners = await of_number(session, message.team_id, message.number_id)
    lately = await braking.talk(session, thread, message.created_at)
    why = threads.not_served(answer)
    if why is None:
        why = await _held_back(session, arrival, message, thread, manners, lately)
    if why is None and wish_to_stop(message.body):
        await threads.note(session, message, WISH_NOTE)
    # The unit is taken last: its counter stays locked until the commit.
    if why is None:
        why = await units.take(session, message) or left
    if why is not None:
        await threads.keep(session, [message], why)
        await braking.raise_to_team(session, thread, why)
        return
    oldest_s = lately.oldest_waiting_s(message.created_at)
    after_s = settle_s(manners, default_ms=arrival.settle_ms, oldest_waiting_s=oldest_s)
    await await_answer(session, message, after_s=after_s)
    if thread.last_sequence <= 1:
        await braking.alarm(session, thread)


async def _held_back(
    session: Session,
    arrival: Arrival,
    message: Message,
    thread: Conversation,
    manners: Manners,
    lately: Talk,
) -> Why | None:
    """Why this sender's text is not even counted: blocked, or by a brake (P7, SEC11)."""
    caller = arrival.sms.sender.e164
    if caller is None:
        return None
    if await contacts.screened(session, thread.team_id, caller):
        return Why.BLOCKED
    if thread.taken_over_by:  # a person may be texted as often as they like (S7)
        return None
    return await braking.held_back(
        session, arrival.number, thread, lately, manners, message.created_at
    )


async def _stopped(session: Session, arrival: Arrival, message: Message) -> bool:
    """Whether the sender has opted out of this number's texts (S4)."""
    return arrival.sms.sender.e164 is not None and await optouts.is_opted_out(
        session, message.team_id, ours=message.ours, remote=message.remote
    )


def _left(arrival: Arrival, thread: Conversation, *, stopped: bool) -> Why | None:
    """Why a text that is counted is left unanswered."""
    if arrival.sms.sender.e164 is None:
        return Why.NO_REPLY_POSSIBLE
    if stopped:
        return Why.OPTED_OUT
    return Why.TAKEN_OVER if thread.taken_over_by else None


async def await_answer(session: Session, message: Message, *, after_s: float = 0) -> None:
    """Let a worker answer it, with what else waits in its thread."""
    message.outcome = Outcome.WAITING
    await session.flush()
    await enqueue(
        session,
        ANSWER_JOB,
        lock=message.conversation_id,
        after_s=after_s,
        team_id=message.team_id,
        conversation_id=message.conversation_id,
        message_id=message.id,
    )
