"""The months of a team by their names: `2026-11` is the period that stands for November 2026.

A period is named by the calendar month that it stands for, whatever zones it began and ended in.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from offhook.db import Session, now
from offhook.errors import NotFound
from offhook.usage.calendar import period_at
from offhook.usage.closing import ClosedAs
from offhook.usage.models import PeriodRow
from offhook.usage.periods import UNDER_WAY, Period

NAMED = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
SHOWN = 60


class MonthMissing(NotFound):
    """The team has no such month, or it was not on the ledger yet."""

    code = "month_missing"


@dataclass(frozen=True, slots=True)
class NamedMonth:
    """A month as lists show it. `closed_at`: when it was closed (U10), `closed_as`: into what."""

    period: Period
    closed_at: datetime | None
    closed_as: ClosedAs | None

    @property
    def name(self) -> str:
        return name_of(self.period)

    @property
    def is_rated(self) -> bool:
        """What its entries cost is settled; without billing nothing ever is."""
        return self.closed_as in (ClosedAs.INVOICED, ClosedAs.EMPTY)


def name_of(period: Period) -> str:
    """`2026-11`."""
    return f"{period.month:%Y-%m}"


async def months(session: Session, team_id: str) -> list[NamedMonth]:
    """The team's months until the running one, newest first."""
    present = await now(session)
    running = await period_at(session, team_id, present)
    rows = await session.scalars(
        select(PeriodRow)
        .where(PeriodRow.team_id == team_id, PeriodRow.starts_at <= running.starts_at)
        .order_by(PeriodRow.starts_at.desc())
        .limit(SHOWN)
    )
    return [_named(row) for row in rows]


async def month_named(session: Session, team_id: str, name: str) -> NamedMonth:
    """The month `name`, such as "2026-11"; empty is the running one. Raises MonthMissing."""
    present = await now(session)
    running = await period_at(session, team_id, present)
    about = running.starts_at + UNDER_WAY
    if name:
        parts = NAMED.fullmatch(name)
        if parts is None or int(parts[1]) == 0:
            raise _missing(name)
        # In every zone of the world the third day of a month lies inside the period named by it.
        about = datetime(int(parts[1]), int(parts[2]), 3, tzinfo=UTC)
    row = await session.scalar(
        select(PeriodRow)
        .where(
            PeriodRow.team_id == team_id,
            PeriodRow.starts_at <= min(about, present),
        )
        .order_by(PeriodRow.starts_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if row is None or (name and name_of(_named(row).period) != name):
        raise _missing(name)
    return _named(row)


async def month_at(session: Session, team_id: str, starts_at: datetime) -> NamedMonth:
    """The month that begins at `starts_at`."""
    row = await session.scalar(
        select(PeriodRow)
        .where(PeriodRow.team_id == team_id, PeriodRow.starts_at == starts_at)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise _missing(starts_at.isoformat())
    return _named(row)


async def months_of_span(
    session: Session, team_id: str, start: datetime, end: datetime
) -> list[NamedMonth]:
    """The months that overlap [start, end), in order."""
    await period_at(session, team_id, await now(session))
    rows = await session.scalars(
        select(PeriodRow)
        .where(PeriodRow.team_id == team_id, PeriodRow.starts_at < end, PeriodRow.ends_at > start)
        .order_by(PeriodRow.starts_at)
    )
    return [_named(row) for row in rows]


async def names_of_months(session: Session, team_id: str) -> dict[datetime, str]:
    """All the team's months: from their first instants to their names."""
    rows = await session.scalars(select(PeriodRow).where(PeriodRow.team_id == team_id))
    return {row.starts_at: _named(row).name for row in rows}


def _named(row: PeriodRow) -> NamedMonth:
    return NamedMonth(
        Period(row.starts_at, row.ends_at, row.zone),
        row.closed_at,
        ClosedAs(row.closed_as) if row.closed_as else None,
    )


def _missing(name: str) -> MonthMissing:
    return MonthMissing(
        f"There is no month “{name[:20]}” on this team's ledger.",
        remedy="Name a month as YYYY-MM, from the team's first month to the running one.",
        month=name[:20],
    )
