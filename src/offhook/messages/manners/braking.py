"""What the brakes ask of the tables: a thread's last texts, and the new senders of a block."""

from datetime import timedelta

from sqlalchemy import func, or_, select

from offhook import inbox, numbers, phone
from offhook.db import Session, now
from offhook.inbox import Channel, Conversation
from offhook.messages.manners import rules
from offhook.messages.manners.rules import Manners, Said, Talk
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Kind, Outcome, State, Why

RECENT = 24
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ALARM = 300
"""So many new senders of a team within an hour, on whatever numbers, are told to it."""
ALARMED = "Hundreds of new senders text at once: see whether they are customers."
WRITTEN = (Kind.BY_HAND, Kind.TASK)
NEEDS_PERSON = {
    Why.LOOP: "Two machines seem to text each other; the agent keeps silent for an hour.",
    Why.SENDER_BRAKE: "This sender texts more than the number answers in an hour or a day.",
    Why.BLOCK_BRAKE: "Many unknown senders of one block of numbers text at once.",
}
"""What of this is raised to the team, and how (I6)."""


async def talk(session: Session, thread: Conversation) -> Talk:
    """The thread's texts of the last hour, its replies of the last hour and day."""
    if thread.last_sequence <= 1:
        return Talk()
    instant = await now(session)
    ours = (Message.team_id == thread.team_id) & (Message.conversation_id == thread.id)
    in_hour = Message.created_at > instant - HOUR
    day, hour = (
        await session.execute(
            select(func.count(), func.count().filter(in_hour)).where(
                ours,
                Message.kind.in_((Kind.REPLY, Kind.QUESTION)),
                Message.state.not_in((State.DRAFT, State.WITHDRAWN)),
                Message.created_at > instant - DAY,
            )
        )
    ).one()
    rows = await session.scalars(
        select(Message)
        .where(ours, Message.turn_sequence.is_not(None), in_hour)
        .order_by(Message.turn_sequence.desc())
        .limit(RECENT)
    )
    return Talk(hour, day, tuple(_said(each) for each in rows))


async def held_back(
    session: Session,
    number: numbers.Number,
    thread: Conversation,
    lately: Talk,
    manners: Manners,
) -> Why | None:
    """Why the newest text of this thread gets no reply, and nothing is counted for it (SEC11)."""
    sender = phone.E164(thread.sender)
    if not rules.answers_country(manners, phone.country_of(sender), number.country):
        return Why.COUNTRY
    instant = await now(session)
    why = rules.held_back(manners, lately, instant)
    if why is not None or thread.opened_at <= instant - HOUR or lately.replies_day:
        return why
    if any(each.by_hand for each in lately.recent):  # we wrote to them first
        return None
    before = await _new_senders(session, thread, manners.new_senders_per_hour)
    return Why.BLOCK_BRAKE if before >= manners.new_senders_per_hour else None


async def raise_to_team(session: Session, thread: Conversation, why: Why) -> None:
    """Let a person look at it, once (I6); of a block one of its senders."""
    if why not in NEEDS_PERSON or thread.person_needed:
        return
    if why is Why.BLOCK_BRAKE and await _raised(session, thread):
        return
    await inbox.need_person(session, thread.team_id, thread.id, NEEDS_PERSON[why])


async def alarm(session: Session, thread: Conversation) -> None:
    """Tell the team of a flood of new senders, once in an hour; nothing is held back for it."""
    row = Conversation
    lately = (row.team_id == thread.team_id) & (row.opened_at > thread.opened_at - HOUR)
    opened = select(row.id).where(lately, row.channel == Channel.SMS).limit(ALARM)
    count = await session.scalar(select(func.count()).select_from(opened.subquery())) or 0
    if count < ALARM:
        return
    told = select(row.id).where(lately, row.person_needed == ALARMED).limit(1)
    if await session.scalar(told) is None:
        await inbox.need_person(session, thread.team_id, thread.id, ALARMED)


async def _new_senders(session: Session, thread: Conversation, most: int) -> int:
    """How many threads of the sender's block are newer than an hour and older than this one; the
    counting ends at `most`.
    """
    first, last = rules.block_of(thread.sender)
    row = Conversation
    earlier = (
        select(row.id)
        .where(
            row.team_id == thread.team_id,
            row.number_id == thread.number_id,
            row.channel == Channel.SMS,
            row.sender.between(first, last),
            row.opened_at > thread.opened_at - HOUR,
            or_(
                row.opened_at < thread.opened_at,
                (row.opened_at == thread.opened_at) & (row.id < thread.id),
            ),
        )
        .limit(most)
    )
    return await session.scalar(select(func.count()).select_from(earlier.subquery())) or 0


async def _raised(session: Session, thread: Conversation) -> bool:
    first, last = rules.block_of(thread.sender)
    row = Conversation
    found = await session.scalar(
        select(row.id)
        .where(
            row.team_id == thread.team_id,
            row.number_id == thread.number_id,
            row.sender.between(first, last),
            row.person_needed == NEEDS_PERSON[Why.BLOCK_BRAKE],
        )
        .limit(1)
    )
    return found is not None


def _said(message: Message) -> Said:
    return Said(
        ours=message.direction is Direction.OUTBOUND,
        at=message.created_at,
        text=message.body,
        by_hand=message.kind in WRITTEN,
        waits=message.outcome is Outcome.WAITING,
        looped=message.why is Why.LOOP,
    )
