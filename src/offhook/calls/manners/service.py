"""Use cases of a number's manners on calls: read, change."""

from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import select

from offhook import bookings, numbers
from offhook.calls.manners import rules
from offhook.calls.manners.models import CallManners
from offhook.calls.manners.rules import Manners, MannersInvalid
from offhook.calls.transfers import targets
from offhook.calls.transfers.targets import TargetNotFound
from offhook.db import Session, now

FIELDS = tuple(each.name for each in fields(Manners))


async def of(session: Session, team_id: str, number_id: str) -> Manners:
    """The manners of a number of the team; the defaults where none were set."""
    row = await _row(session, team_id, number_id)
    return _read(row) if row is not None else Manners()


async def change(
    session: Session, team_id: str, number_id: str, by: numbers.By, **changes: Any
) -> Manners:
    """Set what is given; the next call goes by it.

    Raises NumberNotFound, NumberGone, MannersInvalid, HoursInvalid.
    """
    number = await numbers.locked(session, team_id, number_id)
    row = await _row(session, team_id, number_id)
    before = _read(row) if row is not None else Manners()
    after = rules.check(replace(before, **changes))
    if after.hours is not None:
        after = replace(after, hours=bookings.hours.check(after.hours))
    await _check_target(session, team_id, after)
    if after == before:
        return after
    instant = await now(session)
    if row is None:
        row = CallManners(team_id=team_id, number_id=number_id)
        session.add(row)
    for name, value in _stored(after).items():
        setattr(row, name, value)
    row.updated_at = instant
    await session.flush()
    await numbers.record_activity(
        session, number, by, "configured", before=_told(before), after=_told(after)
    )
    return after


async def _row(session: Session, team_id: str, number_id: str) -> CallManners | None:
    return await session.scalar(
        select(CallManners)
        .where(CallManners.team_id == team_id, CallManners.number_id == number_id)
        .execution_options(populate_existing=True)
    )


async def _check_target(session: Session, team_id: str, manners: Manners) -> None:
    if manners.fallback_target_id is None:
        return
    try:
        await targets.get(session, team_id, manners.fallback_target_id)
    except TargetNotFound as missing:
        raise MannersInvalid(
            missing.sentence,
            remedy=missing.remedy,
            errors=[{"field": "fallback_target_id", "sentence": missing.sentence}],
        ) from None


def _read(row: CallManners) -> Manners:
    values = {name: getattr(row, name) for name in FIELDS}
    stored = values.pop("hours")
    return Manners(hours=bookings.hours.from_json(stored) if stored else None, **values)


def _stored(manners: Manners) -> dict[str, Any]:
    values = {name: getattr(manners, name) for name in FIELDS}
    hours = manners.hours
    return {**values, "hours": bookings.hours.to_json(hours) if hours else None}


def _told(manners: Manners) -> dict[str, Any]:
    """For the number's activity: hours in the words of a person."""
    values = asdict(replace(manners, hours=None))
    return {
        **values,
        "hours": _written(manners.hours),
        "when_closed": rules.WHEN_CLOSED[manners.when_closed],
    }


def _written(hours: bookings.Hours | None) -> str:
    if hours is None:
        return "always open"
    days = zip(bookings.hours.DAY_NAMES, hours.week, strict=True)
    week = ", ".join(f"{day[:3]} {bookings.hours.written(spans)}" for day, spans in days if spans)
    special = f" and {len(hours.special)} special days" if hours.special else ""
    return (week or "always closed") + special
