"""The months of a team as rows: made when first needed, in order, never changed (UP2, UI7).

A month is made by the zone that the team is in when the month is made. `keep` makes the running
one for every team, so that a team that was idle is not read by a later zone.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Session, now
from offhook.errors import NotFound
from offhook.teams.models import Team
from offhook.usage.models import PeriodRow
from offhook.usage.periods import Period, following, known_zone, month_holding


async def period_at(session: Session, team_id: str, at: datetime) -> Period:
    """The team's month that holds `at`; makes it, and any before it, where there is none yet."""
    period = await _latest(session, team_id, at)
    if period is None or not period.holds(at):
        zone = await _zone(session, team_id)
        while period is None or not period.holds(at):
            following_one = following(period, zone) if period else month_holding(at, zone)
            period = await _make(session, team_id, following_one)
    return period


async def change_zone(session: Session, team_id: str, zone: str) -> Period:
    """Put the team into `zone` from the end of the running month on (U2, UP2).

    Returns the running month, whose end is when the change takes effect. Raises TimezoneUnknown.
    """
    team = await session.scalar(select(Team).where(Team.id == team_id).with_for_update())
    if team is None:
        raise NotFound(f"There is no team {team_id}.")
    running = await period_at(session, team_id, await now(session))
    team.timezone = known_zone(zone)
    await session.flush()
    return running


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
        )
        .on_conflict_do_nothing()
    )
    made = await _latest(session, team_id, period.starts_at)
    if made is None:
        raise AssertionError(f"the month from {period.starts_at} of {team_id} was not made")
    return made


async def _zone(session: Session, team_id: str) -> str:
    zone = await session.scalar(select(Team.timezone).where(Team.id == team_id))
    if zone is None:
        raise NotFound(f"There is no team {team_id}.")
    return zone
