"""A text comes in: stored once, its keyword honoured, its unit taken, its answer enqueued (S1, S2).

One transaction, so the carrier hears 2xx only when all of it is kept; told twice, nothing is done
twice. What is not answered is stored all the same, and the thread says why (U5, SM4).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from offhook import contacts, inbox, numbers, teams
from offhook.carriers import InboundSms
from offhook.db import (
    Database,
    Session,
    enqueue,
    fetch,
    new_id,
    now,
    publish,
    told_together,
)
from offhook.failpoints import failpoint
from offhook.inbox import Conversation, Speaker
from offhook.messages import obeying, reacting, threads, units
from offhook.messages.events import MessageReceived
from offhook.messages.manners import braking
from offhook.messages.manners.rules import settle_s
from offhook.messages.media import keeping
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Outcome, State, Why
from offhook.messages.segments import size
from offhook.messages.wishes import wish_to_stop

log = logging.getLogger(__name__)

ANSWER_JOB = "messages.answer"
WISH_NOTE = "Wishes to stop"
KNOWN = """
    SELECT id FROM messages
    WHERE team_id = %(team_id)s AND carrier_account = %(account)s AND carrier_id = %(id)s
"""


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
    try:
        message_id = await _stored(database, arrival)
    except IntegrityError:
        message_id = await _told_another_team(database, arrival)
        if message_id is None:
            raise
    failpoint("messages.stored")
    return message_id


async def _stored(database: Database, arrival: Arrival) -> str:
    # The same text twice at once is told one after the other (UT12).
    told_once = f"text {arrival.account_id}/{arrival.sms.message_id}"
    async with database.team(arrival.number.team_id, alone=told_once) as session:
        message_id = await _known(session, arrival)
        if message_id is None:
            async with told_together(session):
                message_id = await _store(session, arrival)
        failpoint("messages.received")
    return message_id


async def _known(session: Session, arrival: Arrival) -> str | None:
    """Our id of a text that was told before (S2)."""
    given = {
        "team_id": arrival.number.team_id,
        "account": arrival.account_id,
        "id": arrival.sms.message_id,
    }
    for (message_id,) in await fetch(session, KNOWN, given):
        return message_id
    return None


async def _told_another_team(database: Database, arrival: Arrival) -> str | None:
    """Our id of a text that was told before, when its number was somebody else's."""
    async with database.system() as session:
        return await session.scalar(
            select(Message.id).where(
                Message.carrier_account == arrival.account_id,
                Message.carrier_id == arrival.sms.message_id,
            )
        )


async def _store(session: Session, arrival: Arrival) -> str:
    """The use case in the team's transaction; our id of the text."""
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
    plan = keeping.planned(sms.media)
    message = await _read(session, arrival, thread, plan, spoken=reacted_to is None)
    if reacted_to is not None:
        counts = threads.not_served(answer) is None and not await _is_blocked(session, arrival)
        await reacting.show(session, message, reacted_to, counts=counts)
    else:
        known = await braking.lately(session, number, thread, message.created_at)
        order = await obeying.order(session, message, sms, stopped=known.stopped)
        if order is not None:
            confirms = known.may_confirm and not sms.opt_out
            await obeying.obey(session, message, order, answer, confirms=confirms)
        else:
            known = known.and_now(message.body, message.created_at)
            await _judge(session, arrival, thread, message, answer, known)
    session.add(message)
    await session.flush()
    await keeping.expect(session, message, sms.media, plan)
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
    return message.id


async def _read(
    session: Session,
    arrival: Arrival,
    thread: Conversation,
    plan: Sequence[keeping.Told],
    *,
    spoken: bool,
) -> Message:
    """The text as it is to be kept, its turn written; a reaction has none of its own (S9)."""
    number, sms = arrival.number, arrival.sms
    turn = await _turn(session, arrival, thread, plan) if spoken else None
    body = turn.text if turn else await teams.as_kept(session, number.team_id, sms.body)
    return Message(
        id=new_id("sms"),
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
        created_at=turn.started_at if turn else await now(session),
    )


async def _turn(
    session: Session, arrival: Arrival, thread: Conversation, plan: Sequence[keeping.Told]
) -> inbox.Turn:
    return await inbox.add_turn(
        session,
        thread.team_id,
        thread.id,
        locked=thread,
        speaker=Speaker.CALLER,
        text=arrival.sms.body,
        at_once=True,
        status=State.RECEIVED,
        media=plan,
    )


async def _judge(
    session: Session,
    arrival: Arrival,
    thread: Conversation,
    message: Message,
    answer: numbers.Answerer | numbers.Refusal | None,
    known: braking.Lately,
) -> None:
    """Take the unit of an ordinary text and let it be answered, or say why it is not."""
    why = threads.not_served(answer)
    if why is None:
        why = await _held_back(session, arrival, message, thread, known)
    if why is None and wish_to_stop(message.body):
        await threads.note(session, message, WISH_NOTE)
    # The unit is taken last: its counter stays locked until the commit.
    if why is None:
        why = await units.take(session, message) or _left(arrival, thread, known)
    if why is not None:
        await threads.keep(session, [message], why)
        await braking.raise_to_team(session, thread, why)
        return
    oldest_s = known.talk.oldest_waiting_s(message.created_at)
    after_s = settle_s(known.manners, default_ms=arrival.settle_ms, oldest_waiting_s=oldest_s)
    await await_answer(session, message, after_s=after_s)
    if thread.last_sequence <= 1:
        await braking.alarm(session, thread)


async def _held_back(
    session: Session,
    arrival: Arrival,
    message: Message,
    thread: Conversation,
    known: braking.Lately,
) -> Why | None:
    """Why this sender's text is not even counted: blocked, or by a brake (P7, SEC11)."""
    if arrival.sms.sender.e164 is None:
        return None
    if await _is_blocked(session, arrival):
        return Why.BLOCKED
    if thread.taken_over_by:  # a person may be texted as often as they like (S7)
        return None
    return braking.held_back(arrival.number, thread, known, message.created_at)


async def _is_blocked(session: Session, arrival: Arrival) -> bool:
    sender = arrival.sms.sender.e164
    if sender is None:
        return False
    return await contacts.screened(session, arrival.number.team_id, sender) is not None


def _left(arrival: Arrival, thread: Conversation, known: braking.Lately) -> Why | None:
    """Why a text that is counted is left unanswered."""
    if arrival.sms.sender.e164 is None:
        return Why.NO_REPLY_POSSIBLE
    if known.stopped:
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
