"""What the brakes ask of the tables: a thread's last texts, and the new senders of a block."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from offhook import inbox, numbers, phone
from offhook.db import Session, fetch
from offhook.inbox import Channel, Conversation
from offhook.messages.manners import rules
from offhook.messages.manners.rules import Manners, Said, Talk
from offhook.messages.models import Direction
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


TALK = f"""
    SELECT replies.in_hour, replies.in_day,
        recent.direction, recent.created_at, recent.body, recent.kind, recent.outcome, recent.why
    FROM (
        SELECT count(*) FILTER (WHERE created_at > %(hour)s) AS in_hour, count(*) AS in_day
        FROM messages
        WHERE team_id = %(team_id)s AND conversation_id = %(thread_id)s
            AND created_at > %(day)s AND kind IN ('{Kind.REPLY}', '{Kind.QUESTION}')
            AND state NOT IN ('{State.DRAFT}', '{State.WITHDRAWN}')
    ) AS replies
    LEFT JOIN LATERAL (
        SELECT * FROM messages
        WHERE team_id = %(team_id)s AND conversation_id = %(thread_id)s
            AND created_at > %(hour)s AND turn_sequence IS NOT NULL
        ORDER BY turn_sequence DESC LIMIT {RECENT}
    ) AS recent ON true
    ORDER BY recent.turn_sequence DESC
"""  # noqa: S608 - constants of our own
NEW_SENDERS = """
    SELECT count(*) FROM (
        SELECT FROM conversations
        WHERE team_id = %(team_id)s AND number_id = %(number_id)s AND channel = 'sms'
            AND sender BETWEEN %(first)s AND %(last)s
            AND opened_at > %(since)s AND (opened_at, id) < (%(opened_at)s, %(thread_id)s)
        LIMIT %(most)s
    ) AS earlier
"""


async def talk(session: Session, thread: Conversation, instant: datetime) -> Talk:
    """The thread's texts of the hour before `instant`, its replies of that hour and day."""
    if thread.last_sequence <= 1:
        return Talk()
    given = {"team_id": thread.team_id, "thread_id": thread.id}
    rows = await fetch(session, TALK, {**given, "hour": instant - HOUR, "day": instant - DAY})
    hour, day = rows[0][:2]
    return Talk(hour, day, tuple(_said(*row[2:]) for row in rows if row[2] is not None))


async def held_back(
    session: Session,
    number: numbers.Number,
    thread: Conversation,
    lately: Talk,
    manners: Manners,
    instant: datetime,
) -> Why | None:
    """Why the newest text of this thread gets no reply, and nothing is counted for it (SEC11)."""
    sender = phone.E164(thread.sender)
    if not rules.answers_country(manners, phone.country_of(sender), number.country):
        return Why.COUNTRY
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
    given = {
        "team_id": thread.team_id,
        "number_id": thread.number_id,
        "first": first,
        "last": last,
        "since": thread.opened_at - HOUR,
        "opened_at": thread.opened_at,
        "thread_id": thread.id,
        "most": most,
    }
    ((count,),) = await fetch(session, NEW_SENDERS, given)
    return count


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


def _said(
    direction: str, at: datetime, text: str, kind: str | None, outcome: str | None, why: str | None
) -> Said:
    return Said(
        ours=direction == Direction.OUTBOUND,
        at=at,
        text=text,
        by_hand=kind in WRITTEN,
        waits=outcome == Outcome.WAITING,
        looped=why == Why.LOOP,
    )
