"""Use cases of knowledge: add, replace, link and delete sources; read them; search (K1 to K3).

A short source is read in the step that adds it, so that it answers from the next turn on; a long
one is read by a job. Replacing or deleting removes the old passages in the same transaction, and
nothing is cached: what is gone is not quoted again.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from offhook.db import Session, enqueue, now, touch
from offhook.knowledge import decoding
from offhook.knowledge.embedding import MeaningUnavailableError, Vectors, encode_async
from offhook.knowledge.models import Passage, Source, SourceAgent, SourceKind, SourceState
from offhook.knowledge.passages import Cut, Kind, cut, pair, plain
from offhook.knowledge.problems import SourceInvalid, SourceNotFound, SourceTooLong

READ_AT_ONCE_CHARS = 20_000
# 20,000 passages take about a minute of one core (K1: 60 s).
MAX_PASSAGES = 20_000
MAX_TITLE_CHARS = 200
MAX_ANSWER_CHARS = 4_000
FILE_ENDINGS = (".txt", ".md", ".markdown", ".text")
READ_JOB = "knowledge.read"


async def add_text(
    session: Session, team_id: str, title: str, text: str, agent_ids: Sequence[str] = ()
) -> Source:
    """A pasted text, for these agents. Raises SourceInvalid or one of decoding's errors."""
    content = decoding.decode(text.encode("utf-8", "ignore"), title or "The text")
    return await _add(
        session, team_id, SourceKind.TEXT, _title(title), content, agent_ids=agent_ids
    )


async def add_pair(
    session: Session, team_id: str, question: str, answer: str, agent_ids: Sequence[str] = ()
) -> Source:
    """A question with its answer. Raises SourceInvalid."""
    question, answer = decoding.clean(question).strip(), decoding.clean(answer).strip()
    _check_pair(question, answer)
    return await _add(session, team_id, SourceKind.PAIR, question, answer, agent_ids=agent_ids)


async def add_file(
    session: Session, team_id: str, name: str, data: bytes, agent_ids: Sequence[str] = ()
) -> Source:
    """A TXT or MD file. Nothing is stored when it cannot be read; the error says why (KN1)."""
    title = _title(name.replace("\\", "/").rsplit("/", 1)[-1])
    # The bytes are judged first: a PDF called menu.txt is told that it is a PDF.
    content = await asyncio.to_thread(decoding.decode, data, title)
    if not title.lower().endswith(FILE_ENDINGS):
        raise SourceInvalid(
            f"“{title}” is not a TXT or MD file.", remedy="Save it as plain text, or paste it."
        )
    return await _add(
        session, team_id, SourceKind.FILE, title, content, agent_ids=agent_ids, size=len(data)
    )


async def replace_source(
    session: Session,
    team_id: str,
    source_id: str,
    *,
    title: str | None = None,
    content: str | None = None,
) -> Source:
    """New words for a source; the old passages are gone with this transaction (K1, KN4)."""
    source = await get(session, team_id, source_id, lock=True)
    title = source.title if title is None else decoding.clean(title).strip()
    text = await content_of(session, source) if content is None else decoding.clean(content)
    if source.kind == SourceKind.PAIR:
        _check_pair(title, text.strip())
    elif not text.strip():
        raise SourceInvalid("The text is empty.", remedy="Delete the source to forget it.")
    source.title, source.content = _title(title), text
    source.size_bytes = len(text.encode())
    source.revision += 1
    await _read_or_queue(session, source, text)
    return source


async def delete(session: Session, team_id: str, source_id: str) -> None:
    """Forget a source and its passages at once. Raises SourceNotFound."""
    source = await get(session, team_id, source_id, lock=True)
    await session.delete(source)
    await session.flush()
    await touch(session, team_id, "knowledge")


async def get(session: Session, team_id: str, source_id: str, *, lock: bool = False) -> Source:
    """Raises SourceNotFound."""
    query = select(Source).where(Source.team_id == team_id, Source.id == source_id)
    source = await session.scalar(query.with_for_update(key_share=True) if lock else query)
    if source is None:
        raise SourceNotFound(f"There is no source {source_id}.")
    return source


async def content_of(session: Session, source: Source) -> str:
    """The words of a source as they were given."""
    query = select(Source.content).where(Source.team_id == source.team_id, Source.id == source.id)
    return await session.scalar(query) or ""


async def listed(session: Session, team_id: str, agent_id: str | None = None) -> Sequence[Source]:
    """The team's sources, newest first; of one agent where `agent_id` is given."""
    query = select(Source).where(Source.team_id == team_id)
    if agent_id is not None:
        query = query.where(Source.id.in_(_linked(team_id, agent_id)))
    return (await session.scalars(query.order_by(Source.created_at.desc(), Source.id.desc()))).all()


async def passages(
    session: Session, team_id: str, source_id: str, limit: int = 200, after: int = -1
) -> Sequence[Passage]:
    """The passages of a source in its order, those behind position `after`."""
    query = (
        select(Passage)
        .where(Passage.team_id == team_id, Passage.source_id == source_id, Passage.position > after)
        .order_by(Passage.position)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def agents_of(session: Session, team_id: str) -> dict[str, set[str]]:
    """Source ids of the team with the agents that use each."""
    query = select(SourceAgent.source_id, SourceAgent.agent_id).where(
        SourceAgent.team_id == team_id
    )
    found: dict[str, set[str]] = {}
    for source_id, agent_id in await session.execute(query):
        found.setdefault(source_id, set()).add(agent_id)
    return found


async def link(session: Session, team_id: str, source_id: str, agent_ids: Sequence[str]) -> None:
    """Let exactly these agents use the source; from the next turn on."""
    await get(session, team_id, source_id, lock=True)
    await session.execute(
        delete_rows(SourceAgent).where(
            SourceAgent.team_id == team_id, SourceAgent.source_id == source_id
        )
    )
    session.add_all(
        SourceAgent(team_id=team_id, source_id=source_id, agent_id=each)
        for each in dict.fromkeys(agent_ids)
    )
    await session.flush()
    await touch(session, team_id, "knowledge")


async def forget_agent(session: Session, team_id: str, agent_id: str) -> None:
    """The agent is deleted: its links go, the sources stay with the team."""
    await session.execute(
        delete_rows(SourceAgent).where(
            SourceAgent.team_id == team_id, SourceAgent.agent_id == agent_id
        )
    )


async def read_source(session: Session, team_id: str, source_id: str) -> None:
    """Cut a waiting source into passages; what failed is kept as an error in words."""
    source = await session.scalar(
        select(Source)
        .where(Source.team_id == team_id, Source.id == source_id)
        .options(undefer(Source.content))
        .with_for_update(key_share=True)
    )
    if source is not None and source.state == SourceState.READING:
        await _read(session, source, source.content)


async def _add(
    session: Session,
    team_id: str,
    kind: SourceKind,
    title: str,
    content: str,
    *,
    agent_ids: Sequence[str],
    size: int | None = None,
) -> Source:
    source = Source(
        team_id=team_id,
        kind=kind,
        title=title,
        content=content,
        size_bytes=len(content.encode()) if size is None else size,
        created_at=await now(session),
    )
    session.add(source)
    await session.flush()
    session.add_all(
        SourceAgent(team_id=team_id, source_id=source.id, agent_id=each)
        for each in dict.fromkeys(agent_ids)
    )
    await _read_or_queue(session, source, content)
    return source


async def _read_or_queue(session: Session, source: Source, content: str) -> None:
    source.state, source.error = SourceState.READING, ""
    await _drop_passages(session, source)
    if len(content) <= READ_AT_ONCE_CHARS:
        await _read(session, source, content)
        return
    source.passage_count = 0
    await session.flush()
    await enqueue(session, READ_JOB, lock=source.id, team_id=source.team_id, source_id=source.id)
    await touch(session, source.team_id, "knowledge")


async def _read(session: Session, source: Source, content: str) -> None:
    """Ready means that passages came out of it (K1)."""
    cuts = await asyncio.to_thread(_cuts, SourceKind(source.kind), source.title, content)
    source.synced_at = await now(session)
    source.passage_count = len(cuts) if len(cuts) <= MAX_PASSAGES else 0
    if not cuts:
        source.state, source.error = SourceState.FAILED, "There is no text in it to read."
    elif len(cuts) > MAX_PASSAGES:
        fault = SourceTooLong(len(cuts), MAX_PASSAGES)
        source.state, source.error = SourceState.FAILED, fault.sentence
    else:
        await _store(session, source, cuts)
        source.state, source.error = SourceState.READY, ""
    await session.flush()
    await touch(session, source.team_id, "knowledge")


def _cuts(kind: SourceKind, title: str, content: str) -> list[Cut]:
    return [pair(title, content)] if kind is SourceKind.PAIR else cut(content)


async def _store(session: Session, source: Source, cuts: Sequence[Cut]) -> None:
    await _drop_passages(session, source)
    meanings, own = await _meanings(source.title, cuts)
    rows: list[dict[str, Any]] = [
        {
            "team_id": source.team_id,
            "source_id": source.id,
            "position": position,
            "kind": each.kind,
            "headings": list(each.headings),
            "heading": " ".join(each.headings[-2:]),
            "text": each.text,
            "cells": [list(cell) for cell in each.cells],
            "meaning": meanings[position] if meanings is not None else None,
            "own_meaning": own[position] if own is not None else None,
        }
        for position, each in enumerate(cuts)
    ]
    session.add_all(Passage(**row) for row in rows)
    await session.flush()


async def _meanings(title: str, cuts: Sequence[Cut]) -> tuple[Vectors | None, Vectors | None]:
    """Vectors under the heading and alone; none where the model is not installed."""
    headed = [
        f"{each.headings[-1] if each.headings else plain(title)}. {each.text}" for each in cuts
    ]
    alone = [each.headings[0] if each.kind is Kind.PAIR else each.text for each in cuts]
    try:
        return await encode_async(headed), await encode_async(alone)
    except MeaningUnavailableError:
        return None, None


async def _drop_passages(session: Session, source: Source) -> None:
    await session.execute(
        delete_rows(Passage).where(
            Passage.team_id == source.team_id, Passage.source_id == source.id
        )
    )


def _linked(team_id: str, agent_id: str) -> Any:
    return select(SourceAgent.source_id).where(
        SourceAgent.team_id == team_id, SourceAgent.agent_id == agent_id
    )


def _title(raw: str) -> str:
    title = " ".join(decoding.clean(raw).split())
    if not title:
        raise SourceInvalid("The source needs a title.", remedy="Name what the text is about.")
    return title[:MAX_TITLE_CHARS]


def _check_pair(question: str, answer: str) -> None:
    faults = [
        sentence
        for sentence, wrong in (
            ("The question is empty.", not question),
            (f"The question is longer than {MAX_TITLE_CHARS} characters.",
             len(question) > MAX_TITLE_CHARS),
            ("The answer is empty.", not answer),
            (f"The answer is longer than {MAX_ANSWER_CHARS:,} characters.",
             len(answer) > MAX_ANSWER_CHARS),
        )
        if wrong
    ]  # fmt: skip
    if faults:
        raise SourceInvalid(" ".join(faults), remedy="Write both, each short.")


async def count(session: Session, team_id: str) -> int:
    return (
        await session.scalar(
            select(func.count()).select_from(Source).where(Source.team_id == team_id)
        )
        or 0
    )
