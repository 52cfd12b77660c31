"""The months of a team as rows: made when first needed, in order, never changed (UP2, UI7).

A month is made by the zone that counts for the team when it starts; teams keeps a new zone back
until the running month ends. `keep` makes the running month of every team, so that one that was
idle is not read by a later zone.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Session, now
from offhook.errors import NotFound
from offhook.teams import Team, zone_at
from offhook.usage.daily import days_of
from offhook.usage.models import PeriodRow
from offhook.usage.periods import Period, following, month_holding


async def period_at(session: Session, team_id: str, at: datetime) -> Period:
    """The team's month that holds `at`; makes it, and any before it, where there is none yet."""
    period = await _latest(session, team_id, at)
    if period is None or not period.holds(at):
        zones = await _zones(session, team_id)
        while period is None or not period.holds(at):
            following_one = (
                following(period, zones.at(period.ends_at))
                if period
                else month_holding(at, zones.at(at))
            )
            period = await _make(session, team_id, following_one)
    return period


async def coming(session: Session, team_id: str, period: Period) -> Period:
    """The month after `period`; one that has not begun is not made: its zone may still change."""
    row = await session.scalar(
        select(PeriodRow).where(PeriodRow.team_id == team_id, PeriodRow.starts_at == period.ends_at)
    )
    if row is not None:
        return Period(row.starts_at, row.ends_at, row.zone)
    zones = await _zones(session, team_id)
    return following(period, zones.at(period.ends_at))


async def keep(session: Session) -> None:
    """Make the running month of every team (system scope); harmless to repeat."""
    present = await now(session)
    for team_id in (await session.scalars(select(Team.id))).all():
        await period_at(session, team_id, present)


async def _latest(session: Session, team_id: str, at: datetime) -> Period | None:
    row = await session.scalar(
        select(PeriodRow)
        .where(PeriodRow.team_id == team_id, PeriodRow.starts_at <= at)
        .order_by(PeriodRow.starts_at.desc())
        .limit(1)
    )
    return Period(row.starts_at, row.ends_at, row.zone) if row else None


async def _make(session: Session, team_id: str, period: Period) -> Period:
    """Write `period` unless another transaction was first; what stands then."""
    await session.execute(
        insert(PeriodRow)
        .values(
            team_id=team_id,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            zone=period.zone,
            day_starts=[day.starts_at for day in days_of(period)],
        )
        .on_conflict_do_nothing()
    )
    made = await _latest(session, team_id, period.starts_at)
    if made is None:
        raise AssertionError(f"the month from {period.starts_at} of {team_id} was not made")
    return made


@dataclass(frozen=True, slots=True)
class _Zones:
    current: str
    following: str | None
    since: datetime | None

    def at(self, instant: datetime) -> str:
        return zone_at(self.current, self.following, self.since, instant)


async def _zones(session: Session, team_id: str) -> _Zones:
    row = (
        await session.execute(
            select(Team.timezone, Team.next_timezone, Team.next_timezone_from).where(
                Team.id == team_id
            )
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no team {team_id}.")
    return _Zones(row.timezone, row.next_timezone, row.next_timezone_from)
