"""What of a thread is unfinished: texts that wait for an answer, texts that wait to be sent."""

from collections.abc import Sequence

from sqlalchemy import func, select

from offhook import inbox, numbers, teams
from offhook.db import Session, enqueue, for_change, now, publish
from offhook.messages import units, wording
from offhook.messages.events import MessageRefused
from offhook.messages.models import Direction, Message
from offhook.messages.rules import NOT_SENT, NOTES, Kind, Outcome, State, Why

DELIVER_JOB = "messages.deliver"
UNSENT = (State.QUEUED, State.SENDING)


async def waiting(session: Session, team_id: str, conversation_id: str) -> list[Message]:
    """Texts of the thread that are to be answered, in order."""
    rows = await session.scalars(
        select(Message)
        .where(
            Message.team_id == team_id,
            Message.conversation_id == conversation_id,
            Message.outcome == Outcome.WAITING,
        )
        .order_by(Message.turn_sequence)
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def draft(session: Session, team_id: str, conversation_id: str) -> Message | None:
    """The reply that is being thought of, whose unit is held; locked."""
    return await session.scalar(
        for_change(
            select(Message).where(
                Message.team_id == team_id,
                Message.conversation_id == conversation_id,
                Message.state == State.DRAFT,
            )
        )
    )


async def unsent(session: Session, team_id: str, conversation_id: str) -> list[str]:
    """Ids of texts of ours that the carrier is not known to have, in order."""
    rows = await session.scalars(
        select(Message.id)
        .where(
            Message.team_id == team_id,
            Message.conversation_id == conversation_id,
            Message.state.in_(UNSENT),
            Message.carrier_id.is_(None),
        )
        .order_by(Message.turn_sequence)
    )
    return list(rows)


async def not_heard(session: Session, team_id: str, conversation_id: str) -> set[str]:
    """Turns that are no part of the talk: keywords, and texts that were kept unanswered, which
    are not answered later either (N9, UT4). What a person was left to answer is part of it (S7).
    """
    rows = await session.scalars(
        select(Message.turn_id).where(
            Message.team_id == team_id,
            Message.conversation_id == conversation_id,
            Message.outcome.in_((Outcome.KEYWORD, Outcome.KEPT)),
            Message.why.is_distinct_from(Why.TAKEN_OVER),
        )
    )
    return {each for each in rows if each}


async def last_of_ours(
    session: Session, team_id: str, conversation_id: str, limit: int = 1
) -> list[Message]:
    """The newest texts of ours in the thread that were handed over, or are about to be."""
    rows = await session.scalars(
        select(Message)
        .where(
            Message.team_id == team_id,
            Message.conversation_id == conversation_id,
            Message.direction == Direction.OUTBOUND,
            Message.turn_sequence.is_not(None),
            Message.state.not_in((State.WITHDRAWN, State.FAILED)),
        )
        .order_by(Message.turn_sequence.desc())
        .limit(limit)
    )
    return list(rows)


def not_served(answer: numbers.Answerer | numbers.Refusal | None) -> Why | None:
    """Why the number does not serve texts now, whatever its limit says (N9, N11, UN12)."""
    if isinstance(answer, numbers.Answerer):
        return None
    return Why(answer.reason) if answer is not None else Why.DISABLED


async def note(session: Session, message: Message, sentence: str) -> None:
    """Say something beside the bubble of this text."""
    if message.turn_id:
        await inbox.update_turn(session, message.team_id, message.turn_id, note=sentence)


async def enqueue_delivery(session: Session, team_id: str, conversation_id: str) -> None:
    """Let a worker send what is queued in this thread, after whatever it does there now."""
    await enqueue(
        session,
        DELIVER_JOB,
        lock=conversation_id,
        team_id=team_id,
        conversation_id=conversation_id,
    )


async def keep(session: Session, messages: Sequence[Message], why: Why) -> None:
    """These texts get no answer, and the thread says why."""
    for message in messages:
        message.outcome = Outcome.KEPT
        message.why = why
        await note(session, message, NOTES[why])
        await publish(
            session,
            MessageRefused(
                team_id=message.team_id,
                conversation_id=message.conversation_id,
                message_id=message.id,
                number_id=message.number_id,
                contact_id=message.contact_id,
                reason=why,
            ),
        )


async def withdraw(session: Session, message: Message, why: Why) -> None:
    """A text of ours is not sent after all: its unit is given back, the thread says why."""
    message.state = State.WITHDRAWN
    message.why = why
    message.ended_at = await now(session)
    await forget_words(session, message)
    await session.flush()
    if message.turn_id:
        await inbox.update_turn(
            session,
            message.team_id,
            message.turn_id,
            status=State.WITHDRAWN,
            note=NOT_SENT.get(why, NOTES[why]),
        )
    await units.give_back(session, message, reason=f"not sent: {why}")


async def leave_to_person(session: Session, team_id: str, conversation_id: str) -> None:
    """The agent falls silent: what waits is a person's, what it was about to say is not sent."""
    await keep(session, await waiting(session, team_id, conversation_id), Why.TAKEN_OVER)
    rows = await session.scalars(
        select(Message)
        .where(
            Message.team_id == team_id,
            Message.conversation_id == conversation_id,
            Message.state.in_((State.DRAFT, State.QUEUED)),
            Message.kind.in_((Kind.REPLY, Kind.QUESTION)),
        )
        .with_for_update(key_share=True)
    )
    for message in rows:
        await withdraw(session, message, Why.TAKEN_OVER)


async def left_unanswered(session: Session, team_id: str, conversation_id: str) -> list[Message]:
    """What was left to a person since anybody of ours last said something, in order."""
    answered = (
        select(func.coalesce(func.max(Message.turn_sequence), 0))
        .where(
            Message.team_id == team_id,
            Message.conversation_id == conversation_id,
            Message.kind.in_((Kind.BY_HAND, Kind.REPLY, Kind.QUESTION)),
            Message.state.not_in((State.DRAFT, State.WITHDRAWN)),
        )
        .scalar_subquery()
    )
    rows = await session.scalars(
        select(Message)
        .where(
            Message.team_id == team_id,
            Message.conversation_id == conversation_id,
            Message.why == Why.TAKEN_OVER,
            Message.outcome == Outcome.KEPT,
            Message.turn_sequence > answered,
        )
        .order_by(Message.turn_sequence)
        .with_for_update(key_share=True)
    )
    return list(rows)


async def forget_words(session: Session, message: Message) -> None:
    """It is not handed over any more: of its words is kept what its turn shows (SEC20, SEC10)."""
    shown = wording.CODE_SENT if message.kind is Kind.CODE else message.body
    message.body = await teams.as_kept(session, message.team_id, shown)


async def withdraw_thread(session: Session, team_id: str, conversation_id: str, why: Why) -> None:
    """Nothing more is answered or sent in this thread: STOP came (S4)."""
    await keep(session, await waiting(session, team_id, conversation_id), why)
    rows = await session.scalars(
        select(Message)
        .where(
            Message.team_id == team_id,
            Message.conversation_id == conversation_id,
            Message.state.in_((State.DRAFT, State.QUEUED)),
            Message.kind != Kind.CONFIRMATION,
        )
        .with_for_update(key_share=True)
    )
    for message in rows:
        await withdraw(session, message, why)


async def withdraw_number(session: Session, team_id: str, number_id: str, why: Why) -> None:
    """Replies of a number that was switched off and are not yet handed over are not sent (N9)."""
    rows = await session.scalars(
        select(Message)
        .where(
            Message.team_id == team_id,
            Message.number_id == number_id,
            Message.state.in_((State.DRAFT, State.QUEUED)),
            Message.kind != Kind.CONFIRMATION,
        )
        .order_by(Message.id)
        .with_for_update(key_share=True)
    )
    for message in rows:
        await withdraw(session, message, why)
    waits = await session.scalars(
        select(Message).where(
            Message.team_id == team_id,
            Message.number_id == number_id,
            Message.outcome == Outcome.WAITING,
        )
    )
    await keep(session, list(waits), why)
