"""The list of the inbox: which conversations a filter means (I3), and who has read which (I6).

A conversation is unread by whoever has not looked since the other side last spoke. Each reader has
an instant up to which all is read (at first, when they joined) and rows for what they read since,
so nothing is written for readers when somebody speaks. Row-level security lets an index be used
only by plain comparisons; labels and words have tables for that reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, and_, false, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql import ColumnElement

from offhook import teams
from offhook.db import Session, of_team
from offhook.inbox.models import (
    Channel,
    Conversation,
    Labelled,
    Read,
    Reader,
    State,
    Turn,
    TurnWords,
)
from offhook.inbox.words import Phrase, asked, tsquery

ERASED = "erased"
"""The reason of a conversation whose contact was erased: it is listed nowhere."""
NOBODY = "nobody"
"""The assignee of what has none."""
FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the inbox to list (I3). Refused calls are hidden unless asked for (C1), what is
    snoozed as well (I6). `assignee`: a member's id, or NOBODY.
    """

    channel: Channel | None = None
    number_id: str = ""
    agent_id: str = ""
    contact_id: str = ""
    state: State | None = None
    unread: bool | None = None
    person_needed: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    label: str = ""
    assignee: str = ""
    snoozed: bool | None = False
    taken_over: bool | None = None


@dataclass(frozen=True, slots=True)
class ReadBy:
    """How far somebody has read: all up to `until`; what they marked begins at `oldest`."""

    reader: str
    until: datetime = FIRST
    oldest: datetime | None = None


async def read_by(session: Session, team_id: str, reader: str) -> ReadBy:
    """`reader`: a member's id or a key's. A member has read what was said before they joined."""
    until = await session.scalar(
        select(Reader.all_read_at).where(Reader.team_id == team_id, Reader.reader == reader)
    )
    until = until or await teams.joined_at(session, team_id, reader) or FIRST
    oldest = await session.scalar(
        select(func.min(Read.read_at)).where(
            Read.team_id == team_id, Read.reader == reader, Read.read_at < until
        )
    )
    return ReadBy(reader, until, oldest)


def listed(team_id: str, wanted: Filter, by: ReadBy | None = None) -> Select[Conversation]:
    """The conversations of `wanted`, for `paginate` by (last_activity_at, id).

    `by` says whose unread is asked for; without it `wanted.unread` means nothing.
    """
    row = Conversation
    query = select(row).where(row.team_id == team_id, row.reason != ERASED)
    conditions = (
        (wanted.channel, row.channel == wanted.channel),
        (wanted.number_id, row.number_id == wanted.number_id),
        (wanted.agent_id, row.agent_id == wanted.agent_id),
        (wanted.contact_id, row.contact_id == wanted.contact_id),
        (wanted.assignee == NOBODY, row.assignee_id.is_(None)),
        (wanted.assignee not in {"", NOBODY}, row.assignee_id == wanted.assignee),
        (wanted.person_needed is not None, (row.person_needed != "").is_(wanted.person_needed)),
        (wanted.taken_over is not None, (row.taken_over_by != "").is_(wanted.taken_over)),
        (wanted.snoozed is False, row.snoozed_until.is_(None)),
        (wanted.snoozed is True, row.snoozed_until.is_not(None)),
        (
            wanted.label,
            tuple_(row.last_activity_at, row.id).in_(_with_label(team_id, wanted.label)),
        ),
    )
    query = query.where(*(condition for is_asked, condition in conditions if is_asked))
    if wanted.state is None:
        query = query.where(row.state != State.NOT_ANSWERED)
    else:
        query = query.where(row.state == wanted.state)
    if wanted.since is not None:
        query = query.where(row.last_activity_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(row.last_activity_at < wanted.until)
    if wanted.unread is not None and by is not None:
        query = _by_reading(query, team_id, by, unread=wanted.unread)
    if wanted.words.strip():
        phrases = asked(wanted.words)
        found = row.id.in_(_with_words(team_id, phrases)) if phrases else false()
        query = query.where(found)
    return query


async def has_live(session: Session, team_id: str) -> bool:
    """Whether a call is going on."""
    live = select(Conversation.id).where(
        Conversation.team_id == team_id, Conversation.state == State.LIVE
    )
    return bool(await session.scalar(select(live.exists())))


def _by_reading(
    query: Select[Conversation], team_id: str, by: ReadBy, *, unread: bool
) -> Select[Conversation]:
    row = Conversation
    query = query.outerjoin(Read, _reads(team_id, by.reader))
    if not unread:
        heard = row.last_heard_at
        return query.where(or_(heard.is_(None), heard <= func.coalesce(Read.read_at, by.until)))
    # Nothing older can be unread, so the walk from the newest ends there.
    oldest = min(by.until, by.oldest or by.until)
    return query.where(
        row.last_activity_at > oldest,
        row.last_heard_at > func.coalesce(Read.read_at, by.until),
    )


def _reads(team_id: str, reader: str) -> ColumnElement[bool]:
    return and_(
        Read.team_id == team_id, Read.reader == reader, Read.conversation_id == Conversation.id
    )


def _with_label(team_id: str, label: str) -> Select[datetime, str]:
    """The list's key, so that its index gives them in the list's order."""
    return select(Labelled.last_activity_at, Labelled.conversation_id).where(
        Labelled.team_id == team_id, Labelled.label == label
    )


def _with_words(team_id: str, phrases: Sequence[Phrase]) -> Select[str]:
    """Conversations of which one turn holds the words."""
    return select(TurnWords.conversation_id).where(holds(team_id, phrases))


def holds(team_id: str, phrases: Sequence[Phrase]) -> ColumnElement[bool]:
    """Whether a turn of the team holds them; any does where there are none. It may use the index;
    `holds(...).is_(True)` reads the words of rows that were found otherwise.
    """
    return TurnWords.words.bool_op("@@")(of_team(_query(phrases) if phrases else None, team_id))


def said(phrases: Sequence[Phrase]) -> ColumnElement[bool]:
    """Whether a turn of any team holds them: for the index alone, beside `holds`."""
    return TurnWords.words.bool_op("@@")(_query(phrases))


def _query(phrases: Sequence[Phrase]) -> ColumnElement[str]:
    return func.to_tsquery("simple", tsquery(phrases))


async def unread_of(
    session: Session, team_id: str, by: ReadBy, conversations: Sequence[Conversation]
) -> set[str]:
    """Which of these the reader has not read."""
    rows = await session.scalars(
        select(Read).where(
            Read.team_id == team_id,
            Read.reader == by.reader,
            Read.conversation_id.in_([each.id for each in conversations]),
        )
    )
    seen = {read.conversation_id: read.read_at for read in rows}
    return {
        each.id
        for each in conversations
        if each.last_heard_at and each.last_heard_at > seen.get(each.id, by.until)
    }


async def passages(
    session: Session, team_id: str, words: str, conversations: Sequence[Conversation]
) -> dict[str, Turn]:
    """Of each conversation the newest turn that holds the words."""
    phrases = asked(words)
    if not phrases:
        return {}
    rows = await session.scalars(
        select(Turn)
        .join(TurnWords, TurnWords.turn_id == Turn.id)
        .where(
            Turn.team_id == team_id,
            TurnWords.conversation_id.in_([each.id for each in conversations]),
            holds(team_id, phrases).is_(True),
        )
        .ext(distinct_on(Turn.conversation_id))
        .order_by(Turn.conversation_id, Turn.sequence.desc())
    )
    return {turn.conversation_id: turn for turn in rows}
