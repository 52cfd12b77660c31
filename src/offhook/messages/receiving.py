"""A text comes in: stored once, its keyword honoured, its unit taken, its answer enqueued (S1, S2).

One transaction, so the carrier hears 2xx only when all of it is kept; told twice, nothing is done
twice. What is not answered is stored all the same, and the thread says why (U5, SM4).
"""

import logging
from dataclasses import dataclass

from sqlalchemy import func, select

from offhook import contacts, inbox, numbers
from offhook.carriers import InboundSms
from offhook.db import Database, Session, enqueue, now, publish
from offhook.failpoints import failpoint
from offhook.inbox import Conversation, Speaker
from offhook.messages import optouts, threads, units, wording
from offhook.messages.events import MessageReceived
from offhook.messages.keywords import Keyword, keyword, wishes_to_stop
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Kind, Outcome, State, Why
from offhook.messages.segments import size

log = logging.getLogger(__name__)

ANSWER_JOB = "messages.answer"
DELIVER_JOB = "messages.deliver"
NOTED = {
    Keyword.STOP: "Opted out",
    Keyword.START: "Opted in again",
    Keyword.HELP: "Asked for help",
}
WISH_NOTE = "Wishes to stop"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A text, the number that it came to, and how long a burst may settle."""

    number: numbers.Number
    account_id: str
    sms: InboundSms
    settle_ms: int


async def receive(
    database: Database, sms: InboundSms, *, account_id: str, settle_ms: int
) -> str | None:
    """Store `sms` and see to its answer; our message's id, or None if the number is nobody's."""
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
    message = await _write(session, arrival, thread)
    word = await _keyword(session, arrival)
    if word is not None:
        await _obey(session, arrival, message, word)
    else:
        await _judge(session, arrival, message)
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
    key = f"{arrival.account_id}/{arrival.sms.message_id}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 1))))
    return await session.scalar(
        select(Message).where(
            Message.team_id == arrival.number.team_id,
            Message.carrier_account == arrival.account_id,
            Message.carrier_id == arrival.sms.message_id,
        )
    )


async def _write(session: Session, arrival: Arrival, thread: Conversation) -> Message:
    number, sms = arrival.number, arrival.sms
    instant = await now(session)
    turn = await inbox.add_turn(
        session,
        number.team_id,
        thread.id,
        speaker=Speaker.CALLER,
        text=sms.body,
        started_at=instant,
        ended_at=instant,
        status=State.RECEIVED,
        media=[{"url": each.url, "content_type": each.content_type} for each in sms.media],
    )
    message = Message(
        team_id=number.team_id,
        number_id=number.id,
        conversation_id=thread.id,
        contact_id=thread.contact_id,
        turn_id=turn.id,
        turn_sequence=turn.sequence,
        direction=Direction.INBOUND,
        carrier_account=arrival.account_id,
        carrier_id=sms.message_id,
        ours=number.e164,
        remote=sms.sender.value,
        body=turn.text,
        encoding=size(turn.text).encoding,
        segments=sms.segments,
        state=State.RECEIVED,
        outcome=Outcome.KEPT,
        created_at=instant,
    )
    session.add(message)
    await session.flush()
    return message


async def _keyword(session: Session, arrival: Arrival) -> Keyword | None:
    """STOP, START or HELP, by the carrier's word or by our own reading (S4)."""
    sms = arrival.sms
    if sms.sender.e164 is None:
        return None
    if sms.opt_out.casefold() in set(Keyword):
        return Keyword(sms.opt_out.casefold())
    stopped = await optouts.is_opted_out(
        session, arrival.number.team_id, ours=arrival.number.e164, remote=sms.sender.value
    )
    return keyword(sms.body, opted_out=stopped)


async def _obey(session: Session, arrival: Arrival, message: Message, word: Keyword) -> None:
    """Honour a keyword whatever limits and status say (UT8); it counts 1 where there is room."""
    number, team_id, remote = arrival.number, message.team_id, message.remote
    pair = {"ours": number.e164, "remote": remote, "conversation_id": message.conversation_id}
    confirmation = wording.HELP_ANSWER
    if word is Keyword.STOP:
        news = await optouts.opt_out(session, team_id, source="keyword", **pair)
        await threads.withdraw_thread(session, team_id, message.conversation_id, Why.OPTED_OUT)
        confirmation = wording.STOP_CONFIRMED if news else ""
    elif word is Keyword.START:
        news = await optouts.opt_in(session, team_id, **pair)
        confirmation = wording.START_CONFIRMED if news else ""
    message.outcome = Outcome.KEYWORD
    await _note(session, message, NOTED[word])
    if confirmation and not arrival.sms.opt_out:  # one at most, and not beside the carrier's own
        await _confirm(session, message, confirmation)
    if await _serves(session, message) is None:
        await units.take(session, message)


async def _confirm(session: Session, message: Message, text: str) -> None:
    """Queue the confirmation: uncounted, and sent whatever the limit says (UT9)."""
    turn = await inbox.add_turn(
        session,
        message.team_id,
        message.conversation_id,
        speaker=Speaker.NOTICE,
        text=text,
        status=State.QUEUED,
    )
    measured = size(text)
    session.add(
        Message(
            team_id=message.team_id,
            number_id=message.number_id,
            conversation_id=message.conversation_id,
            contact_id=message.contact_id,
            turn_id=turn.id,
            turn_sequence=turn.sequence,
            direction=Direction.OUTBOUND,
            kind=Kind.CONFIRMATION,
            carrier_account=message.carrier_account,
            ours=message.ours,
            remote=message.remote,
            body=text,
            encoding=measured.encoding,
            segments=measured.segments,
            state=State.QUEUED,
            created_at=await now(session),
        )
    )
    await session.flush()
    await enqueue_delivery(session, message.team_id, message.conversation_id)


async def _judge(session: Session, arrival: Arrival, message: Message) -> None:
    """Take the unit of an ordinary text and let it be answered, or say why it is not."""
    why = await _serves(session, message)
    caller = arrival.sms.sender.e164
    if why is None and caller and await contacts.screened(session, message.team_id, caller):
        why = Why.BLOCKED
    if why is None and wishes_to_stop(message.body):
        await _note(session, message, WISH_NOTE)
    # The unit is taken last: its counter stays locked until the commit.
    if why is None:
        why = await units.take(session, message)
    if why is None and caller is None:
        why = Why.NO_REPLY_POSSIBLE
    if why is None and await optouts.is_opted_out(
        session, message.team_id, ours=message.ours, remote=message.remote
    ):
        why = Why.OPTED_OUT
    if why is None and await inbox.is_taken_over(session, message.team_id, message.conversation_id):
        why = Why.TAKEN_OVER
    if why is not None:
        await threads.keep(session, [message], why)
        return
    await await_answer(session, message, settle_ms=arrival.settle_ms)


async def await_answer(session: Session, message: Message, *, settle_ms: int = 0) -> None:
    """Let a worker answer it, with what else waits in its thread."""
    message.outcome = Outcome.WAITING
    await session.flush()
    await enqueue(
        session,
        ANSWER_JOB,
        lock=message.conversation_id,
        after_s=settle_ms / 1000,
        team_id=message.team_id,
        conversation_id=message.conversation_id,
        message_id=message.id,
    )


async def _serves(session: Session, message: Message) -> Why | None:
    """Why the number does not serve texts now, whatever its limit says (N9, N11, UN12)."""
    answer = await numbers.answering(
        session, message.team_id, message.number_id, numbers.Service.SMS
    )
    if isinstance(answer, numbers.Answerer):
        return None
    return Why(answer.reason) if answer is not None else Why.DISABLED


async def _note(session: Session, message: Message, note: str) -> None:
    if message.turn_id:
        await inbox.update_turn(session, message.team_id, message.turn_id, note=note)


async def enqueue_delivery(session: Session, team_id: str, conversation_id: str) -> None:
    """Let a worker send what is queued in this thread, after whatever it does there now."""
    await enqueue(
        session,
        DELIVER_JOB,
        lock=conversation_id,
        team_id=team_id,
        conversation_id=conversation_id,
    )
