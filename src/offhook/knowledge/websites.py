"""Use cases of web sources: add a page or a site, read it anew, decide what is kept (K1, KN4)."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from offhook.db import Database, Session, now, touch
from offhook.knowledge import rules, syncing
from offhook.knowledge.models import WEB, Source, SourceKind, SourceState
from offhook.knowledge.problems import NothingToTake, SourceInvalid
from offhook.knowledge.service import MAX_TITLE_CHARS, get, new_source

EVERY_HOURS = {0: "Never", 1: "Every hour", 6: "Every 6 hours", 24: "Every day", 168: "Every week"}
"""How often a web source may be read anew by itself."""
# Whoever began to read has given up by then.
SYNC_ENDS = timedelta(hours=1)
DUE_AT_ONCE = 50


async def add_web(
    session: Session,
    team_id: str,
    kind: SourceKind,
    url: str,
    every_hours: int,
    agent_ids: Sequence[str] = (),
) -> Source:
    """A page, or a site by its sitemap, read by a job and then every so many hours.

    `url` must have passed the outgoing client's check. Raises SourceInvalid.
    """
    source = await new_source(session, team_id, kind, url[:MAX_TITLE_CHARS], "", agent_ids, 0)
    source.url = url
    await _schedule(session, source, every_hours)
    source.sync_began_at = await now(session)
    await syncing.queue(session, source)
    return source


async def schedule(session: Session, team_id: str, source_id: str, every_hours: int) -> Source:
    """How often it is read anew by itself, one of EVERY_HOURS. Raises SourceInvalid."""
    source = await get(session, team_id, source_id, lock=True)
    await _schedule(session, source, every_hours)
    await touch(session, team_id, "knowledge")
    return source


async def sync(session: Session, team_id: str, source_id: str) -> Source:
    """Read it anew now; where that is being done already, that one counts (KN4)."""
    source = await get(session, team_id, source_id, lock=True)
    _check_web(source)
    moment = await now(session)
    if source.sync_began_at is None or moment - source.sync_began_at > SYNC_ENDS:
        source.sync_began_at = moment
        await syncing.queue(session, source)
    return source


async def keep(session: Session, team_id: str, source_id: str) -> Source:
    """A person says that the old text is right, and the newest reading of no account (K1)."""
    source = await get(session, team_id, source_id, lock=True)
    if source.state == SourceState.KEPT:
        pages = await syncing.proposed(session, source)
        source.dismissed = rules.digest(pages) if pages else ""
        await syncing.write_pages(session, source, (), proposed=True)
        source.state, source.error = SourceState.READY, ""
        await touch(session, team_id, "knowledge")
    return source


async def accept(session: Session, team_id: str, source_id: str) -> Source:
    """A person takes the newest reading; the old text is not quoted from now on (K1).

    Raises NothingToTake.
    """
    source = await get(session, team_id, source_id, lock=True)
    pages = await syncing.proposed(session, source)
    if source.state != SourceState.KEPT or not pages:
        raise NothingToTake(
            f"“{source.title}” has no other text that could be taken.",
            remedy="Read it anew, or keep what it says.",
        )
    await syncing.take(session, source, pages)
    return source


async def queue_due(database: Database) -> None:
    """Let those be read whose time has come; two workers never take the same."""
    async with database.system() as session:
        moment = await now(session)
        due = await session.scalars(
            select(Source)
            .where(Source.sync_at <= moment)
            .order_by(Source.sync_at)
            .limit(DUE_AT_ONCE)
            .with_for_update(skip_locked=True, key_share=True)
        )
        for source in due:
            source.sync_at = moment + timedelta(hours=source.every_hours)
            source.sync_began_at = moment
            await syncing.queue(session, source)


async def _schedule(session: Session, source: Source, every_hours: int) -> None:
    _check_web(source)
    if every_hours not in EVERY_HOURS:
        raise SourceInvalid(
            f"A source cannot be read every {every_hours} hours.",
            remedy=f"Choose one of {', '.join(map(str, EVERY_HOURS))}; 0 is never.",
        )
    source.every_hours = every_hours
    later = timedelta(hours=every_hours)
    source.sync_at = await now(session) + later if every_hours else None


def _check_web(source: Source) -> None:
    if source.kind not in WEB:
        raise SourceInvalid(
            f"“{source.title}” is not read from the web.", remedy="Write or upload its new text."
        )
