"""A month of a team: what is used, held, free and charged, per number, price and day (U9).

Used: posted units, and of live calls the minutes that have begun. Held: reserved and not begun;
neither usage nor charged. Charged so far is what an invoice made now would say (UI8).

All of it takes constant time however long the ledger is: counters, sums of days, and the first
units of a month, which are the free ones.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, true
from sqlalchemy.orm import aliased

from offhook.db import Session, now
from offhook.prices import Direction, Money
from offhook.usage import rating
from offhook.usage.calendar import period_at
from offhook.usage.closing import LineKind, RatedLine, lines_of_month
from offhook.usage.daily import Day, DayUse, Sums, by_day, day_at, days_of
from offhook.usage.meters import missing, tariff
from offhook.usage.models import Billed, Counter, DaySum, Entry, Meter, MeteredCall
from offhook.usage.months import NamedMonth, month_named
from offhook.usage.periods import Period
from offhook.usage.rating import Line, Rate, Unit
from offhook.usage.rules import Service, begun_minutes, minute_start, thresholds_reached

# The order of the allowance (UF2): as `Unit` sorts, and as the month's index lies.
IN_ORDER = (Entry.starts_at, Entry.subject_id, Entry.unit_index)
UNPRICED = Rate("", Direction.INBOUND, 0, "USD")


@dataclass(frozen=True, slots=True)
class Counted:
    """What one number used and holds of one service in a month. `limit` None is unlimited."""

    number_id: str
    service: Service
    used: int
    held: int
    limit: int | None
    opened_at: datetime

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used - self.held)

    @property
    def percent(self) -> int:
        """The highest threshold that usage has reached: 0, 80 or 100."""
        return max(thresholds_reached(self.used, self.limit), default=0)


@dataclass(frozen=True, slots=True)
class NumberUse(Counted):
    """As counted, with how many of the used units are free, and what the others cost."""

    free: int
    charged: Money


@dataclass(frozen=True, slots=True)
class Pool:
    """The team's free units of one service: how many, and who used them; `last_at`: the last."""

    service: Service
    size: int
    by_number: Mapping[str, int]
    last_at: datetime | None = None

    @property
    def used(self) -> int:
        return sum(self.by_number.values())

    @property
    def left(self) -> int:
        return self.size - self.used


@dataclass(frozen=True, slots=True)
class MonthToDate:
    """A month as it is at `present`: the running one, or an earlier one."""

    period: Period
    present: datetime
    numbers: list[NumberUse]
    pools: dict[Service, Pool]
    rated: list[RatedLine]
    days: list[Day]
    daily: list[DayUse]

    @property
    def lines(self) -> list[Line]:
        return [each.line for each in self.rated]

    @property
    def charged(self) -> Money:
        return _sum(each.amount for each in self.rated)

    @property
    def is_running(self) -> bool:
        return self.period.holds(self.present)

    def units_by_day(
        self, service: Service, number_id: str = "", *, free_only: bool = False
    ) -> list[int]:
        """Units (or only the free ones) on each of `days`, of one number or of all."""
        units = dict.fromkeys((day.date for day in self.days), 0)
        for use in self.daily:
            if use.service is service and number_id in ("", use.number_id):
                units[use.day.date] += use.free if free_only else use.units
        return list(units.values())


async def counted(session: Session, team_id: str) -> list[Counted]:
    """The running month of all the team's numbers and services, in constant time."""
    present = await now(session)
    period = await period_at(session, team_id, present)
    begun = await begun_units(session, team_id, period, present)
    return await _counted(session, team_id, period, present, begun)


async def counted_of(
    session: Session, team_id: str, number_id: str
) -> tuple[Period, dict[Service, Counted]]:
    """The running month, and what one number has of it. Raises MeterMissing."""
    present = await now(session)
    period = await period_at(session, team_id, present)
    begun = await begun_units(session, team_id, period, present, number_id)
    found = await _counted(session, team_id, period, present, begun, number_id)
    if not found:
        raise missing(number_id)
    return period, {each.service: each for each in found}


async def pools(session: Session, team_id: str) -> tuple[Period, dict[Service, Pool]]:
    """The running month's free units and who used them, in constant time."""
    present = await now(session)
    period = await period_at(session, team_id, present)
    begun = await begun_units(session, team_id, period, present)
    found: dict[Service, Pool] = {}
    for service in Service:
        live = begun if service is Service.CALLS else []
        free = await free_units(session, team_id, service, period.starts_at, live)
        found[service] = _pool(service, free)
    return period, found


async def month_to_date(session: Session, team_id: str) -> MonthToDate:
    """The running month of all the team's numbers, those without usage too."""
    return await month_of(session, team_id, await month_named(session, team_id, ""))


@dataclass(frozen=True, slots=True)
class Summary:
    """A month in a few figures: units used and free by service, and what they cost."""

    used: Mapping[Service, int]
    free: Mapping[Service, int]
    charged: Money


async def summary_of(session: Session, team_id: str, named: NamedMonth) -> Summary:
    """A month's figures; of a closed one from its counters and lines alone, in constant time."""
    if not named.is_rated:
        shown = await month_of(session, team_id, named)
        counts: Sequence[Counted] = shown.numbers
        rated = shown.rated
    else:
        present = await now(session)
        counts = await _counted(session, team_id, named.period, present, [])
        rated = await lines_of_month(session, team_id, named.period)
    used, free = Tally[Service](), Tally[Service]()
    for each in counts:
        used[each.service] += each.used
    for line in rated:
        free[line.line.service] += line.line.free
    return Summary(used, free, _sum(line.amount for line in rated))


async def month_of(session: Session, team_id: str, named: NamedMonth) -> MonthToDate:
    """Any month of the team: numbers, free pool, lines and days. Of an earlier month only the
    numbers that were used in it; of a closed one the lines that its entries are on.
    """
    present = await now(session)
    period = named.period
    begun = await begun_units(session, team_id, period, present)
    days = days_of(period)
    rated: list[RatedLine] = (
        await lines_of_month(session, team_id, period) if named.is_rated else []
    )
    shared: dict[Service, Pool] = {}
    daily: list[DayUse] = []
    for service in Service:
        live = begun if service is Service.CALLS else []
        sums = await _sums(session, team_id, service, period.starts_at)
        sums.update((unit.number_id, unit.rate, day_at(days, unit.starts_at)) for unit in live)
        if named.is_rated:
            free = await _closed_free(session, team_id, service, period.starts_at, rated)
        else:
            free = await free_units(session, team_id, service, period.starts_at, live)
            rated += [
                RatedLine(0, LineKind.USAGE, period, line, line.units)
                for line in rating.lines(service, _totals(sums), free)
            ]
        shared[service] = _pool(service, free)
        daily += by_day(days, service, sums, free)
    counts = await _counted(session, team_id, period, present, begun)
    order = {use.number_id: at for at, use in enumerate(counts)}
    rated.sort(key=lambda each: order.get(each.line.number_id, len(order)))
    return MonthToDate(
        period=period,
        present=present,
        numbers=[_priced(each, rated) for each in counts],
        pools=shared,
        rated=rated,
        days=days,
        daily=daily,
    )


async def lines_so_far(session: Session, team_id: str, period_start: datetime) -> list[Line]:
    """What is posted of an open month, as closing it now would have it."""
    found: list[Line] = []
    for service in Service:
        sums = await _sums(session, team_id, service, period_start)
        free = await free_units(session, team_id, service, period_start)
        found += rating.lines(service, _totals(sums), free)
    return found


async def free_units(
    session: Session,
    team_id: str,
    service: Service,
    period_start: datetime,
    begun: Iterable[Unit] = (),
) -> list[Unit]:
    """The month's free units (UF2): at most the allowance, however long the ledger is.

    `begun` are used units that are not posted yet.
    """
    posted = await _first_posted(session, team_id, service, period_start)
    return rating.first_free([*map(_unit, posted), *begun], service.free_units)


async def free_entries(
    session: Session,
    team_id: str,
    service: Service,
    period_start: datetime,
    begun: Iterable[Unit] = (),
) -> list[int]:
    """The entries of the free units; begun ones, which have none yet, take their places too."""
    posted = await _first_posted(session, team_id, service, period_start)
    entries = {_unit(entry): entry.id for entry in posted}
    first = rating.first_free([*entries, *begun], service.free_units)
    return [entries[unit] for unit in first if unit in entries]


async def _closed_free(
    session: Session,
    team_id: str,
    service: Service,
    period_start: datetime,
    rated: Iterable[RatedLine],
) -> list[Unit]:
    """The free units of a closed month, as its lines have them."""
    count = sum(
        each.line.free
        for each in rated
        if each.line.service is service and each.kind is not LineKind.CREDIT
    )
    rows = await session.scalars(
        select(Entry)
        .join(Billed, Billed.entry_id == Entry.id)
        .where(
            Entry.team_id == team_id,
            Entry.service == service.value,
            Entry.period_start == period_start,
            Entry.units > 0,
            Billed.team_id == team_id,
            Billed.is_free,
        )
        .order_by(*IN_ORDER)
        .limit(count)
    )
    return [_unit(entry) for entry in rows] if count else []


async def _first_posted(
    session: Session, team_id: str, service: Service, period_start: datetime
) -> Sequence[Entry]:
    taken_back = aliased(Entry)
    back = (
        select(taken_back.id)
        .where(
            taken_back.service == Entry.service,
            taken_back.subject_id == Entry.subject_id,
            taken_back.unit_index == Entry.unit_index,
            taken_back.stage == "correction",
            taken_back.team_id == team_id,
        )
        .offset(0)  # asked of the first few, not joined with all
    )
    rows = await session.scalars(
        select(Entry)
        .where(
            Entry.team_id == team_id,
            Entry.service == service.value,
            Entry.period_start == period_start,
            Entry.units > 0,
            ~back.exists(),
        )
        .order_by(*IN_ORDER)
        .limit(service.free_units)
    )
    return rows.all()


async def _sums(session: Session, team_id: str, service: Service, period_start: datetime) -> Sums:
    """Units of a month by number, price and day."""
    rows = await session.execute(
        select(
            DaySum.number_id,
            DaySum.day,
            DaySum.price_id,
            DaySum.direction,
            DaySum.price_micros,
            DaySum.currency,
            DaySum.units,
        ).where(
            DaySum.team_id == team_id,
            DaySum.service == service.value,
            DaySum.period_start == period_start,
        )
    )
    sums: Sums = Tally()
    for number_id, day, price_id, direction, micros, currency, units in rows:
        sums[number_id, Rate(price_id, Direction(direction), micros, currency), day] += units
    return sums


def _totals(sums: Sums) -> Tally[tuple[str, Rate]]:
    totals: Tally[tuple[str, Rate]] = Tally()
    for (number_id, rate, _), units in sums.items():
        totals[number_id, rate] += units
    return totals


def _pool(service: Service, free: Iterable[Unit]) -> Pool:
    units = list(free)
    by_number = Tally(unit.number_id for unit in units)
    last_at = max((unit.starts_at for unit in units), default=None)
    return Pool(service, service.free_units, by_number, last_at)


async def begun_units(
    session: Session, team_id: str, period: Period, present: datetime, number_id: str = ""
) -> list[Unit]:
    """The begun minutes of live calls in this month, priced as they will be posted: of one number,
    or of all.
    """
    calls = await session.scalars(
        select(MeteredCall)
        .where(MeteredCall.team_id == team_id, MeteredCall.ended_at.is_(None))
        .where(MeteredCall.number_id == number_id if number_id else true())
        .execution_options(populate_existing=True)
    )
    units: list[Unit] = []
    for call in calls.all():
        prices = await tariff(session, team_id, call.number_id)
        for index in range(begun_minutes(call.answered_at, call.reserved_minutes, present)):
            start = minute_start(call.answered_at, index)
            rate = prices.of(Service.CALLS, Direction(call.direction), start) or UNPRICED
            if period.holds(start):
                units.append(Unit(start, call.call_id, index, call.number_id, rate))
    return units


async def _counted(
    session: Session,
    team_id: str,
    period: Period,
    present: datetime,
    begun: Iterable[Unit],
    number_id: str = "",
) -> list[Counted]:
    rows = await session.execute(
        select(
            Counter.number_id,
            Counter.service,
            Counter.posted,
            Counter.pending,
            Counter.limit_units,
        )
        .where(Counter.team_id == team_id, Counter.period_start == period.starts_at)
        .where(Counter.number_id == number_id if number_id else true())
    )
    counters = {(row.number_id, row.service): row for row in rows}
    live = Tally(unit.number_id for unit in begun)
    running = period.holds(present)
    meters = await session.scalars(
        select(Meter)
        .where(Meter.team_id == team_id)
        .where(Meter.number_id == number_id if number_id else true())
        .order_by(Meter.opened_at, Meter.number_id)
        .execution_options(populate_existing=True)
    )
    found: list[Counted] = []
    for meter in meters.all():
        for service in Service:
            row = counters.get((meter.number_id, service.value))
            if row is None and not running:
                continue
            posted, pending = (row.posted, row.pending) if row else (0, 0)
            begun_now = live[meter.number_id] if service is Service.CALLS else 0
            standing = meter.limit_calls if service is Service.CALLS else meter.limit_sms
            found.append(
                Counted(
                    number_id=meter.number_id,
                    service=service,
                    used=posted + begun_now,
                    held=max(0, pending - begun_now),
                    # A counter keeps the limit with which its month ended.
                    limit=standing if running or row is None else row.limit_units,
                    opened_at=meter.opened_at,
                )
            )
    return found


def _priced(counted: Counted, rated: Iterable[RatedLine]) -> NumberUse:
    own = [
        each
        for each in rated
        if each.line.number_id == counted.number_id and each.line.service is counted.service
    ]
    return NumberUse(
        number_id=counted.number_id,
        service=counted.service,
        used=counted.used,
        held=counted.held,
        limit=counted.limit,
        opened_at=counted.opened_at,
        free=sum(each.line.free for each in own),
        charged=_sum(each.amount for each in own),
    )


def _unit(entry: Entry) -> Unit:
    return Unit(entry.starts_at, entry.subject_id, entry.unit_index, entry.number_id, _rate(entry))


def _rate(entry: Entry) -> Rate:
    return Rate(
        entry.price_id or "",
        Direction(entry.direction),
        entry.price_micros or 0,
        entry.currency or "USD",
    )


def _sum(amounts: Iterable[Money]) -> Money:
    total: Money | None = None
    for amount in amounts:
        total = amount if total is None else total + amount
    return total or Money(0)
