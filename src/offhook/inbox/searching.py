"""How a search finds its page (I3): among the newest conversations, or by the index of words.

With a common word a walk over few of the newest fills the page, and a rare word's own list is
short. The server's statistics say which it is, but of beginnings they know little and of words
that never stand together nothing. So some of the newest are always looked through; how much was
found there says whether it is worth to go on, or the index is asked.

The index reads the whole list of each beginning that it is asked for ("ref" for "refund"), of all
teams. So it is asked for what is rare, and what it finds is looked through for the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from offhook.db import Expected, Session, expected_rows, fetch, plan_by_values
from offhook.inbox.listing import Filter, ReadBy, holds, listed
from offhook.inbox.models import Conversation, TurnWords
from offhook.inbox.words import Phrase, asked, tsquery
from offhook.web import Paging, beyond, paginate

Shown = tuple[list[Conversation], str | None]
ORDER = (Conversation.last_activity_at, Conversation.id)
COMMONER = 20
"""Reading a turn's words costs as much as so many places of a list in the index."""
NO_WHOLE_TABLE = "SELECT set_config('enable_seqscan', 'off', true)"
"""A long walk might seem dearer than reading all turns there are; it ends when the page is full."""
FIRST = 2_000
"""Conversations that are looked through in any case: some hundredths of a second."""
TURNS = 4
"""Of a conversation, more or less."""
A_HIT = 10
"""What the index finds lies anywhere: a turn of it costs as much as so many beside each other."""
MARGIN = 2
"""A walk goes on for so many times what it should take, and more: most conversations have several
turns, and one would do.
"""


def walk(expected: Expected, page: int) -> int:
    """How many of the newest conversations to look through before the index is asked.

    A walk reads `page * team / all` turns to fill the page, beside each other; the index has `all`.
    """
    if A_HIT * expected.all**2 <= page * expected.team:
        return FIRST
    return max(FIRST, MARGIN * page * max(1, expected.team // expected.all))


def further(found: int, steps: int, expected: Expected, page: int) -> int:
    """How far to walk anew where `steps` found so few; 0: from here the index is shorter."""
    if A_HIT * found**2 * expected.team <= page * steps**2 * TURNS:
        return 0
    return MARGIN * page * steps // found


def leading(phrases: Sequence[Phrase], expected: Expected) -> list[Phrase]:
    """What the index is asked for beside the team; the rest is looked for in what it finds.

    The list of a whole word is skipped through, that of a beginning is read, of all teams.
    """
    found = [
        (count, phrase)
        for count, phrase in zip(expected.each, phrases, strict=True)
        if not phrase.absent
    ]
    rarest = min(expected.team, *(count for count, _ in found))
    return [each for count, each in found if not each.begins or count <= COMMONER * rarest]


@dataclass(frozen=True, slots=True)
class Search:
    """A page of the conversations in `query` of which one turn holds all the phrases."""

    team_id: str
    query: Select[Conversation]
    phrases: Sequence[Phrase]
    paging: Paging


async def page(
    session: Session,
    team_id: str,
    wanted: Filter,
    by: ReadBy,
    paging: Paging,
    *only: ColumnElement[bool],
) -> Shown:
    """One page of `wanted` and of `only`, latest activity first, and the next cursor."""
    query = listed(team_id, replace(wanted, words=""), by).where(*only)
    if not wanted.words.strip():
        return await paginate(session, query, paging, *ORDER)
    search = Search(team_id, query, asked(wanted.words), paging)
    if not search.phrases:
        return [], None
    await plan_by_values(session)
    await fetch(session, NO_WHOLE_TABLE, {})
    expected = await _expected(session, search)
    steps = walk(expected, paging.limit + 1)
    while steps:
        shown, is_whole = await among_newest(session, search, steps)
        if is_whole:
            return shown
        steps = further(len(shown[0]), steps, expected, paging.limit + 1)
    return await by_index(session, search, leading(search.phrases, expected))


async def among_newest(session: Session, search: Search, steps: int) -> tuple[Shown, bool]:
    """The page out of the next `steps` conversations, and whether it is the page of all: full, or
    there are no more.
    """
    newest = beyond(search.query, search.paging, *ORDER).limit(steps).subquery("newest")
    near = aliased(Conversation, newest)
    turn = select(TurnWords.turn_id).where(
        TurnWords.conversation_id == near.id, holds(search.team_id, search.phrases).is_(True)
    )
    found = select(near).where(turn.exists())
    shown = await paginate(session, found, search.paging, near.last_activity_at, near.id)
    if shown[1] is not None:
        return shown, True
    there = await session.scalar(select(func.count()).select_from(newest)) or 0
    return shown, there < steps


async def by_index(session: Session, search: Search, first: Sequence[Phrase]) -> Shown:
    """The page out of all conversations. The index is asked for `first`, some of the phrases."""
    found = (
        select(TurnWords.conversation_id)
        .where(
            holds(search.team_id, first),
            holds(search.team_id, search.phrases).is_(True),
        )
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    query = search.query.where(Conversation.id.in_(select(found.c.conversation_id)))
    return await paginate(session, query, search.paging, *ORDER)


async def _expected(session: Session, search: Search) -> Expected:
    queries = [tsquery([each]) for each in search.phrases]
    return await expected_rows(session, TurnWords.__tablename__, search.team_id, queries)
