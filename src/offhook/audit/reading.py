"""Reading the log: a team's entries by who, what and when, the newest first."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from offhook.audit.models import INSTALLATION, Entry, Head
from offhook.db import Session
from offhook.web import Paging, paginate

BATCH = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; empty means all. `since` is included, `until` is not."""

    actor_id: str = ""
    subject: str = ""
    subject_id: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


def _query(chain: str, wanted: Filter) -> Select[Entry]:
    query = select(Entry).where(Entry.chain == chain)
    for column, value in (
        (Entry.actor_id, wanted.actor_id),
        (Entry.subject, wanted.subject),
        (Entry.subject_id, wanted.subject_id),
        (Entry.action, wanted.action),
    ):
        if value:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(Entry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(Entry.at < wanted.until)
    return query


async def listed(
    session: Session, team_id: str | None, wanted: Filter, paging: Paging
) -> tuple[list[Entry], str | None]:
    """One page of a team's entries (None: the installation's), and the cursor of the next."""
    query = _query(team_id or INSTALLATION, wanted)
    return await paginate(session, query, paging, Entry.position)


async def entries(session: Session, team_id: str | None, wanted: Filter) -> AsyncGenerator[Entry]:
    """All of them, the oldest first, read as they are needed."""
    query, after = _query(team_id or INSTALLATION, wanted), 0
    while True:
        rows = await session.scalars(
            query.where(Entry.position > after).order_by(Entry.position).limit(BATCH)
        )
        batch = rows.all()
        for entry in batch:
            yield entry
        if len(batch) < BATCH:
            return
        after = batch[-1].position


async def actors(session: Session, team_id: str | None) -> list[tuple[str, str]]:
    """Who is in the log: ids and names, by name."""
    rows = await session.execute(
        select(Entry.actor_id, Entry.actor_name)
        .where(Entry.chain == (team_id or INSTALLATION), Entry.actor_id != "")
        .distinct()
        .order_by(Entry.actor_name)
    )
    return [(row[0], row[1]) for row in rows]


async def subjects(session: Session, team_id: str | None) -> list[str]:
    """What kinds of things are in the log."""
    rows = await session.scalars(
        select(Entry.subject)
        .distinct()
        .where(Entry.chain == (team_id or INSTALLATION))
        .order_by(Entry.subject)
    )
    return list(rows)


async def is_recorded(session: Session, team_id: str | None, wanted: Filter) -> bool:
    """Whether there is such an entry."""
    query = _query(team_id or INSTALLATION, wanted).limit(1)
    return await session.scalar(query) is not None


async def has(session: Session, digest: str) -> bool:
    """Whether an entry with this digest is in any chain; a system session."""
    found = await session.scalar(select(Entry.id).where(Entry.digest == digest).limit(1))
    return found is not None


async def chains(session: Session) -> list[str]:
    """Every chain of the installation; a system session."""
    return list(await session.scalars(select(Head.chain).order_by(Head.chain)))
