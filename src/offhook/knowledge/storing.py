"""Passages in the table: what says the same stays as it is, the rest goes and comes.

A passage that is unchanged keeps its id, so that old answers still link to it, and its meaning,
which is what takes time. Knows no readers; the caller holds the source's lock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Update, bindparam, delete, select, update

from offhook.db import Session, fetch, team_word
from offhook.knowledge.embedding import MeaningUnavailableError, Vectors, encode_aside, encode_async
from offhook.knowledge.models import Passage, Source
from offhook.knowledge.passages import Cut, Kind, plain

INDEX = """
    INSERT INTO knowledge_words (passage_id, words)
    SELECT id, setweight(to_tsvector('english', heading), 'B')
        || setweight(to_tsvector('english', text), 'A') || array_to_tsvector(ARRAY[%(team)s::text])
    FROM knowledge_passages AS passage
    WHERE team_id = %(team_id)s AND source_id = %(source_id)s
        AND NOT EXISTS (SELECT FROM knowledge_words WHERE passage_id = passage.id)
    RETURNING passage_id
"""
"""Of those that are new: what a passage says never changes."""
# So many take half a second: somebody waits for them, and calls do not notice.
MANY = 64


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two passages the same."""

    kind: str
    headings: tuple[str, ...]
    text: str
    cells: tuple[tuple[str, str], ...]
    url: str


def key_of(cut: Cut) -> Key:
    return Key(cut.kind, cut.headings, cut.text, cut.cells, cut.url)


@dataclass(frozen=True, slots=True)
class Meant:
    """Passages with the meaning of those that are new; none where the model is not installed."""

    cuts: Sequence[Cut]
    under_heading: dict[Key, Vectors] = field(default_factory=dict[Key, Vectors])
    alone: dict[Key, Vectors] = field(default_factory=dict[Key, Vectors])


async def known(session: Session, source: Source) -> set[Key]:
    """The passages that the source has now."""
    return {key for key, _, _ in await _present(session, source)}


async def meant(title: str, cuts: Sequence[Cut], known: Collection[Key] = ()) -> Meant:
    """The meaning of `cuts` but for those `known`, under the heading and alone.

    Takes no session: thousands of passages take a minute, in which no transaction may be open.
    """
    fresh = {key: cut for cut in cuts if (key := key_of(cut)) not in known}
    headed = [
        f"{each.headings[-1] if each.headings else plain(title)}. {each.text}"
        for each in fresh.values()
    ]
    alone = [each.headings[0] if each.kind is Kind.PAIR else each.text for each in fresh.values()]
    encode = encode_aside if len(fresh) > MANY else encode_async
    try:
        return Meant(
            cuts,
            dict(zip(fresh, await encode(headed), strict=True)),
            dict(zip(fresh, await encode(alone), strict=True)),
        )
    except MeaningUnavailableError:
        return Meant(cuts)


async def store(session: Session, source: Source, passages: Meant) -> None:
    """Let the source have exactly these passages, in this order."""
    present: dict[Key, list[tuple[str, int]]] = {}
    for key, passage_id, position in await _present(session, source):
        present.setdefault(key, []).append((passage_id, position))
    moved: list[dict[str, str | int]] = []
    for position, cut in enumerate(passages.cuts):
        if not (same := present.get(key_of(cut))):
            session.add(_row(source, position, cut, passages))
            continue
        passage_id, before = same.pop(0)
        if before != position:
            moved.append({"passage_id": passage_id, "to": position})
    if moved:
        connection = await session.connection()
        await connection.execute(_move(source), moved)
    gone = [passage_id for same in present.values() for passage_id, _ in same]
    await session.execute(
        delete(Passage).where(
            Passage.team_id == source.team_id,
            Passage.source_id == source.id,
            Passage.id.in_(gone),
        )
    )
    await session.flush()
    await fetch(
        session,
        INDEX,
        {
            "team_id": source.team_id,
            "source_id": source.id,
            "team": team_word(source.team_id),
        },
    )


def _move(source: Source) -> Update:
    """One statement for all that moved."""
    return (
        update(Passage)
        .where(Passage.team_id == source.team_id, Passage.id == bindparam("passage_id"))
        .values(position=bindparam("to"))
    )


async def drop(session: Session, source: Source) -> None:
    """Forget all passages of the source."""
    await session.execute(
        delete(Passage).where(Passage.team_id == source.team_id, Passage.source_id == source.id)
    )


async def _present(session: Session, source: Source) -> list[tuple[Key, str, int]]:
    rows = await session.execute(
        select(
            Passage.id,
            Passage.position,
            Passage.kind,
            Passage.headings,
            Passage.text,
            Passage.cells,
            Passage.url,
        )
        .where(Passage.team_id == source.team_id, Passage.source_id == source.id)
        .order_by(Passage.position)
    )
    return [
        (_key(kind, headings, text, cells, url), passage_id, position)
        for passage_id, position, kind, headings, text, cells, url in rows
    ]


def _key(kind: str, headings: list[str], text: str, cells: list[list[str]], url: str) -> Key:
    return Key(kind, tuple(headings), text, tuple((head, value) for head, value in cells), url)


def _row(source: Source, position: int, cut: Cut, passages: Meant) -> Passage:
    key = key_of(cut)
    return Passage(
        team_id=source.team_id,
        source_id=source.id,
        position=position,
        url=cut.url,
        kind=cut.kind,
        headings=list(cut.headings),
        heading=" ".join(cut.headings[-2:]),
        text=cut.text,
        cells=[list(cell) for cell in cut.cells],
        meaning=passages.under_heading.get(key),
        own_meaning=passages.alone.get(key),
    )
