"""Use cases of the inbox: conversations and their turns, written by calls and messages alike.

Each takes a session and the team; the caller commits. A turn's number is drawn under the lock of
its conversation, so turns are gapless and in order however many write at once (I5). Reading is in
`reading.py`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm.attributes import set_committed_value

from offhook import teams
from offhook.db import Session, fetch, for_change, new_id, now, publish, team_word, told_time, touch
from offhook.errors import Conflict, NotFound
from offhook.inbox import rules
from offhook.inbox.events import (
    ConversationEnded,
    ConversationHumanRequired,
    ConversationStarted,
)
from offhook.inbox.models import Channel, Conversation, Labelled, Speaker, State, Turn
from offhook.inbox.summaries import enqueue_summary
from offhook.inbox.words import folded

WORDS = "to_tsvector('simple', %(words)s) || array_to_tsvector(ARRAY[%(team)s::text])"
"""What the search finds a turn by (I3)."""
APPEND = f"""
    WITH moment AS MATERIALIZED (
        SELECT coalesce(%(present)s::timestamptz, clock_timestamp()) AS at
    ), moved AS (
        UPDATE conversations
        SET last_sequence = last_sequence + 1, last_activity_at = greatest(last_activity_at, at),
            preview = coalesce(%(preview)s, preview),
            last_heard_at = CASE WHEN %(is_heard)s THEN at ELSE last_heard_at END,
            snoozed_until = CASE WHEN %(is_heard)s THEN NULL ELSE snoozed_until END
        FROM moment
        WHERE id = %(conversation_id)s AND team_id = %(team_id)s
        RETURNING last_sequence, last_activity_at, preview, last_heard_at, snoozed_until
    ), turn AS (
        INSERT INTO turns (id, team_id, conversation_id, sequence, speaker, author, text,
            started_at, ended_at, status, note, citations, media)
        SELECT %(id)s, %(team_id)s, %(conversation_id)s, last_sequence, %(speaker)s, %(author)s,
            %(text)s, coalesce(%(started_at)s::timestamptz, at),
            CASE WHEN %(at_once)s THEN at ELSE %(ended_at)s::timestamptz END, %(status)s, %(note)s,
            %(citations)s, %(media)s
        FROM moved, moment
        RETURNING started_at, ended_at
    ), words AS (
        INSERT INTO turn_words (turn_id, conversation_id, words)
        VALUES (%(id)s, %(conversation_id)s, {WORDS})
    ), labelled AS (
        UPDATE inbox_labelled AS label SET last_activity_at = moved.last_activity_at FROM moved
        WHERE label.team_id = %(team_id)s AND label.conversation_id = %(conversation_id)s
    )
    SELECT turn.*, moved.* FROM turn, moved
"""
"""The conversation is locked before it, so that its times are in the order of its turns (UM7)."""
APPENDED = (
    *("id", "team_id", "conversation_id", "author", "text", "started_at", "ended_at"),
    *("status", "note"),
)
MOVED = ("last_sequence", "last_activity_at", "preview", "last_heard_at", "snoozed_until")
INDEX = f"""
    INSERT INTO turn_words (turn_id, conversation_id, words)
    VALUES (%(turn_id)s, %(conversation_id)s, {WORDS})
    ON CONFLICT (turn_id) DO UPDATE SET words = excluded.words
    RETURNING turn_id
"""


class ConversationNotFound(NotFound):
    code = "conversation_not_found"


class CallIsLive(Conflict):
    code = "call_is_live"


class NotAThread(Conflict):
    code = "not_a_thread"


async def get(
    session: Session, team_id: str, conversation_id: str, *, lock: bool = False
) -> Conversation:
    """Raises ConversationNotFound, also for another team's (SEC7). `lock` until the commit."""
    query = select(Conversation).where(
        Conversation.team_id == team_id, Conversation.id == conversation_id
    )
    if lock:
        query = for_change(query)
    conversation = await session.scalar(query)
    if conversation is None:
        raise ConversationNotFound(
            f"There is no conversation “{conversation_id[:40]}”.", remedy="Take an id of the inbox."
        )
    return conversation


async def open_conversation(
    session: Session,
    team_id: str,
    *,
    channel: Channel,
    number_id: str,
    sender: str,
    contact_id: str | None = None,
    agent_id: str | None = None,
    agent_version: int | None = None,
    call_id: str | None = None,
    refused: str = "",
    at: datetime | None = None,
) -> Conversation:
    """A new conversation: LIVE for a call, OPEN for texts.

    With `refused` (a reason) it is a call that was not answered: a record without life, never
    unread, announced by calls alone (C1). `sender` is "" for who hides. `at`: when it began.
    """
    instant = at or await now(session)
    conversation = Conversation(
        team_id=team_id,
        channel=channel,
        number_id=number_id,
        contact_id=contact_id,
        sender=sender,
        state=State.NOT_ANSWERED if refused else rules.FIRST[channel],
        reason=refused,
        agent_id=agent_id,
        agent_version=agent_version,
        call_id=call_id,
        opened_at=instant,
        closed_at=instant if refused else None,
        last_activity_at=instant,
    )
    session.add(conversation)
    await session.flush()
    if not refused:
        await _announce_start(session, conversation)
    await told(session, conversation)
    return conversation


async def open_thread(
    session: Session,
    team_id: str,
    *,
    number_id: str,
    sender: str,
    contact_id: str | None = None,
) -> Conversation:
    """The one SMS thread of this number and sender, opened or reopened as needed, and locked.

    Whoever hides has no thread in common with others who hide (P5): each text opens its own.
    """
    if not sender:
        return await open_conversation(
            session, team_id, channel=Channel.SMS, number_id=number_id, sender=""
        )
    while True:
        thread = await session.scalar(
            for_change(
                select(Conversation).where(
                    Conversation.team_id == team_id,
                    Conversation.channel == Channel.SMS,
                    Conversation.number_id == number_id,
                    Conversation.sender == sender,
                )
            )
        )
        if thread is not None:
            await reopen(session, thread)
            return thread
        instant = told_time(session) or func.statement_timestamp()
        made = await session.scalar(
            insert(Conversation)
            .values(
                id=new_id("cnv"),
                team_id=team_id,
                channel=Channel.SMS,
                number_id=number_id,
                contact_id=contact_id,
                sender=sender,
                state=State.OPEN,
                opened_at=instant,
                last_activity_at=instant,
                reason="",
                preview="",
                last_sequence=0,
            )
            .on_conflict_do_nothing()
            .returning(Conversation)
        )
        if made is not None:  # else somebody else made it, and we waited for their commit
            await _announce_start(session, made)
            await told(session, made)
            return made


async def reopen(session: Session, thread: Conversation) -> None:
    """A closed thread goes on, same identity and memory (S8); anything else stays as it is."""
    if (thread.channel, thread.state) not in rules.REOPENS:
        return
    thread.state = State.OPEN
    thread.reason = ""
    thread.closed_at = None
    await _is_active(session, thread, await now(session))
    await _announce_start(session, thread)
    await told(session, thread)


async def set_agent(
    session: Session, conversation: Conversation, agent_id: str, version: int
) -> None:
    """Which agent, in which version, answers from here on."""
    conversation.agent_id = agent_id
    conversation.agent_version = version
    await session.flush()


async def add_turn(
    session: Session,
    team_id: str,
    conversation_id: str,
    *,
    locked: Conversation | None = None,
    speaker: Speaker,
    text: str,
    author: str = "",
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    at_once: bool = False,
    status: str = "",
    note: str = "",
    citations: Sequence[dict[str, Any]] = (),
    media: Sequence[dict[str, Any]] = (),
) -> Turn:
    """Append a turn with the next number of its conversation; the newest activity moves up (I1).

    `locked`: the conversation, where it is locked already, as `open_thread` gives it. `author`: who
    of the team said it. It starts now where no other time is given, and ends in the same moment
    with `at_once`. Text is cut at 4 kB (SEC26) and made storable (SM8), `author` to its column.
    The turn that is returned is to be read: it is changed by `update_turn`.
    """
    conversation = locked or await get(session, team_id, conversation_id, lock=True)
    turn = Turn(
        id=new_id("trn"),
        team_id=team_id,
        conversation_id=conversation_id,
        speaker=speaker,
        author=author[: rules.MAX_AUTHOR_CHARACTERS],
        text=await _kept(session, team_id, text),
        started_at=started_at,
        ended_at=ended_at,
        status=status,
        note=note,
        reaction="",
        citations=list(citations),
        media=list(media),
    )
    await session.flush()  # whatever else of the conversation was changed
    await _append(session, conversation, turn, at_once=at_once)
    await told(session, conversation)
    return turn


async def _append(
    session: Session, conversation: Conversation, turn: Turn, *, at_once: bool
) -> None:
    """Write the turn, move its conversation up and let the search find it (I1, I3), in one wait."""
    speaks = turn.speaker is not Speaker.NOTICE
    given = {
        **{each: getattr(turn, each) for each in APPENDED},
        "speaker": turn.speaker.value,
        "citations": Jsonb(turn.citations),
        "media": Jsonb(turn.media),
        "present": told_time(session),
        "at_once": at_once,
        "preview": rules.preview(turn.text, media=len(turn.media)) if speaks else None,
        "is_heard": rules.is_heard(turn.speaker),
        "words": folded(turn.text),
        "team": team_word(turn.team_id),
    }
    ((started_at, ended_at, *moved),) = await fetch(session, APPEND, given)
    turn.started_at = started_at.astimezone(UTC)
    turn.ended_at = ended_at.astimezone(UTC) if ended_at else None
    for name, value in zip(MOVED, moved, strict=True):
        is_time = isinstance(value, datetime)
        set_committed_value(conversation, name, value.astimezone(UTC) if is_time else value)
    turn.sequence = conversation.last_sequence


async def _is_active(session: Session, conversation: Conversation, at: datetime) -> None:
    """It goes up in the list, and in that of each of its labels."""
    conversation.last_activity_at = max(conversation.last_activity_at, at)
    if conversation.labels:
        await session.execute(
            update(Labelled)
            .where(
                Labelled.team_id == conversation.team_id,
                Labelled.conversation_id == conversation.id,
            )
            .values(last_activity_at=conversation.last_activity_at)
            .execution_options(synchronize_session=False)
        )


async def _index(session: Session, turn: Turn) -> None:
    """Let the search find what was said (I3)."""
    await fetch(
        session,
        INDEX,
        {
            "turn_id": turn.id,
            "conversation_id": turn.conversation_id,
            "words": folded(turn.text),
            "team": team_word(turn.team_id),
        },
    )


async def _kept(session: Session, team_id: str, text: str) -> str:
    """What of a text is kept: without card numbers, where the team asked for that (SEC20)."""
    return rules.storable(await teams.as_kept(session, team_id, text))


async def update_turn(
    session: Session,
    team_id: str,
    turn_id: str,
    *,
    text: str | None = None,
    ended_at: datetime | None = None,
    status: str | None = None,
    note: str | None = None,
    citations: Sequence[dict[str, Any]] | None = None,
    media: Sequence[dict[str, Any]] | None = None,
    reaction: str | None = None,
) -> None:
    """Change what is given and leave the rest: an interrupted reply's text, a delivery state."""
    changes: dict[str, Any] = {
        "text": None if text is None else await _kept(session, team_id, text),
        "ended_at": ended_at,
        "status": status,
        "note": note,
        "citations": None if citations is None else list(citations),
        "media": None if media is None else list(media),
        "reaction": reaction,
    }
    changed = {name: value for name, value in changes.items() if value is not None}
    if not changed:
        return
    turn = await session.scalar(
        update(Turn)
        .where(Turn.team_id == team_id, Turn.id == turn_id)
        .values(**changed)
        .returning(Turn)
        .execution_options(populate_existing=True)
    )
    if turn is None:
        return
    if "text" in changed:
        await _index(session, turn)
    await touch(session, team_id, f"conversation:{turn.conversation_id}")


async def close(
    session: Session,
    team_id: str,
    conversation_id: str,
    *,
    reason: str = "",
    at: datetime | None = None,
) -> Conversation:
    """End a conversation; one that has ended already stays as it is."""
    conversation = await get(session, team_id, conversation_id, lock=True)
    if conversation.state not in rules.CLOSES:
        return conversation
    conversation.state = State.CLOSED
    conversation.reason = reason
    conversation.closed_at = at or await now(session)
    # The next text is the agent's again: nobody waits for a person who is done (S7, S8).
    conversation.taken_over_by, conversation.taken_over_at = "", None
    await session.flush()
    await enqueue_summary(session, conversation)
    await publish(
        session,
        ConversationEnded(
            team_id=team_id,
            conversation_id=conversation.id,
            channel=conversation.channel,
            number_id=conversation.number_id,
            contact_id=conversation.contact_id,
            reason=reason,
        ),
    )
    await told(session, conversation)
    return conversation


async def close_by_hand(session: Session, team_id: str, conversation_id: str) -> Conversation:
    """Close a thread (S8), which ends a snooze too; one that closes by itself still comes back. A
    live call is ended on its own page, not here.
    """
    conversation = await get(session, team_id, conversation_id, lock=True)
    if conversation.state is State.LIVE:
        raise CallIsLive("The call is still going on.", remedy="End it on the call's page.")
    conversation.snoozed_until = None
    await session.flush()
    return await close(session, team_id, conversation_id, reason="by_hand")


async def reopen_by_hand(session: Session, team_id: str, conversation_id: str) -> Conversation:
    """Open a closed thread again (S8); one that is open stays as it is. Raises NotAThread."""
    conversation = await thread(session, team_id, conversation_id)
    await reopen(session, conversation)
    return conversation


async def thread(session: Session, team_id: str, conversation_id: str) -> Conversation:
    """A thread of texts, locked. Raises NotAThread for a call."""
    conversation = await get(session, team_id, conversation_id, lock=True)
    if conversation.channel is not Channel.SMS:
        raise NotAThread("This conversation is a call.", remedy="Choose a thread of texts.")
    return conversation


async def close_idle_threads(session: Session, *, before: datetime, limit: int = 200) -> int:
    """Close threads of every team without a text since `before` (S8). System scope."""
    idle = (
        select(Conversation.id, Conversation.team_id)
        .where(
            Conversation.channel == Channel.SMS,
            Conversation.state == State.OPEN,
            Conversation.last_activity_at < before,
        )
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    rows = (await session.execute(idle)).all()
    for conversation_id, team_id in rows:
        await close(session, team_id, conversation_id, reason="quiet")
    return len(rows)


async def need_person(
    session: Session, team_id: str, conversation_id: str, reason: str
) -> Conversation:
    """Ask for a person of the team (I6). Announced once until somebody has seen to it."""
    conversation = await get(session, team_id, conversation_id, lock=True)
    asked_before = bool(conversation.person_needed)
    conversation.person_needed = rules.reason(await teams.as_kept(session, team_id, reason))
    await session.flush()
    if not asked_before:
        await publish(
            session,
            ConversationHumanRequired(
                team_id=team_id,
                conversation_id=conversation.id,
                channel=conversation.channel,
                number_id=conversation.number_id,
                contact_id=conversation.contact_id,
                reason=conversation.person_needed,
            ),
        )
    await told(session, conversation)
    return conversation


async def seen_to(session: Session, team_id: str, conversation_id: str) -> Conversation:
    """A person of the team has seen to it: nobody is needed any more."""
    conversation = await get(session, team_id, conversation_id, lock=True)
    conversation.person_needed = ""
    await session.flush()
    await told(session, conversation)
    return conversation


async def _announce_start(session: Session, conversation: Conversation) -> None:
    await publish(
        session,
        ConversationStarted(
            team_id=conversation.team_id,
            conversation_id=conversation.id,
            channel=conversation.channel,
            number_id=conversation.number_id,
            contact_id=conversation.contact_id,
        ),
    )


async def told(session: Session, conversation: Conversation) -> None:
    """Tell open pages that it changed."""
    await touch(session, conversation.team_id, "inbox", f"conversation:{conversation.id}")
