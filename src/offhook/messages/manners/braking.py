"""What the brakes ask of the tables: whether somebody opted out, the number's manners, a thread's
last texts, the new senders of a block. It is asked at once, and judged by `rules.py`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

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


LATELY = f"""
    WITH known AS MATERIALIZED (
        SELECT
            EXISTS (
                SELECT FROM opt_outs
                WHERE team_id = %(team_id)s AND ours = %(ours)s AND remote = %(remote)s
            ),
            manners.settle_ms, manners.replies_per_hour, manners.replies_per_day,
            manners.new_senders_per_hour, manners.countries, manners.stops_loops,
            replies.confirmed, replies.in_hour, replies.in_day,
            CASE WHEN %(is_young)s AND replies.in_day = 0 THEN (
                SELECT count(*) FROM (
                    SELECT FROM (
                        SELECT opened_at, id FROM conversations
                        WHERE team_id = %(team_id)s AND number_id = %(number_id)s
                            AND channel = '{Channel.SMS}' AND sender <> ''
                            AND sender BETWEEN %(first)s AND %(last)s
                        ORDER BY sender OFFSET 0
                    ) AS block
                    WHERE opened_at > %(since)s
                        AND (opened_at, id) < (%(opened_at)s, %(thread_id)s)
                    LIMIT coalesce(manners.new_senders_per_hour, {Manners().new_senders_per_hour})
                ) AS earlier
            ) ELSE 0 END
        FROM (
            SELECT
                count(*) FILTER (WHERE is_reply AND created_at > %(hour)s) AS in_hour,
                count(*) FILTER (WHERE is_reply) AS in_day,
                count(*) FILTER (WHERE NOT is_reply AND created_at > %(hour)s) AS confirmed
            FROM messages, LATERAL (SELECT kind <> '{Kind.CONFIRMATION}' AS is_reply) AS which
            WHERE team_id = %(team_id)s AND conversation_id = %(thread_id)s
                AND created_at > %(day)s
                AND kind IN ('{Kind.REPLY}', '{Kind.QUESTION}', '{Kind.CONFIRMATION}')
                AND state NOT IN ('{State.DRAFT}', '{State.WITHDRAWN}')
        ) AS replies
        LEFT JOIN text_manners AS manners
            ON manners.team_id = %(team_id)s AND manners.number_id = %(number_id)s
    )
    SELECT known.*,
        recent.direction, recent.created_at, recent.body, recent.kind, recent.outcome, recent.why
    FROM known LEFT JOIN LATERAL (
        SELECT * FROM messages
        WHERE team_id = %(team_id)s AND conversation_id = %(thread_id)s
            AND created_at > %(hour)s AND turn_sequence IS NOT NULL
        ORDER BY turn_sequence DESC LIMIT {RECENT}
    ) AS recent ON true
    ORDER BY recent.turn_sequence DESC
"""
"""The block is ordered and shut off: whatever the server knows of its tables, it reads its threads
by their index, and never all that a flood has opened within the hour.
"""
IS_FLOODED = f"""
    SELECT count(*) = %(most)s FROM (
        SELECT FROM conversations
        WHERE team_id = %(team_id)s AND channel = '{Channel.SMS}' AND opened_at > %(since)s
            AND NOT EXISTS (
                SELECT FROM conversations
                WHERE team_id = %(team_id)s AND person_needed <> '' AND person_needed = '{ALARMED}'
                    AND last_activity_at > %(since)s AND opened_at > %(since)s
            )
        ORDER BY opened_at DESC, id DESC LIMIT %(most)s
    ) AS lately
"""
"""Whether so many are new and nobody was told; once somebody is, none is counted."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What a thread's next reply goes by, as it stands at one instant.

    `stopped`: whether they opted out of this number's texts (S4). `confirmed`: answers to keywords
    within the hour. `new_senders`: the threads of
    the sender's block that are newer than an hour and older than this one, where that matters;
    the counting ends at what the manners allow.
    """

    stopped: bool
    manners: Manners
    talk: Talk
    confirmed: int
    new_senders: int

    @property
    def may_confirm(self) -> bool:
        """Whether a keyword is answered: a machine could ask for help without end (SEC11)."""
        return self.confirmed < self.manners.replies_per_hour

    def and_now(self, text: str, at: datetime) -> "Lately":
        """With a text that has just come and is not stored yet."""
        newest = Said(ours=False, at=at, text=text)
        return replace(self, talk=replace(self.talk, recent=(newest, *self.talk.recent)))


async def lately(
    session: Session, number: numbers.Number, thread: Conversation, instant: datetime
) -> Lately:
    """Asked in one wait, for each text and each reply asks it."""
    hour_ago = instant - HOUR
    first, last = rules.block_of(thread.sender)
    given = {
        "team_id": thread.team_id,
        "thread_id": thread.id,
        "number_id": thread.number_id,
        "ours": number.e164,
        "remote": phone.canonical(thread.sender),
        "hour": hour_ago,
        "day": instant - DAY,
        "is_young": thread.opened_at > hour_ago,
        "first": first,
        "last": last,
        "since": thread.opened_at - HOUR,
        "opened_at": thread.opened_at,
    }
    rows = await fetch(session, LATELY, given)
    stopped, settle_ms, hourly, daily, newcomers, countries, parts, *counts = rows[0][:11]
    confirmed, in_hour, in_day, new_senders = counts
    manners = (
        Manners(settle_ms, hourly, daily, newcomers, tuple(countries), parts)
        if countries is not None
        else Manners()
    )
    recent = tuple(_said(*row[11:]) for row in rows if row[11] is not None)
    return Lately(stopped, manners, Talk(in_hour, in_day, recent), confirmed, new_senders)


def held_back(
    number: numbers.Number, thread: Conversation, known: Lately, instant: datetime
) -> Why | None:
    """Why the newest text of this thread gets no reply, and nothing is counted for it (SEC11)."""
    manners, talk = known.manners, known.talk
    sender = phone.E164(thread.sender)
    if not rules.answers_country(manners, phone.country_of(sender), number.country):
        return Why.COUNTRY
    if (why := rules.held_back(manners, talk, instant)) is not None:
        return why
    if any(each.by_hand for each in talk.recent):  # we wrote to them first
        return None
    return Why.BLOCK_BRAKE if known.new_senders >= manners.new_senders_per_hour else None


async def raise_to_team(session: Session, thread: Conversation, why: Why) -> None:
    """Let a person look at it, once (I6); of a block one of its senders."""
    if why not in NEEDS_PERSON or thread.person_needed:
        return
    if why is Why.BLOCK_BRAKE and await _raised(session, thread):
        return
    await inbox.need_person(session, thread.team_id, thread.id, NEEDS_PERSON[why])


async def alarm(session: Session, thread: Conversation) -> None:
    """Tell the team of a flood of new senders, once in an hour; nothing is held back for it."""
    since = thread.opened_at - HOUR
    given = {"team_id": thread.team_id, "since": since, "most": ALARM}
    ((is_flooded,),) = await fetch(session, IS_FLOODED, given)
    if is_flooded:
        await inbox.need_person(session, thread.team_id, thread.id, ALARMED)


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
        .order_by(row.sender)  # by the index of senders
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
