"""What the pages and the API show: differences, totals of numbers, days."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import Select, func, select

from offhook.db import Session
from offhook.reconciliation.models import Difference, NumberDay, ReconciledDay
from offhook.reconciliation.rules import Kind
from offhook.usage import Link, Service

SHOWN_DAYS = 14


def differences(*, day: date | None = None, service: Service | None = None) -> Select[Difference]:
    """Those that the session sees, for `paginate`."""
    query = select(Difference)
    if day is not None:
        query = query.where(Difference.day == day)
    if service is not None:
        query = query.where(Difference.service == service)
    return query


async def links(
    session: Session, team_id: str, service: Service, ids: Sequence[str]
) -> Mapping[str, Link]:
    """For whoever asks why it was charged: calls among `ids` that only the carrier has (UC5)."""
    if service is not Service.CALLS or not ids:
        return {}
    rows = await session.scalars(
        select(Difference).where(
            Difference.team_id == team_id,
            Difference.service == service,
            Difference.kind == Kind.MISSING_HERE,
            Difference.subject_id.in_(ids),
        )
    )
    there = "/usage/reconciliation?day="
    return {
        row.subject_id: Link("Call on the carrier’s record", f"{there}{row.day}") for row in rows
    }


async def totals(session: Session, day: date) -> list[NumberDay]:
    """Both sides of each number on that day, within what the session sees."""
    rows = await session.scalars(
        select(NumberDay)
        .where(NumberDay.day == day)
        .order_by(NumberDay.team_id, NumberDay.number_id)
    )
    return list(rows)


async def days(session: Session) -> list[ReconciledDay]:
    """The last days that were compared, of every account, the newest first."""
    last = select(ReconciledDay.day).distinct().order_by(ReconciledDay.day.desc())
    rows = await session.scalars(
        select(ReconciledDay)
        .where(ReconciledDay.day.in_(last.limit(SHOWN_DAYS)))
        .order_by(ReconciledDay.day.desc(), ReconciledDay.account_id)
    )
    return list(rows)


async def differing(session: Session, days: Collection[date], team_id: str) -> dict[date, int]:
    """How many differences each of the days has, of one team, or without one of all that the
    session sees.
    """
    query = select(Difference.day, func.count()).where(Difference.day.in_(days))
    if team_id:
        query = query.where(Difference.team_id == team_id)
    found = await session.execute(query.group_by(Difference.day))
    return dict(found.all())
