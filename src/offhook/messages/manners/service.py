"""Use cases of a number's manners by text: read, change."""

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import select

from offhook import numbers, phone
from offhook.db import Session, now
from offhook.messages.manners import rules
from offhook.messages.manners.models import TextManners
from offhook.messages.manners.rules import Manners

GONE = frozenset({numbers.NumberStatus.RELEASING, numbers.NumberStatus.RELEASED})


async def of(session: Session, team_id: str, number_id: str) -> Manners:
    """The manners of a number; the defaults where none were set."""
    row = await session.scalar(
        select(TextManners).where(
            TextManners.team_id == team_id, TextManners.number_id == number_id
        )
    )
    return _read(row) if row is not None else Manners()


async def change(
    session: Session, team_id: str, number_id: str, by: numbers.By, **changes: Any
) -> Manners:
    """Set what is given; the next text goes by it. Raises NumberNotFound, NumberGone,
    MannersInvalid.
    """
    number = await numbers.locked(session, team_id, number_id)
    row = await session.get(TextManners, number_id, populate_existing=True)
    before = _read(row) if row is not None else Manners()
    after = rules.check(replace(before, **changes), known_countries=phone.COUNTRIES)
    if after == before:
        return after
    values = _stored(after) | {"updated_at": await now(session)}
    if row is None:
        session.add(TextManners(team_id=team_id, number_id=number_id, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    await session.flush()
    await numbers.record_activity(
        session, number, by, "configured", before=_told(before), after=_told(after)
    )
    return after


def _stored(manners: Manners) -> dict[str, Any]:
    return asdict(manners) | {"countries": list(manners.countries)}


def _told(manners: Manners) -> dict[str, Any]:
    """As the number's activity shows it."""
    return asdict(manners) | {"countries": ", ".join(manners.countries)}


def _read(row: TextManners) -> Manners:
    return Manners(
        settle_ms=row.settle_ms,
        replies_per_hour=row.replies_per_hour,
        replies_per_day=row.replies_per_day,
        new_senders_per_hour=row.new_senders_per_hour,
        countries=tuple(row.countries),
        stops_loops=row.stops_loops,
    )
