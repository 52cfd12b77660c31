"""Finding passages: candidates by words and by meaning from the database, ranked by ranking.py.

Always within one team's passages, of one agent's sources where an agent asks. Reads what is there
now; keeps nothing between questions (K2).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Select, String, any_, func, literal, select, text, union
from sqlalchemy.orm import InstrumentedAttribute

from offhook.db import Session, of_team, plan_by_values
from offhook.knowledge.embedding import (
    MeaningUnavailableError,
    Vectors,
    encode_async,
    word_vectors,
)
from offhook.knowledge.models import QUOTED, Passage, PassageWords, Source, SourceAgent
from offhook.knowledge.passages import Kind
from offhook.knowledge.ranking import Candidate, Hit, rank, shortlist, words_needed
from offhook.knowledge.words import synonyms, terms

Use = Callable[[Session], Awaitable[list[Candidate]]]
CANDIDATES = 60
MAX_QUESTION_CHARS = 400
COMPARED = 2_000
"""So many passages are compared one by one: as fast as by the index, and none is missed."""
GO_ON = text(
    "SELECT set_config('hnsw.iterative_scan', 'strict_order', true),"
    " set_config('hnsw.ef_search', '120', true)"
)


async def search(
    session: Session, team_id: str, agent_id: str | None, question: str, k: int = 5
) -> list[Hit]:
    """The `k` best passages for `question`, best first; `answerable` says which may be told.

    `agent_id` None asks all of the team's sources. Empty when nothing is there to ask.
    """

    async def here(use: Use) -> list[Candidate]:
        return await use(session)

    return await search_by(here, team_id, agent_id, question, k)


async def search_by(
    reach: Callable[[Use], Awaitable[list[Candidate]]],
    team_id: str,
    agent_id: str | None,
    question: str,
    k: int = 5,
) -> list[Hit]:
    """`search` for who cannot wait for a database that is away: only `reach` touches it, once,
    and what it raises is passed on.
    """
    question = question.strip()[:MAX_QUESTION_CHARS]
    if not question:
        return []
    try:
        vector = (await encode_async([question]))[0].tolist()
    except MeaningUnavailableError:
        vector = None
    found = await reach(lambda session: _candidates(session, team_id, agent_id, question, vector))
    chosen = shortlist(question, found)
    return rank(question, chosen, await _vectors(words_needed(question, chosen)), k)


async def _vectors(words: set[str]) -> dict[str, Vectors]:
    try:
        return await asyncio.to_thread(word_vectors, words)
    except MeaningUnavailableError:
        return {}


@dataclass(frozen=True, slots=True)
class Scope:
    """The sources that may be quoted, and about how many passages they have."""

    team_id: str
    source_ids: Sequence[str]
    passages: int


async def scope_of(session: Session, team_id: str, agent_id: str | None) -> Scope:
    query = select(Source.id, Source.passage_count).where(
        Source.team_id == team_id, Source.state.in_(QUOTED)
    )
    if agent_id is not None:
        query = query.join(SourceAgent, SourceAgent.source_id == Source.id).where(
            SourceAgent.team_id == team_id, SourceAgent.agent_id == agent_id
        )
    found = (await session.execute(query)).all()
    return Scope(team_id, [each for each, _ in found], sum(count for _, count in found))


async def _candidates(
    session: Session,
    team_id: str,
    agent_id: str | None,
    question: str,
    vector: Sequence[float] | None,
) -> list[Candidate]:
    scope = await scope_of(session, team_id, agent_id)
    if not scope.source_ids:
        return []
    ids = union(
        *(
            select(each.subquery().c.id)
            for each in (by_words(scope, question), *by_meaning(scope, vector))
        )
    )
    meaning, own = (
        (1 - column.cosine_distance(vector)) if vector is not None else literal(0.0)
        for column in (Passage.meaning, Passage.own_meaning)
    )
    query = (
        select(Passage, Source.title, meaning, own)
        .join(Source, Source.id == Passage.source_id)
        .where(Passage.team_id == team_id, Passage.id.in_(ids))
        .order_by(Passage.source_id, Passage.position)
    )
    await plan(session)
    return [
        Candidate(
            passage_id=passage.id,
            source_id=passage.source_id,
            title=title,
            kind=Kind(passage.kind),
            text=passage.text,
            headings=tuple(passage.headings),
            cells=tuple((head, value) for head, value in passage.cells),
            meaning=float(near or 0.0),
            own_meaning=float(own_near or 0.0),
        )
        for passage, title, near, own_near in await session.execute(query)
    ]


async def plan(session: Session) -> None:
    """Have what follows in this transaction planned for the words that are asked for, and let the
    index of meanings go on until it has enough of the team's own.
    """
    await plan_by_values(session)
    await session.execute(GO_ON)


def by_words(scope: Scope, question: str) -> Select[str]:
    stems = dict.fromkeys(terms(question))
    asked_for = {*stems, *(other for each in stems for other in synonyms(each))}
    wanted = func.websearch_to_tsquery("english", " or ".join(sorted(asked_for)))
    return (
        _within(scope)
        .join(PassageWords, PassageWords.passage_id == Passage.id)
        .where(PassageWords.words.bool_op("@@")(of_team(wanted, scope.team_id)))
        .order_by(func.ts_rank(PassageWords.words, wanted).desc())
        .limit(CANDIDATES)
    )


def by_meaning(scope: Scope, vector: Sequence[float] | None) -> list[Select[str]]:
    if vector is None:
        return []
    return [_nearest(scope, column, vector) for column in (Passage.meaning, Passage.own_meaning)]


def _nearest(
    scope: Scope, column: InstrumentedAttribute[Any], vector: Sequence[float]
) -> Select[str]:
    distance = column.cosine_distance(vector)
    if scope.passages <= COMPARED:
        distance = distance + 0  # which no index is ordered by
    return _within(scope).where(column.is_not(None)).order_by(distance).limit(CANDIDATES)


def _within(scope: Scope) -> Select[str]:
    """Ids of the passages that may be quoted."""
    return select(Passage.id).where(
        Passage.team_id == scope.team_id,
        Passage.source_id == any_(literal(scope.source_ids, ARRAY(String))),
    )
