"""How a calendar is laid out on its page: days, rows of a quarter of an hour, lanes. Pure.

Rows follow the wall clock, so a day with a change of the clock looks like any other. More than
three appointments side by side become one block that leads to the day's list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from offhook.bookings import slots
from offhook.bookings.models import Appointment, Busy
from offhook.bookings.slots import ONE_DAY, Plan, Slot

ROW_MINUTES = 15
ROWS_AN_HOUR = 60 // ROW_MINUTES
HOURS_A_DAY = 24
DAYS_A_WEEK = 7
MOST_LANES = 3
COLUMNS = 6
"""A day's grid: one, two or three lanes share it without a rest."""
USUAL_HOURS = (8, 18)


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle in a day's column, in rows and columns from 1, and what it stands for."""

    row: int
    rows: int
    column: int
    columns: int
    appointments: tuple[Appointment, ...] = ()
    slot: Slot | None = None
    busy: Busy | None = None

    @property
    def people(self) -> int:
        return sum(each.party_size for each in self.appointments)


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its blocks for the week's grid, its lines for the list."""

    day: date
    open: Sequence[Block]
    free: Sequence[Block]
    booked: Sequence[Block]
    busy: Sequence[Block]
    lines: Sequence["Line"]
    note: str = ""
    closed: bool = False


@dataclass(slots=True)
class Line:
    """A line of a day's list: an appointment, what others have, or the free times up to these."""

    appointment: Appointment | None = None
    busy: Busy | None = None
    free: list[Slot] = field(default_factory=list[Slot])


@dataclass(frozen=True, slots=True)
class Board:
    """Some days, shown from `first_hour` to `last_hour`."""

    days: Sequence[Day]
    first_hour: int
    last_hour: int

    @property
    def rows(self) -> int:
        return (self.last_hour - self.first_hour) * ROWS_AN_HOUR


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def board(
    plan: Plan,
    days: Sequence[date],
    booked: Sequence[Appointment],
    free: Sequence[Slot],
    busy: Sequence[Busy] = (),
) -> Board:
    """The layout of `days`. `busy`: what others have on the calendar's server."""
    opened = {day: _open(plan, day) for day in days}
    placed = {day: [each for each in booked if _touches(plan, each, day)] for day in days}
    others = {day: [each for each in busy if _touches(plan, each, day)] for day in days}
    spans = [span for each in opened.values() for span in each]
    spans += [
        _minutes(plan, day, each.starts_at, each.ends_at) for day in days for each in placed[day]
    ]
    first = min([begin // 60 for begin, _ in spans], default=USUAL_HOURS[0])
    last = max([-(-end // 60) for _, end in spans], default=USUAL_HOURS[1])
    made: list[Day] = []
    for day in days:
        own = [slot for slot in free if slots.day_of(plan.zone, slot.start) == day]
        special = plan.hours.special_on(day)
        made.append(
            Day(
                day=day,
                open=[_block(begin, end, first) for begin, end in opened[day]],
                free=_free_blocks(plan, day, own, first),
                booked=_lanes(plan, day, placed[day], first),
                busy=[_busy_block(plan, day, each, first, last) for each in others[day]],
                lines=_lines([*placed[day], *others[day]], own),
                note=special.note if special else "",
                closed=not opened[day],
            )
        )
    return Board(made, first, last)


def _open(plan: Plan, day: date) -> list[tuple[int, int]]:
    """Minutes of the wall clock during which it is open on `day`, the night before included."""
    found: list[tuple[int, int]] = []
    for offset in (ONE_DAY, timedelta(0)):
        for span in plan.hours.on(day - offset):
            begin = span.opens.hour * 60 + span.opens.minute
            end = span.closes.hour * 60 + span.closes.minute
            if offset and span.over_midnight and end:
                found.append((0, end))
            elif not offset:
                found.append((begin, HOURS_A_DAY * 60 if span.over_midnight else end))
    return found


def _touches(plan: Plan, each: Appointment | Busy, day: date) -> bool:
    begin, end = slots.bounds(plan.zone, day)
    return each.starts_at < end and each.ends_at > begin


def _busy_block(plan: Plan, day: date, busy: Busy, first_hour: int, last_hour: int) -> Block:
    """Cut to the hours that are shown: all-day events stretch none."""
    begin, end = _minutes(plan, day, busy.starts_at, busy.ends_at)
    begin = min(max(begin, first_hour * 60), last_hour * 60 - ROW_MINUTES)
    shape = _block(begin, max(min(end, last_hour * 60), begin + ROW_MINUTES), first_hour)
    return Block(shape.row, shape.rows, shape.column, shape.columns, busy=busy)


def _minutes(plan: Plan, day: date, start: datetime, end: datetime) -> tuple[int, int]:
    """Minutes of the wall clock of `day`, cut to it; at least one row long."""
    midnight = datetime.combine(day, time(0))

    def minute(instant: datetime) -> int:
        wall = instant.astimezone(plan.zone).replace(tzinfo=None)
        return round((wall - midnight).total_seconds() / 60)

    begin = min(max(minute(start), 0), HOURS_A_DAY * 60 - ROW_MINUTES)
    return begin, min(max(minute(end), begin + ROW_MINUTES), HOURS_A_DAY * 60)


def _block(begin: int, end: int, first_hour: int, column: int = 1, columns: int = COLUMNS) -> Block:
    row = (begin - first_hour * 60) // ROW_MINUTES + 1
    rows = max(-(-(end - begin) // ROW_MINUTES), 1)
    return Block(row, rows, column, columns)


def _free_blocks(plan: Plan, day: date, free: Sequence[Slot], first_hour: int) -> list[Block]:
    found: list[Block] = []
    for slot in free:
        begin, _ = _minutes(plan, day, slot.start, slot.end)
        long = min(plan.step, plan.length)
        end = min(begin + round(long.total_seconds() / 60), HOURS_A_DAY * 60)
        shape = _block(begin, end, first_hour)
        found.append(Block(shape.row, shape.rows, shape.column, shape.columns, slot=slot))
    return found


def _lanes(plan: Plan, day: date, booked: Sequence[Appointment], first_hour: int) -> list[Block]:
    """Appointments side by side where they overlap; too many of them as one block."""
    timed = sorted(
        ((*_minutes(plan, day, each.starts_at, each.ends_at), each) for each in booked),
        key=lambda each: (each[0], -each[1], each[2].id),
    )
    found: list[Block] = []
    cluster: list[tuple[int, int, Appointment]] = []
    until = -1
    for each in timed:
        if cluster and each[0] >= until:
            found += _cluster(cluster, first_hour)
            cluster = []
        cluster.append(each)
        until = max(until, each[1]) if len(cluster) > 1 else each[1]
    return found + (_cluster(cluster, first_hour) if cluster else [])


def _cluster(cluster: Sequence[tuple[int, int, Appointment]], first_hour: int) -> list[Block]:
    ends: list[int] = []
    lane_of: list[int] = []
    for begin, end, _ in cluster:
        lane = next((i for i, busy_until in enumerate(ends) if busy_until <= begin), len(ends))
        ends[lane : lane + 1] = [end]
        lane_of.append(lane)
    if len(ends) > MOST_LANES:
        shape = _block(cluster[0][0], max(ends), first_hour)
        together = tuple(each for _, _, each in cluster)
        return [Block(shape.row, shape.rows, 1, COLUMNS, together)]
    width = COLUMNS // len(ends)
    found: list[Block] = []
    for lane, (begin, end, appointment) in zip(lane_of, cluster, strict=True):
        shape = _block(begin, end, first_hour, lane * width + 1, width)
        found.append(Block(shape.row, shape.rows, shape.column, shape.columns, (appointment,)))
    return found


def _lines(booked: Sequence[Appointment | Busy], free: Sequence[Slot]) -> list[Line]:
    """A day in order of time; free times between two appointments share a line."""
    entries: list[tuple[datetime, Appointment | Busy | Slot]] = [
        *((each.starts_at, each) for each in booked),
        *((each.start, each) for each in free),
    ]
    found: list[Line] = []
    for _, entry in sorted(entries, key=lambda each: (each[0], isinstance(each[1], Slot))):
        if isinstance(entry, Appointment):
            found.append(Line(entry))
        elif isinstance(entry, Busy):
            found.append(Line(busy=entry))
        elif found and found[-1].free:
            found[-1].free.append(entry)
        else:
            found.append(Line(free=[entry]))
    return found
