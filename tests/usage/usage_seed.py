"""Months full of usage, written straight to the ledger: for pages, exports and measurements.

What the kernel would have written, in bulk: hold and resolution of each unit, counters and days.
"""

import math
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import cast

from sqlalchemy import Table, func, insert, select, text, update

from offhook.db import Session
from offhook.prices import Direction
from offhook.usage import Service, kernel, period_at
from offhook.usage.daily import days_of
from offhook.usage.meters import Tariff, tariff
from offhook.usage.models import Counter, Entry
from offhook.usage.periods import Period
from offhook.usage.statements import add_to_days

ENTRIES = cast("Table", Entry.__table__)
ADDED = "(SELECT * FROM usage_entries WHERE id > :newest AND team_id = :team)"
BULK = 5_000
# Monday to Sunday: offices telephone on weekdays.
WEEK = (1.2, 1.1, 1.0, 1.05, 0.9, 0.3, 0.2)


@dataclass(frozen=True, slots=True)
class Used:
    """One minute or message that was used; `taken_back` by a later correction."""

    number_id: str
    service: Service
    direction: Direction
    subject_id: str
    index: int
    starts_at: datetime
    taken_back: bool = False


def busy_month(
    period: Period, until: datetime, numbers: Sequence[tuple[str, float, float]], seed: int = 7
) -> list[Used]:
    """A month as offices have it: `numbers` are (id, calls a day, threads a day)."""
    chance = Random(seed)
    found: list[Used] = []
    for day in days_of(period):
        if day.starts_at >= until:
            break
        for number, calls, threads in numbers:
            share = WEEK[day.date.weekday()] * chance.uniform(0.6, 1.4)
            for at in _times(chance, day.starts_at, calls * share):
                call = f"call_{number}_{at:%y%m%d}_{len(found):07}"
                minutes = max(1, math.ceil(chance.expovariate(1 / 2.6)))
                found += [
                    Used(number, Service.CALLS, Direction.INBOUND, call, index, moment)
                    for index in range(minutes)
                    if (moment := at + timedelta(minutes=index)) < min(until, period.ends_at)
                ]
            for at in _times(chance, day.starts_at, threads * share):
                message = f"sms_{number}_{at:%y%m%d}_{len(found):07}"
                reply = at + timedelta(seconds=20)
                found += [
                    Used(number, Service.SMS, direction, f"{message}_{direction}", 0, moment, lost)
                    for direction, moment, lost in (
                        (Direction.INBOUND, at, False),
                        (Direction.OUTBOUND, reply, chance.random() < 0.03),
                    )
                    if moment < until
                ]
    return found


async def write(session: Session, team: str, used: Iterable[Used]) -> None:
    """Put `used` units on the ledger of a team whose meters are open, with counters and days."""
    newest = await session.scalar(select(func.max(Entry.id))) or 0
    prices: dict[str, Tariff] = {}
    sums: Tally[tuple[str, Service, datetime]] = Tally()
    periods: list[Period] = []
    rows: list[dict[str, object]] = []
    for unit in used:
        if unit.number_id not in prices:
            prices[unit.number_id] = await tariff(session, team, unit.number_id)
        period = next((each for each in periods if each.holds(unit.starts_at)), None)
        if period is None:
            period = await period_at(session, team, unit.starts_at)
            periods.append(period)
        rows += _rows(team, unit, period, prices[unit.number_id])
        sums[unit.number_id, unit.service, period.starts_at] += 0 if unit.taken_back else 1
        if len(rows) >= BULK:
            await session.execute(insert(ENTRIES), rows)
            rows = []
    if rows:
        await session.execute(insert(ENTRIES), rows)
    await session.execute(text(add_to_days(ADDED)), {"newest": newest, "team": team})
    ends = {period.starts_at: period.ends_at for period in periods}
    for (number, service, start), count in sums.items():
        await kernel.open_counters(session, team, number, start, ends[start])
        await session.execute(
            update(Counter)
            .where(
                Counter.team_id == team,
                Counter.number_id == number,
                Counter.service == service.value,
                Counter.period_start == start,
            )
            .values(posted=Counter.posted + count, granted_limit=2_147_483_647)
        )


def _rows(team: str, unit: Used, period: Period, prices: Tariff) -> list[dict[str, object]]:
    rate = prices.of(unit.service, unit.direction, unit.starts_at)
    common: dict[str, object] = {
        "team_id": team,
        "number_id": unit.number_id,
        "service": unit.service.value,
        "subject_id": unit.subject_id,
        "unit_index": unit.index,
        "direction": unit.direction.value,
        "period_start": period.starts_at,
        "starts_at": unit.starts_at,
    }
    priced = {
        "price_id": rate.price_id if rate else None,
        "price_micros": rate.micros if rate else None,
        "currency": rate.currency if rate else None,
    }
    nothing = dict.fromkeys(priced)
    said = {"reason": None, "actor": None}
    recorded = {"recorded_at": unit.starts_at}
    later = {"recorded_at": unit.starts_at + timedelta(seconds=70)}
    hold = {"stage": "hold", "kind": "reserved", "units": 0}
    posted = {"stage": "resolution", "kind": "posted", "units": 1}
    back = {"stage": "correction", "kind": "corrected", "units": -1}
    why = {"reason": "failed: 30003", "actor": "carrier"}
    rows = [
        common | hold | nothing | said | recorded,
        common | posted | priced | said | later,
    ]
    return [*rows, common | back | priced | why | later] if unit.taken_back else rows


def _times(chance: Random, midnight: datetime, expected: float) -> list[datetime]:
    """About `expected` moments of a working day that begins at `midnight`."""
    count = int(expected) + (chance.random() < expected % 1)
    return sorted(
        midnight + timedelta(minutes=8 * 60 + min(chance.expovariate(1 / 200), 600) + number / 97)
        for number in range(count)
    )
