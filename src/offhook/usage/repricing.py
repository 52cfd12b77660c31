"""What other prices would have done to last month: the month's own lines, rated again.

Free units go by order of time, whatever the prices are (UF4), so that each line keeps its free
units and only its rate changes. Joined to the price editor by app.py: `prices.effect_from`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from offhook.db import Session, now
from offhook.prices import Direction, Effect, Money, Price, TeamEffect
from offhook.teams import Team
from offhook.usage import closing
from offhook.usage.models import ClosedLine, Meter, PeriodRow
from offhook.usage.month import lines_so_far
from offhook.usage.periods import Period
from offhook.usage.rating import Line, Rate
from offhook.usage.rules import Service

Kind = tuple[str, str, str]


async def effect_of(session: Session, drafts: Sequence[Price]) -> Effect:
    """Every team's last ended month as it was rated, and with `drafts` in force all through it.

    System scope; the largest difference first.
    """
    by_kind = {draft.kind: draft for draft in drafts}
    found: list[TeamEffect] = []
    for team, row in await _last_months(session):
        lines = await lines_of(session, row)
        kinds = await _kinds(session, team.id)
        found.append(_team_effect(team, row, lines, kinds, by_kind))
    found.sort(key=lambda effect: (-abs(effect.difference.micros), effect.team_id))
    return Effect(tuple(found))


async def lines_of(session: Session, row: PeriodRow) -> list[Line]:
    """The month's own usage: as it was closed, or as closing it now would have it."""
    if row.closed_at is None:
        return await lines_so_far(session, row.team_id, row.starts_at)
    closed = await session.scalars(
        select(ClosedLine).where(
            ClosedLine.team_id == row.team_id,
            ClosedLine.closed_in == row.starts_at,
            ClosedLine.kind == closing.LineKind.USAGE,
        )
    )
    return [
        Line(
            line.number_id,
            Service(line.service),
            Rate(line.price_id, Direction(line.direction), line.price_micros, line.currency),
            line.units,
            line.free,
        )
        for line in closed
    ]


def rated_again(
    lines: Sequence[Line], kinds: Mapping[str, Kind], drafts: Mapping[Kind, Price]
) -> list[Line]:
    """The same units with the drafts' prices where those are for their numbers' kinds.

    Lines that come to the same rate become one, for a line is rounded once (UC8).
    """
    totals: dict[tuple[str, Service, Rate], tuple[int, int]] = {}
    for line in lines:
        draft = drafts.get(kinds.get(line.number_id, ("", "", "")))
        rate = _rate(draft, line) if draft else line.rate
        units, free = totals.get((line.number_id, line.service, rate), (0, 0))
        totals[line.number_id, line.service, rate] = (units + line.units, free + line.free)
    return [Line(*key, units, free) for key, (units, free) in totals.items()]


def amount_of(lines: Sequence[Line]) -> Money:
    """The sum of the lines, each rounded once; no lines are nothing."""
    total = Money(0, lines[0].rate.currency) if lines else Money(0)
    for line in lines:
        total += line.amount
    return total


def _rate(draft: Price, line: Line) -> Rate:
    direction = line.rate.direction
    calls = line.service is Service.CALLS
    each = draft.per_minute(direction) if calls else draft.per_message(direction)
    return Rate(draft.id, direction, each.micros, each.currency)


def _team_effect(
    team: Team,
    row: PeriodRow,
    lines: Sequence[Line],
    kinds: Mapping[str, Kind],
    drafts: Mapping[Kind, Price],
) -> TeamEffect:
    touched = [line for line in lines if kinds.get(line.number_id) in drafts]
    return TeamEffect(
        team_id=team.id,
        team_name=team.name,
        month=Period(row.starts_at, row.ends_at, row.zone).month,
        units=sum(line.units for line in touched),
        before=amount_of(lines),
        after=amount_of(rated_again(lines, kinds, drafts)),
    )


async def _last_months(session: Session) -> list[tuple[Team, PeriodRow]]:
    rows = await session.execute(
        select(Team, PeriodRow)
        .join(PeriodRow, PeriodRow.team_id == Team.id)
        .where(PeriodRow.ends_at <= await now(session))
        .ext(distinct_on(PeriodRow.team_id))
        .order_by(PeriodRow.team_id, PeriodRow.starts_at.desc())
    )
    return [(team, row) for team, row in rows]


async def _kinds(session: Session, team_id: str) -> dict[str, Kind]:
    rows = await session.execute(
        select(Meter.number_id, Meter.carrier, Meter.country, Meter.number_type).where(
            Meter.team_id == team_id
        )
    )
    return {row.number_id: (row.carrier, row.country, row.number_type) for row in rows}


async def charges_of(session: Session, team_id: str, period_start: datetime) -> Money:
    """What the month's own usage comes to so far, or came to: the sum of its lines."""
    row = await session.get(PeriodRow, (team_id, period_start))
    return amount_of(await lines_of(session, row)) if row is not None else Money(0)
