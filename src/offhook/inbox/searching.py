"""How a search finds its page (I3): among the newest conversations, or by the index of words.

With a common word a walk over few of the newest fills the page, and a rare word's own list is
short. The server's statistics say which it is, but of beginnings they know little and of words
that never stand together nothing. So a walk goes on for as long as what it has found so far
promises a full page sooner than the index would.

The index reads the whole list of each beginning that it is asked for ("ref" for "refund"), of all
teams. So it is asked for what is rare, and what it finds is looked through for the rest.

Words that are all common and seldom together take time that grows with the inbox. A first look
leaves those: it has what is among the newest it came to, and says from where on there may be more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Self

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from offhook.db import Expected, Session, expected_rows, plan_by_values
from offhook.inbox.listing import Filter, ReadBy, holds, listed, said
from offhook.inbox.models import Conversation, TurnWords
from offhook.inbox.words import Phrase, asked, tsquery
from offhook.web import Paging, beyond, encode_cursor, paginate

ORDER = (Conversation.last_activity_at, Conversation.id)

# Costs are counted in steps: to look through the next conversation of a walk, turn by turn.
PLACES, PAGES = 230, 12
"""Places in the index's lists, and pages of turns that they name, noted in the time of a step."""
TURNS_A_PAGE = 20
READ = 0.4
"""To read the words of a turn that the index has found, which lies anywhere."""
LOOK_UP = 1.0
"""To look a conversation up by its id."""
PASS = 0.2
"""To pass the next conversation of a walk and see whether it is one of those found."""
COMMONER = 40
"""Words that are so many times commoner than the rarest are looked for in what that one finds."""
TURNS = 4
"""Of a conversation, more or less."""
FIRST = 400
"""Steps in any case."""
TRUST = 400
"""What the statistics say counts as much as so many steps, and no more than one that is found."""
MARGIN = 1.5
"""A walk is as long as it should need to be, and so much longer."""
STRIDE = 4
"""No walk is longer than so many times what was walked before: it might promise too much."""
DARING = 16
"""Nor is the index asked for what takes so much longer: what was walked might say too little."""
AT_ONCE = 4_000
"""Steps that a first look takes at most."""
MEANWHILE = 2_000
"""Steps of one that does not come to an end."""


@dataclass(frozen=True, slots=True)
class Lead:
    """What the index is asked for: some of the phrases, and the team where `by_team`. It reads
    their lists in so many `steps` and finds so many `turns`; the rest is looked for in those.
    """

    phrases: Sequence[Phrase]
    steps: float
    turns: int
    by_team: bool

    @classmethod
    def of(cls, phrases: Sequence[Phrase], expected: Expected) -> Self:
        """The rarest of the words, and what is hardly commoner; the team where many turns with the
        words are of others.
        """
        counted = zip(phrases, expected.each, strict=True)
        there = {one: count for one, count in counted if not one.absent}
        others = expected.everywhere - expected.here
        by_team = expected.team <= COMMONER * others
        lists = [*there.values(), *([expected.team] if by_team else [])]
        most = COMMONER * min(lists)
        led = [one for one, count in there.items() if count <= most]
        pages = expected.rows / TURNS_A_PAGE
        read = [count / PLACES + min(count, pages) / PAGES for count in lists if count <= most]
        found = expected.here if by_team else expected.everywhere
        return cls(led, sum(read), found, by_team)


@dataclass(frozen=True, slots=True)
class Odds:
    """What is known of a search: `wanted` conversations fill its page. `found` of the newest
    `walked` are found.
    """

    wanted: int
    expected: Expected
    lead: Lead
    walked: int = 0
    found: int = 0

    @property
    def told(self) -> float:
        """Of conversations, those that hold the words as the statistics have it."""
        return min(1.0, TURNS * self.expected.here / self.expected.team)

    @property
    def share(self) -> float:
        """The same, as it was seen."""
        trusted = min(TRUST, 1 / self.told)
        return (self.found + trusted * self.told) / (self.walked + trusted)

    @property
    def by_walk(self) -> float:
        """Steps from here to a full page, or to the oldest."""
        there = self.expected.team / TURNS - self.walked
        return min((self.wanted - self.found) / self.share, max(there, self.walked))

    @property
    def all_found(self) -> float:
        """Conversations that the index would find."""
        return self.share * self.expected.team / TURNS

    @property
    def by_look_up(self) -> bool:
        """Whether what the index finds is looked up one by one to have it in order: it is few."""
        return LOOK_UP * self.all_found < PASS * self.by_walk

    @property
    def by_index(self) -> float:
        in_order = min(LOOK_UP * self.all_found, PASS * self.by_walk)
        read = self.lead.turns * self.share / self.told
        return self.lead.steps + READ * read + in_order

    @property
    def steps(self) -> int:
        """How far to walk next; 0: from here the index is shorter."""
        if not self.walked:
            return FIRST
        if self.by_index < min(self.by_walk, DARING * self.walked):
            return 0
        return round(min(MARGIN * self.by_walk, STRIDE * self.walked))


@dataclass(frozen=True, slots=True)
class Search:
    """Up to `wanted` of the conversations in `query` of which one turn holds all the phrases:
    those after the cursor, latest activity first.
    """

    team_id: str
    query: Select[Conversation]
    phrases: Sequence[Phrase]
    wanted: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Conversations, latest activity first, and the next cursor.

    `is_whole` is False where the page is not full and yet there may be more, after the cursor.
    """

    shown: list[Conversation]
    after: str | None
    is_whole: bool = True


async def page(
    session: Session,
    team_id: str,
    wanted: Filter,
    by: ReadBy,
    paging: Paging,
    *only: ColumnElement[bool],
    first_look: bool = False,
) -> Found:
    """One page of `wanted` and of `only`; with `first_look` no more than is found at once, however
    many conversations there are.
    """
    query = listed(team_id, replace(wanted, words=""), by).where(*only)
    if not wanted.words.strip():
        return Found(*await paginate(session, query, paging, *ORDER))
    phrases = asked(wanted.words)
    if not phrases:
        return Found([], None)
    # A long walk might seem dearer than reading all turns there are; it ends with a full page.
    await plan_by_values(session, whole_tables=False)
    search = Search(team_id, query, phrases, paging.limit + 1, paging.cursor)
    rows, looked_to = await look(session, search, AT_ONCE if first_look else inf)
    if len(rows) > paging.limit:
        return Found(rows[: paging.limit], _cursor(rows[paging.limit - 1]))
    return Found(rows, looked_to, is_whole=looked_to is None)


async def look(
    session: Session, search: Search, at_once: float = inf
) -> tuple[list[Conversation], str | None]:
    """What is found, and the cursor up to which was looked where `at_once` steps did not do."""
    expected = await _expected(session, search)
    lead = Lead.of(search.phrases, expected)
    odds = Odds(search.wanted, expected, lead)
    rows: list[Conversation] = []
    rest = search
    while True:
        steps = odds.steps
        if odds.walked + (steps or odds.by_index) > at_once:
            steps = MEANWHILE - odds.walked
            if steps <= 0:
                return rows, rest.cursor
        if not steps:
            return rows + await by_index(session, rest, lead, by_look_up=odds.by_look_up), None
        found, looked_to = await among_newest(session, rest, steps)
        rows += found
        if looked_to is None:
            return rows, None
        rest = replace(rest, wanted=search.wanted - len(rows), cursor=looked_to)
        odds = replace(odds, walked=odds.walked + steps, found=len(rows))


async def among_newest(
    session: Session, search: Search, steps: int
) -> tuple[list[Conversation], str | None]:
    """What the next `steps` conversations have, and the cursor of the last of them; None where no
    more are wanted, or there.
    """
    walk = beyond(search.query, search.cursor, *ORDER)
    newest = walk.limit(steps).subquery("newest")
    near = aliased(Conversation, newest)
    turn = select(TurnWords.turn_id).where(
        TurnWords.conversation_id == near.id, holds(search.team_id, search.phrases).is_(True)
    )
    found = beyond(select(near).where(turn.exists()), "", near.last_activity_at, near.id)
    rows = list(await session.scalars(found.limit(search.wanted)))
    if len(rows) == search.wanted:
        return rows, None
    last = (
        await session.execute(walk.with_only_columns(*ORDER).offset(steps - 1).limit(1))
    ).first()
    return rows, encode_cursor(last) if last else None


async def by_index(
    session: Session, search: Search, lead: Lead, *, by_look_up: bool
) -> list[Conversation]:
    """What all conversations have. Without `by_look_up` the newest are passed until the page is
    full of those that the index has found, which is shorter where it finds many.
    """
    first = holds(search.team_id, lead.phrases) if lead.by_team else said(lead.phrases)
    found = (
        select(TurnWords.conversation_id)
        .where(first, holds(search.team_id, search.phrases).is_(True))
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    among = Conversation.id.in_(select(found.c.conversation_id))
    query = search.query.where(among if by_look_up else among.is_(True))
    return list(await session.scalars(beyond(query, search.cursor, *ORDER).limit(search.wanted)))


async def _expected(session: Session, search: Search) -> Expected:
    queries = [tsquery([each]) for each in search.phrases]
    return await expected_rows(session, TurnWords.__tablename__, search.team_id, queries)


def _cursor(row: Conversation) -> str:
    return encode_cursor([row.last_activity_at, row.id])
