"""Use cases of knowledge: add, replace, link and delete sources; read them; search (K1 to K3).

A short source is read in the step that adds it, so that it answers from the next turn on; a long
one, and a file whose text must be got out first, by a job (reading.py). What is replaced or
deleted is not quoted from that transaction on; nothing is cached.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from offhook import documents
from offhook.db import Session, for_change, now, touch
from offhook.knowledge import reading, storing
from offhook.knowledge.models import WEB, Passage, Source, SourceAgent, SourceKind, SourceState
from offhook.knowledge.problems import PassageGone, SourceInvalid, SourceNotFound

READ_AT_ONCE_CHARS = 20_000
MAX_TITLE_CHARS = 200
MAX_ANSWER_CHARS = 4_000


async def add_text(
    session: Session, team_id: str, title: str, text: str, agent_ids: Sequence[str] = ()
) -> Source:
    """A pasted text, for these agents. Raises SourceInvalid or one of decoding's errors."""
    content = documents.decode(text.encode("utf-8", "ignore"), title or "The text")
    return await _add(
        session, team_id, SourceKind.TEXT, _title(title), content, agent_ids=agent_ids
    )


async def add_pair(
    session: Session, team_id: str, question: str, answer: str, agent_ids: Sequence[str] = ()
) -> Source:
    """A question with its answer. Raises SourceInvalid."""
    question, answer = documents.clean(question).strip(), documents.clean(answer).strip()
    _check_pair(question, answer)
    return await _add(session, team_id, SourceKind.PAIR, question, answer, agent_ids=agent_ids)


async def add_file(
    session: Session, team_id: str, name: str, data: bytes, agent_ids: Sequence[str] = ()
) -> Source:
    """A PDF, DOCX, CSV, TXT or MD file. Plain text is read at once, the others by a job.

    Nothing is stored of what is refused at once: an empty or too large file, one that is not what
    its name says, text of an unknown encoding (KN1). What a job finds is on the source.
    """
    title = _file_title(name)
    if documents.check(title, data) in documents.TEXT_ENDINGS:
        content = await asyncio.to_thread(documents.decode, data, title)
        return await _add(
            session, team_id, SourceKind.FILE, title, content, agent_ids=agent_ids, size=len(data)
        )
    source = await new_source(session, team_id, SourceKind.FILE, title, "", agent_ids, len(data))
    await reading.queue(session, source, reading.File(title, data))
    return source


async def replace_file(
    session: Session, team_id: str, source_id: str, name: str, data: bytes
) -> Source:
    """A new file for a source; what the old one said is not quoted from the next turn on (KN4).

    Should the new one turn out to be unreadable, the old text is kept and a person is asked.
    """
    source = await get(session, team_id, source_id, lock=True)
    if source.kind != SourceKind.FILE:
        raise SourceInvalid(f"“{source.title}” is not a file.", remedy="Write its new text.")
    title = _file_title(name)
    if documents.check(title, data) in documents.TEXT_ENDINGS:
        content = await asyncio.to_thread(documents.decode, data, title)
        source = await replace_source(session, team_id, source_id, title=title, content=content)
        source.size_bytes = len(data)
        return source
    source.revision += 1
    source.state, source.error, source.note = SourceState.READING, "", ""
    await reading.queue(session, source, reading.File(title, data))
    return source


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
    title = source.title if title is None else documents.clean(title).strip()
    if source.kind in WEB:
        return await _rename(session, source, title, content)
    text = await content_of(session, source) if content is None else documents.clean(content)
    if source.kind == SourceKind.PAIR:
        _check_pair(title, text.strip())
    elif not text.strip():
        raise SourceInvalid("The text is empty.", remedy="Delete the source to forget it.")
    if _title(title) != source.title:
        await storing.drop(session, source)  # the title is part of what a passage means
    source.title, source.content = _title(title), text
    source.size_bytes = len(text.encode())
    source.revision += 1
    await _read_or_queue(session, source, text)
    return source


async def _rename(session: Session, source: Source, title: str, content: str | None) -> Source:
    """What a web source says comes from its address; only its name is ours."""
    if content is not None:
        raise SourceInvalid(
            f"“{source.title}” is read from {source.url}.",
            remedy="Change it there and read it anew, or paste the text as a new source.",
        )
    source.title = _title(title)
    await touch(session, source.team_id, "knowledge")
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
    if lock:
        query = for_change(query)
    source = await session.scalar(query)
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


async def passage(session: Session, team_id: str, passage_id: str) -> Passage:
    """Raises PassageGone where no source says it any more."""
    query = select(Passage).where(Passage.team_id == team_id, Passage.id == passage_id)
    found = await session.scalar(query)
    if found is None:
        raise PassageGone(
            "This passage is not there any more.",
            remedy="Its source was deleted, or says something else now.",
        )
    return found


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


async def use(session: Session, team_id: str, source_id: str, agent_id: str, *, used: bool) -> None:
    """Let one agent use the source, or not any more; which others do is left as it is."""
    await get(session, team_id, source_id, lock=True)
    if used:
        link = insert(SourceAgent).values(team_id=team_id, source_id=source_id, agent_id=agent_id)
        await session.execute(link.on_conflict_do_nothing())
    else:
        await session.execute(
            delete_rows(SourceAgent).where(
                SourceAgent.team_id == team_id,
                SourceAgent.source_id == source_id,
                SourceAgent.agent_id == agent_id,
            )
        )
    await touch(session, team_id, "knowledge")


async def forget_agent(session: Session, team_id: str, agent_id: str) -> None:
    """The agent is deleted: its links go, the sources stay with the team."""
    await session.execute(
        delete_rows(SourceAgent).where(
            SourceAgent.team_id == team_id, SourceAgent.agent_id == agent_id
        )
    )


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
    size = len(content.encode()) if size is None else size
    source = await new_source(session, team_id, kind, title, content, agent_ids, size)
    await _read_or_queue(session, source, content)
    return source


async def new_source(
    session: Session,
    team_id: str,
    kind: SourceKind,
    title: str,
    content: str,
    agent_ids: Sequence[str],
    size: int,
) -> Source:
    """A row in state reading, without passages yet."""
    source = Source(
        team_id=team_id,
        kind=kind,
        title=title,
        content=content,
        size_bytes=size,
        created_at=await now(session),
    )
    session.add(source)
    await session.flush()
    session.add_all(
        SourceAgent(team_id=team_id, source_id=source.id, agent_id=each)
        for each in dict.fromkeys(agent_ids)
    )
    return source


async def _read_or_queue(session: Session, source: Source, content: str) -> None:
    source.state, source.error, source.note = SourceState.READING, "", ""
    await reading.forget_upload(session, source)
    if len(content) <= READ_AT_ONCE_CHARS:
        cuts = reading.cuts_of(source, content)
        known = await storing.known(session, source)
        await reading.finish(session, source, await storing.meant(source.title, cuts, known))
        return
    # What was replaced is not quoted while the new text is being read (KN4).
    await storing.drop(session, source)
    source.passage_count = 0
    await reading.queue(session, source)


def _linked(team_id: str, agent_id: str) -> Any:
    return select(SourceAgent.source_id).where(
        SourceAgent.team_id == team_id, SourceAgent.agent_id == agent_id
    )


def _file_title(name: str) -> str:
    return _title(name.replace("\\", "/").rsplit("/", 1)[-1])


def _title(raw: str) -> str:
    title = " ".join(documents.clean(raw).split())
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
