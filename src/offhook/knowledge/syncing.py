"""A web source read from its address: pages fetched and weighed, then written in one step.

Like reading.py in two transactions with nothing open between them. The old text is quoted until
the new passages are stored; a reading that is no good leaves it as it is and asks (K1, KN4).
"""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import undefer

from offhook.db import Database, Session, enqueue, now, touch
from offhook.errors import Problem
from offhook.failpoints import failpoint
from offhook.knowledge import rules, storing
from offhook.knowledge.fetching import Browser
from offhook.knowledge.models import WEB, Source, SourceKind, SourceState, WebPage
from offhook.knowledge.passages import Cut, cut
from offhook.knowledge.problems import ReadingFailed, SourceTooLong
from offhook.knowledge.reading import MAX_PASSAGES, finish, locked
from offhook.knowledge.rules import Accept, Ask, Fetched, Outcome, PageState, PageText
from offhook.knowledge.sites import pages_of

log = logging.getLogger(__name__)
SYNC_JOB = "knowledge.sync"
TAKE_JOB = "knowledge.take"
AT_ONCE = 4
SITE_S = 1_800.0
# A passage on at least so many pages, and on half of them, is a head or a foot: said once.
REPEATED = 3


@dataclass(frozen=True, slots=True)
class _Work:
    source: Source
    pages: Sequence[PageText]
    known: Collection[storing.Key]


async def queue(session: Session, source: Source) -> None:
    """Let a worker read the source from its address; a second wish while one waits is the same."""
    await session.flush()
    await enqueue(
        session,
        SYNC_JOB,
        lock=source.id,
        queueing_lock=f"{SYNC_JOB}:{source.id}",
        team_id=source.team_id,
        source_id=source.id,
    )
    await touch(session, source.team_id, "knowledge")


async def sync_source(database: Database, team_id: str, source_id: str, browser: Browser) -> None:
    """Read the source anew, and let it be as rules.weigh says."""
    async with database.team(team_id) as session:
        work = await _to_sync(session, team_id, source_id)
    if work is None:
        return
    failpoint("knowledge.began")
    verdict = rules.weigh(work.pages, await _fetched(browser, work.source, work.pages))
    passages: storing.Meant | None = None
    if isinstance(verdict, Accept):
        try:
            passages = await meant(work.source.title, verdict.pages, work.known)
        except Problem as fault:
            verdict = Ask(fault.sentence)
    failpoint("knowledge.read")
    async with database.team(team_id) as session:
        source = await locked(session, team_id, source_id)
        if source is None or source.revision != work.source.revision:
            return
        source.sync_began_at = None
        if isinstance(verdict, Accept) and passages is not None:
            await _accept(session, source, verdict, passages)
        elif isinstance(verdict, Ask):
            await _ask(session, source, verdict)
        await session.flush()
        await touch(session, team_id, "knowledge")
        failpoint("knowledge.written")


async def give_up_sync(database: Database, team_id: str, source_id: str) -> None:
    """Its reading failed for good, and not for a reason of the site's: the old text is kept."""
    log.error("web source %s could not be read", source_id)
    async with database.team(team_id) as session:
        source = await locked(session, team_id, source_id)
        if source is not None and source.sync_began_at is not None:
            source.sync_began_at = None
            fault = ReadingFailed()
            await _ask(session, source, Ask(f"{fault.sentence} {fault.remedy}"))
            await session.flush()
            await touch(session, team_id, "knowledge")


async def read_pages(database: Database, team_id: str, source_id: str) -> None:
    """Cut the pages that a person has taken, and quote them."""
    async with database.team(team_id) as session:
        work = await _taken(session, team_id, source_id)
    if work is None:
        return
    passages = await meant(work.source.title, work.pages, work.known)
    async with database.team(team_id) as session:
        source = await locked(session, team_id, source_id)
        if source is not None and source.revision == work.source.revision:
            await finish(session, source, passages)


async def take(session: Session, source: Source, pages: Sequence[PageText]) -> None:
    """Let the source have these pages; what it said before is not quoted any more."""
    await write_pages(session, source, pages, proposed=False)
    await write_pages(session, source, (), proposed=True)
    source.revision += 1
    source.state, source.error, source.note, source.dismissed = SourceState.READING, "", "", ""
    await session.flush()
    await enqueue(session, TAKE_JOB, lock=source.id, team_id=source.team_id, source_id=source.id)
    await touch(session, source.team_id, "knowledge")


async def meant(
    title: str, pages: Sequence[PageText], known: Collection[storing.Key] = ()
) -> storing.Meant:
    """The passages of the pages with their meaning. Raises SourceTooLong."""
    cuts = await asyncio.to_thread(cuts_of_pages, pages)
    if len(cuts) > MAX_PASSAGES:
        raise SourceTooLong(len(cuts), MAX_PASSAGES)
    return await storing.meant(title, cuts, known)


def cuts_of_pages(pages: Sequence[PageText]) -> list[Cut]:
    """The passages of all pages; a head or foot that most of them share only once."""
    by_page = [[replace(each, url=page.url) for each in cut(page.content)] for page in pages]
    times: dict[object, int] = {}
    for cuts in by_page:
        for said in {_said(each) for each in cuts}:
            times[said] = times.get(said, 0) + 1
    often = max(REPEATED, len([cuts for cuts in by_page if cuts]) / 2)
    kept: list[Cut] = []
    met: set[object] = set()
    for each in (each for cuts in by_page for each in cuts):
        said = _said(each)
        if said in met and times[said] >= often:
            continue
        met.add(said)
        kept.append(each)
    return kept


def _said(each: Cut) -> object:
    return (each.kind, each.text, each.cells)


async def in_force(session: Session, source: Source) -> list[PageText]:
    """The pages that are quoted."""
    return await _pages(session, source, proposed=False)


async def proposed(session: Session, source: Source) -> list[PageText]:
    """The pages that a person may have instead."""
    return await _pages(session, source, proposed=True)


async def write_pages(
    session: Session, source: Source, pages: Sequence[PageText], *, proposed: bool
) -> None:
    """Let the source have exactly these pages, in this order."""
    await session.execute(
        delete(WebPage).where(
            WebPage.team_id == source.team_id,
            WebPage.source_id == source.id,
            WebPage.proposed == proposed,
        )
    )
    session.add_all(
        WebPage(
            team_id=source.team_id,
            source_id=source.id,
            proposed=proposed,
            position=position,
            url=page.url,
            title=page.title,
            state=page.state,
            reason=page.reason,
            content=page.content,
            etag=page.etag,
            last_modified=page.last_modified,
        )
        for position, page in enumerate(pages)
    )
    await session.flush()


async def _to_sync(session: Session, team_id: str, source_id: str) -> _Work | None:
    source = await locked(session, team_id, source_id)
    if source is None or source.kind not in WEB:
        return None
    source.sync_began_at = await now(session)
    pages, known = await in_force(session, source), await storing.known(session, source)
    return _Work(source, pages, known)


async def _taken(session: Session, team_id: str, source_id: str) -> _Work | None:
    source = await locked(session, team_id, source_id)
    if source is None or source.kind not in WEB or source.state != SourceState.READING:
        return None
    return _Work(source, await in_force(session, source), await storing.known(session, source))


async def _fetched(browser: Browser, source: Source, before: Sequence[PageText]) -> list[Fetched]:
    old = {page.url: page for page in before}
    if source.kind == SourceKind.PAGE:
        return [await browser.page(source.url, old.get(source.url))]
    try:
        site = await pages_of(browser, source.url)
    except Problem as fault:
        reason = f"{fault.sentence} {fault.remedy}".strip()
        return [Fetched(Outcome.FAILED, PageText(source.url), reason)]
    until = time.monotonic() + SITE_S
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(url: str) -> Fetched:
        async with turn:
            if time.monotonic() > until:
                return Fetched(Outcome.FAILED, PageText(url), "There was no time left for it.")
            return await browser.page(url, old.get(url))

    read = await asyncio.gather(*map(one, site.pages))
    left_out = [Fetched(Outcome.LEFT_OUT, PageText(url), reason) for url, reason in site.left_out]
    return [*read, *left_out]


async def _accept(
    session: Session, source: Source, verdict: Accept, passages: storing.Meant
) -> None:
    await write_pages(session, source, verdict.pages, proposed=False)
    await write_pages(session, source, (), proposed=True)
    source.size_bytes = sum(len(page.content.encode()) for page in verdict.pages)
    source.note, source.dismissed = verdict.note, ""
    first = next((page.title for page in verdict.pages if page.title), "")
    if source.title == source.url and first:
        source.title = first[:200]
    await finish(session, source, passages)


async def _ask(session: Session, source: Source, verdict: Ask) -> None:
    if verdict.pages and rules.digest(verdict.pages) == source.dismissed:
        source.synced_at = await now(session)
        return
    source.state = SourceState.KEPT if source.passage_count else SourceState.FAILED
    source.error = verdict.reason
    await write_pages(session, source, verdict.pages, proposed=True)


async def _pages(session: Session, source: Source, *, proposed: bool) -> list[PageText]:
    rows = await session.scalars(
        select(WebPage)
        .where(
            WebPage.team_id == source.team_id,
            WebPage.source_id == source.id,
            WebPage.proposed == proposed,
        )
        .order_by(WebPage.position)
        .options(undefer(WebPage.content))
    )
    return [
        PageText(
            row.url,
            row.title,
            PageState(row.state),
            row.reason,
            row.content,
            row.etag,
            row.last_modified,
        )
        for row in rows
    ]
