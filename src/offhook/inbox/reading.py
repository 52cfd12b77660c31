"""Reading the inbox: one conversation's turns, one person's timeline. The list is in listing.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from offhook import tasks
from offhook.db import Session
from offhook.inbox.models import Conversation, Label, State, Turn

TIMELINE_CONVERSATIONS = 100
MAX_TURNS = 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation with its turns and the tasks that it ran, in order."""

    conversation: Conversation
    turns: list[Turn]
    runs: Sequence[tasks.TaskRun] = ()


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
    """All conversations of one number and one contact, oldest first, calls among texts (I2), also
    those by another number of theirs; of whoever is no contact, those of the sender.

    Of somebody who hides only this conversation is known to be theirs (P5). Refused calls are
    left out unless it is one. At most this one and the hundred in which something happened last.
    """
    if conversation.sender:
        row = Conversation
        theirs = row.sender == conversation.sender
        if conversation.contact_id is not None:
            theirs |= row.contact_id == conversation.contact_id
        found = await session.scalars(
            select(row)
            .where(
                row.team_id == team_id,
                row.number_id == conversation.number_id,
                theirs,
                row.state != State.NOT_ANSWERED,
                row.id != conversation.id,
            )
            .order_by(row.last_activity_at.desc(), row.id.desc())
            .limit(TIMELINE_CONVERSATIONS)
        )
        conversations = sorted([conversation, *found], key=lambda each: (each.opened_at, each.id))
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
    """Every label that the team uses or has used."""
    rows = await session.scalars(
        select(Label.name).where(Label.team_id == team_id).order_by(Label.name)
    )
    return rows.all()


async def last_activity(session: Session, team_id: str, number_id: str) -> datetime | None:
    """When anybody last called or texted this number, answered or not."""
    return await session.scalar(
        select(func.max(Conversation.last_activity_at)).where(
            Conversation.team_id == team_id, Conversation.number_id == number_id
        )
    )
