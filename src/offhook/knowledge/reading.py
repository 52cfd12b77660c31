"""A source read by a job: its file to text, the text to passages, the passages to their meaning.

What takes long is done between two transactions: the first takes what there is to read, the
second writes what came out, and throws it away where the source was replaced meanwhile. A
worker that is killed in between has changed nothing; the job runs again.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import undefer

from offhook.db import Database, Session, enqueue, now, touch
from offhook.documents import Reader
from offhook.errors import Problem
from offhook.failpoints import failpoint
from offhook.knowledge import storing
from offhook.knowledge.models import Source, SourceKind, SourceState, Upload
from offhook.knowledge.passages import Cut, cut, pair
from offhook.knowledge.problems import ReadingFailed, SourceInvalid, SourceTooLong

log = logging.getLogger(__name__)
READ_JOB = "knowledge.read"
# 20,000 passages take a minute or two of one core.
MAX_PASSAGES = 20_000
NOTHING = "There is no text in it to read."


@dataclass(frozen=True, slots=True)
class File:
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Work:
    """What there is to read; `file` None: the content is text already."""

    source: Source
    content: str
    file: File | None
    known: Collection[storing.Key]


@dataclass(frozen=True, slots=True)
class _Read:
    title: str
    content: str
    note: str
    passages: storing.Meant


async def queue(session: Session, source: Source, file: File | None = None) -> None:
    """Let a worker read the source; `file` stands for its content until then."""
    if file is not None:
        await session.merge(
            Upload(team_id=source.team_id, source_id=source.id, name=file.name, data=file.data)
        )
    await session.flush()
    await enqueue(session, READ_JOB, lock=source.id, team_id=source.team_id, source_id=source.id)
    await touch(session, source.team_id, "knowledge")


async def read_source(database: Database, team_id: str, source_id: str, reader: Reader) -> None:
    """Read what waits in the source; what failed is kept on it as an error in words (K1)."""
    async with database.team(team_id) as session:
        work = await _to_read(session, team_id, source_id)
    if work is None:
        return
    failpoint("knowledge.began")
    try:
        read = await _read(work, reader)
    except Problem as fault:
        read = fault
    failpoint("knowledge.read")
    async with database.team(team_id) as session:
        source = await locked(session, team_id, source_id)
        if source is None or source.revision != work.source.revision:
            return
        await forget_upload(session, source)
        if isinstance(read, Problem):
            await _fail(session, source, read)
            return
        if source.title != read.title:
            await storing.drop(session, source)  # the title is part of what a passage means
        source.title, source.content, source.note = read.title, read.content, read.note
        await finish(session, source, read.passages)
        failpoint("knowledge.written")


async def give_up(database: Database, team_id: str, source_id: str) -> None:
    """Its reading failed for good, and not for a reason of the file's: nobody waits on (K1)."""
    log.error("source %s could not be read", source_id)
    async with database.team(team_id) as session:
        source = await locked(session, team_id, source_id)
        if source is not None and source.state == SourceState.READING:
            await forget_upload(session, source)
            await _fail(session, source, ReadingFailed())


async def finish(session: Session, source: Source, passages: storing.Meant) -> None:
    """Ready means that passages came out of it (K1)."""
    await storing.store(session, source, passages)
    source.synced_at = await now(session)
    source.passage_count = len(passages.cuts)
    source.state, source.error = SourceState.READY, ""
    if not passages.cuts:
        source.state, source.error = SourceState.FAILED, NOTHING
    await session.flush()
    await touch(session, source.team_id, "knowledge")


def cuts_of(source: Source, content: str) -> Sequence[Cut]:
    return [pair(source.title, content)] if source.kind == SourceKind.PAIR else cut(content)


async def locked(session: Session, team_id: str, source_id: str) -> Source | None:
    """The source with its content; None when it was deleted."""
    return await session.scalar(
        select(Source)
        .where(Source.team_id == team_id, Source.id == source_id)
        .options(undefer(Source.content))
        .with_for_update(key_share=True)
    )


async def _to_read(session: Session, team_id: str, source_id: str) -> _Work | None:
    source = await locked(session, team_id, source_id)
    if source is None or source.state != SourceState.READING:
        return None
    upload = await session.scalar(
        select(Upload).where(Upload.team_id == team_id, Upload.source_id == source_id)
    )
    file = File(upload.name, upload.data) if upload is not None else None
    return _Work(source, source.content, file, await storing.known(session, source))


async def _read(work: _Work, reader: Reader) -> _Read:
    title, content, note = work.source.title, work.content, ""
    if work.file is not None:
        document = await reader.read(work.file.name, work.file.data)
        title, content, note = work.file.name, document.text, " ".join(document.notes)
    cuts = await asyncio.to_thread(cuts_of, work.source, content)
    if not cuts:
        raise SourceInvalid(NOTHING)
    if len(cuts) > MAX_PASSAGES:
        raise SourceTooLong(len(cuts), MAX_PASSAGES)
    known = work.known if title == work.source.title else ()
    return _Read(title, content, note, await storing.meant(title, cuts, known))


async def forget_upload(session: Session, source: Source) -> None:
    """The file was read, or other words took its place."""
    await session.execute(
        delete(Upload).where(Upload.team_id == source.team_id, Upload.source_id == source.id)
    )


async def _fail(session: Session, source: Source, fault: Problem) -> None:
    """The old text, where there is one, is kept, and a person asked (K1)."""
    source.state = SourceState.KEPT if source.passage_count else SourceState.FAILED
    source.error = f"{fault.sentence} {fault.remedy}".strip()
    await session.flush()
    await touch(session, source.team_id, "knowledge")
