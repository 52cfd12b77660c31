"""Reading the inbox: the list with its filters, one conversation's turns, one person's timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from offhook import tasks
from offhook.db import Session
from offhook.inbox.models import Channel, Conversation, State, Turn

TIMELINE_CONVERSATIONS = 100
MAX_TURNS = 1_000
ERASED = "erased"
"""The reason of a conversation whose contact was erased: it is listed nowhere."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the inbox to list (I3). Refused calls are hidden unless asked for (C1)."""

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


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation with its turns and the tasks that it ran, in order."""

    conversation: Conversation
    turns: list[Turn]
    runs: Sequence[tasks.TaskRun] = ()


def listed(team_id: str, wanted: Filter) -> Select[Conversation]:
    """The conversations of `wanted`, for `paginate` by (last_activity_at, id)."""
    row = Conversation
    query = select(row).where(row.team_id == team_id, row.reason != ERASED)
    if wanted.state is not None:
        query = query.where(row.state == wanted.state)
    else:
        query = query.where(row.state != State.NOT_ANSWERED)
    conditions = (
        (wanted.channel, row.channel == wanted.channel),
        (wanted.number_id, row.number_id == wanted.number_id),
        (wanted.agent_id, row.agent_id == wanted.agent_id),
        (wanted.contact_id, row.contact_id == wanted.contact_id),
        (wanted.unread is not None, row.unread.is_(wanted.unread)),
        (wanted.label, row.labels.contains([wanted.label])),
        (wanted.person_needed is not None, (row.person_needed != "").is_(wanted.person_needed)),
    )
    query = query.where(*(condition for asked, condition in conditions if asked))
    if wanted.since is not None:
        query = query.where(row.last_activity_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(row.last_activity_at < wanted.until)
    if wanted.words.strip():
        query = query.where(row.id.in_(_with_words(team_id, wanted.words)))
    return query


def _with_words(team_id: str, words: str) -> Select[str]:
    """Conversations of which one turn holds the words (I3), as a person writes a search."""
    asked = func.websearch_to_tsquery("simple", words.replace("\x00", " "))
    return select(Turn.conversation_id).where(
        Turn.team_id == team_id, Turn.words.bool_op("@@")(asked)
    )


async def turns_of(
    session: Session, team_id: str, conversation_id: str, *, after: int = 0, limit: int = MAX_TURNS
) -> list[Turn]:
    """The turns after number `after`, in order."""
    rows = await session.scalars(
        select(Turn)
        .where(
            Turn.team_id == team_id,
            Turn.conversation_id == conversation_id,
            Turn.sequence > after,
        )
        .order_by(Turn.sequence)
        .limit(limit)
    )
    return list(rows)


async def timeline(session: Session, team_id: str, conversation: Conversation) -> list[Told]:
    """All conversations of one number and one sender, oldest first, calls among texts (I2).

    Of somebody who hides only this conversation is known to be theirs (P5). Refused calls are
    left out unless it is one. At most the newest hundred.
    """
    if conversation.sender:
        found = await session.scalars(
            select(Conversation)
            .where(
                Conversation.team_id == team_id,
                Conversation.number_id == conversation.number_id,
                Conversation.sender == conversation.sender,
                (Conversation.state != State.NOT_ANSWERED) | (Conversation.id == conversation.id),
            )
            .order_by(Conversation.opened_at.desc(), Conversation.id.desc())
            .limit(TIMELINE_CONVERSATIONS)
        )
        conversations = list(found)[::-1]
    else:
        conversations = [conversation]
    rows = await session.scalars(
        select(Turn)
        .where(
            Turn.team_id == team_id,
            Turn.conversation_id.in_([each.id for each in conversations]),
        )
        .order_by(Turn.started_at.desc(), Turn.sequence.desc())
        .limit(MAX_TURNS)
    )
    turns: dict[str, list[Turn]] = {}
    for turn in rows:
        turns.setdefault(turn.conversation_id, []).append(turn)
    for some in turns.values():
        some.sort(key=lambda turn: turn.sequence)
    runs: dict[str, list[tasks.TaskRun]] = {}
    for run in await tasks.runs_of(session, team_id, [each.id for each in conversations]):
        runs.setdefault(run.conversation_id, []).append(run)
    return [Told(each, turns.get(each.id, []), runs.get(each.id, [])) for each in conversations]


async def labels(session: Session, team_id: str) -> Sequence[str]:
    """Every label that a conversation of the team has."""
    each = func.unnest(Conversation.labels).label("label")
    rows = await session.scalars(
        select(each).where(Conversation.team_id == team_id).distinct().order_by(each)
    )
    return rows.all()


async def last_activity(session: Session, team_id: str, number_id: str) -> datetime | None:
    """When anybody last called or texted this number, answered or not."""
    return await session.scalar(
        select(func.max(Conversation.last_activity_at)).where(
            Conversation.team_id == team_id, Conversation.number_id == number_id
        )
    )
