"""Why a unit was charged, or was not: the facts of one entry.

Read from the ledger, the price list and, by hooks, the rooms above; reasons.py tells them in words.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, literal, select, tuple_

from offhook.db import Session, now
from offhook.prices import Price, versions
from offhook.usage import entries
from offhook.usage.closing import GRACE
from offhook.usage.entries import SLOW, RatedEntry
from offhook.usage.meters import meter_of
from offhook.usage.models import Billed, ClosedLine, Counter, DaySum, Entry, PeriodRow
from offhook.usage.month import IN_ORDER, begun_units
from offhook.usage.months import NamedMonth, month_at
from offhook.usage.names import Label, Link, invoice_of, limit_then, names, subjects
from offhook.usage.rules import Kind, Service


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the unit's life: hold, resolution or correction."""

    entry_id: int
    kind: Kind
    recorded_at: datetime
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The whole row of the price list that was in force; `until`: when the next one came."""

    price: Price
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything known about one unit. `entry` is what it cost; None when it never counted.

    `rank`: its place in the month's order over all numbers (UF2); `rank_of_number` among its
    number's own, which is what its limit counts. `limit` is the one in force when it was taken,
    `limit_is_known` whether that is so or only the month's last one. `invoice_at`: when the month
    will be closed, if it is not yet.
    """

    service: Service
    number_id: str
    label: Label
    direction: str
    subject_id: str
    subject: Link | None
    unit_index: int
    starts_at: datetime
    month: NamedMonth
    steps: Sequence[Step]
    entry: RatedEntry | None
    back: RatedEntry | None
    rank: int | None
    rank_of_number: int | None
    limit: int | None
    limit_is_known: bool
    price: PriceRow | None
    invoice: Link | None
    invoice_at: datetime | None


async def explain(session: Session, team_id: str, entry_id: int) -> Explanation:
    """The unit that entry `entry_id` belongs to. Raises EntryMissing, also for another team's."""
    asked = await entries.plain(session, team_id, entry_id)
    service = Service(asked.service)
    life = (
        await session.scalars(
            select(Entry)
            .where(
                Entry.team_id == team_id,
                Entry.service == service.value,
                Entry.subject_id == asked.subject_id,
                Entry.unit_index == asked.unit_index,
            )
            .order_by(Entry.id)
        )
    ).all()
    used = next((each for each in life if each.kind == Kind.POSTED), None)
    basis = used or asked
    month = await month_at(session, team_id, basis.period_start)
    free = await entries.free_ids(session, team_id, service, month)
    counted = [
        each
        for each in await entries.of_subject(session, team_id, service, asked.subject_id, free)
        if each.unit_index == asked.unit_index
    ]
    posted = next((each for each in counted if each.units > 0), None)
    limit, is_known = await _limit(session, team_id, basis, life[0].recorded_at)
    labels = await names(session, team_id)
    linked = await subjects(session, team_id, service, [asked.subject_id])
    closed_in = posted.closed_in if posted else None
    return Explanation(
        service=service,
        number_id=asked.number_id,
        label=labels.get(asked.number_id, Label("")),
        direction=asked.direction,
        subject_id=asked.subject_id,
        subject=linked.get(asked.subject_id),
        unit_index=asked.unit_index,
        starts_at=basis.starts_at,
        month=month,
        steps=[
            Step(each.id, Kind(each.kind), each.recorded_at, each.reason or "", each.actor or "")
            for each in life
        ],
        entry=posted,
        back=next((each for each in counted if each.units < 0), None),
        rank=await _rank(session, team_id, used, month, closed_in) if used else None,
        rank_of_number=await _counted(session, team_id, used, used.number_id) if used else None,
        limit=limit,
        limit_is_known=is_known,
        price=await _price(session, team_id, used) if used else None,
        invoice=await invoice_of(session, team_id, closed_in) if closed_in else None,
        invoice_at=month.period.ends_at + GRACE if month.closed_at is None else None,
    )


async def _rank(
    session: Session, team_id: str, used: Entry, month: NamedMonth, closed_in: datetime | None
) -> int:
    """The place of a unit in its month's order, what was taken back left out.

    Of a closed month only what the same close took counts: later units moved nobody (UF8).
    """
    if closed_in is not None and closed_in != used.period_start:
        return await _sum(session, *_until(team_id, used), _is_in(team_id, closed_in))
    counted = await _counted(session, team_id, used)
    if closed_in is not None:
        others = (SLOW, ~_is_in(team_id, closed_in))
        return counted - await _sum(session, *_until(team_id, used), *others)
    if used.service != Service.CALLS or month.closed_at is not None:
        return counted
    begun = await begun_units(session, team_id, month.period, await now(session))
    place = (used.starts_at, used.subject_id, used.unit_index)
    return counted + sum((u.starts_at, u.subject_id, u.index) < place for u in begun)


def _is_in(team_id: str, closed_in: datetime) -> ColumnElement[bool]:
    """On a line of this close."""
    return exists().where(
        Billed.entry_id == Entry.id,
        Billed.team_id == team_id,
        ClosedLine.id == Billed.line_id,
        ClosedLine.team_id == team_id,
        ClosedLine.closed_in == closed_in,
    )


async def _sum(session: Session, *those: ColumnElement[bool]) -> int:
    """The units of those entries."""
    return await session.scalar(select(func.sum(Entry.units)).where(*those)) or 0


async def _counted(session: Session, team_id: str, used: Entry, number_id: str = "") -> int:
    """The month's units until `used`, of all numbers or of one: the sums of the days before, and
    the entries of its own day.
    """
    of_month = (PeriodRow.team_id == team_id, PeriodRow.starts_at == used.period_start)
    starts = await session.scalar(select(PeriodRow.day_starts).where(*of_month)) or []
    day = bisect_right(starts, used.starts_at) - 1
    before = select(func.sum(DaySum.units)).where(
        DaySum.team_id == team_id,
        DaySum.period_start == used.period_start,
        DaySum.service == used.service,
        DaySum.day < day,
    )
    same_day = [*_until(team_id, used), Entry.starts_at >= starts[day]]
    if number_id:
        before = before.where(DaySum.number_id == number_id)
        same_day.append(Entry.number_id == number_id)
    return (await session.scalar(before) or 0) + await _sum(session, *same_day)


def _until(team_id: str, used: Entry) -> tuple[ColumnElement[bool], ...]:
    """The entries of the month of `used` that are not after it."""
    place = (used.starts_at, used.subject_id, used.unit_index)
    here = tuple_(*(literal(v, c.type) for v, c in zip(place, IN_ORDER, strict=True)))
    return (
        Entry.team_id == team_id,
        Entry.service == used.service,
        Entry.period_start == used.period_start,
        Entry.units != 0,
        tuple_(*IN_ORDER) <= here,
    )


async def _limit(
    session: Session, team_id: str, basis: Entry, at: datetime
) -> tuple[int | None, bool]:
    """The limit in force at `at` if a room above remembers it, else the month's last one."""
    last = await session.scalar(
        select(Counter.limit_units).where(
            Counter.team_id == team_id,
            Counter.number_id == basis.number_id,
            Counter.service == basis.service,
            Counter.period_start == basis.period_start,
        )
    )
    return await limit_then(
        session, team_id, basis.number_id, Service(basis.service), at, last=last
    )


async def _price(session: Session, team_id: str, used: Entry) -> PriceRow | None:
    meter = await meter_of(session, team_id, used.number_id)
    known = await versions(
        session, carrier=meter.carrier, country=meter.country, number_type=meter.number_type
    )
    price = next((each for each in known if each.id == used.price_id), None)
    if price is None:
        return None
    later = [each.valid_from for each in known if each.valid_from > price.valid_from]
    return PriceRow(price, min(later, default=None))
