"""Entries of the ledger with what became of each: free, charged or taken back, and on which line.

An entry that was closed into an invoice keeps what its line says. One that was not is rated as an
invoice made now would rate it (UF2): the first units of its month are free, and of a closed month
what comes late takes what is left of the allowance (UF8). Pages are read by key, never by offset.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Row,
    Select,
    and_,
    any_,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from offhook.db import Session, now
from offhook.errors import NotFound
from offhook.prices import Direction, Money
from offhook.prices.money import DEFAULT_CURRENCY
from offhook.usage.closing import TOO_LATE, LineKind
from offhook.usage.models import Billed, ClosedLine, Entry
from offhook.usage.month import IN_ORDER, begun_units, free_entries
from offhook.usage.months import NamedMonth, month_at
from offhook.usage.rules import Kind, Service

# What may have come after its month was closed: the index ix_usage_entries_slow says the same.
DELAY = "usage_entries.recorded_at - usage_entries.starts_at"
SLOW = literal_column(f"{DELAY} > interval '71 hours'", Boolean)
OVERDUE = literal_column(f"{DELAY} > interval '{TOO_LATE.days} days'", Boolean)


Rated = Select[*tuple[Any, ...]]
# Columns, not rows of the mapper: an export reads a million of them.
COLUMNS = (
    Entry.id,
    Entry.number_id,
    Entry.service,
    Entry.direction,
    Entry.subject_id,
    Entry.unit_index,
    Entry.kind,
    Entry.units,
    Entry.period_start,
    Entry.starts_at,
    Entry.recorded_at,
    Entry.price_id,
    Entry.price_micros,
    Entry.currency,
    Entry.reason,
    Entry.actor,
)


class EntryMissing(NotFound):
    """No such entry on this team's ledger."""

    code = "entry_missing"


class Rating(StrEnum):
    """What an entry costs: nothing, its price, nothing because it was taken back, or nothing
    because it was recorded more than 35 days late (UP4).
    """

    FREE = "free"
    CHARGED = "charged"
    TAKEN_BACK = "taken_back"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class RatedEntry:
    """One entry that counts: `units` +1 (posted) or -1 (corrected).

    `closed_in`: the start of the month whose invoice it is on; None until it is on one.
    """

    id: int
    number_id: str
    service: Service
    direction: Direction
    subject_id: str
    unit_index: int
    kind: Kind
    units: int
    period_start: datetime
    starts_at: datetime
    recorded_at: datetime
    price_id: str
    price: Money
    rating: Rating
    reason: str
    actor: str
    line_kind: LineKind | None
    closed_in: datetime | None

    @property
    def amount(self) -> Money:
        """Exact; only lines of an invoice are rounded (UC8)."""
        charged = self.rating is Rating.CHARGED
        return self.price * self.units if charged else Money(0, self.price.currency)

    @property
    def key(self) -> "Key":
        return (self.starts_at, self.subject_id, self.unit_index, self.id)


@dataclass(frozen=True, slots=True)
class CallCost:
    """What one call came to: its billed minutes, how many were free, the charge unrounded."""

    minutes: int
    free: int
    charged: Money


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: every empty field means all. `span` is half-open."""

    number_id: str = ""
    direction: Direction | None = None
    price_id: str = ""
    rating: Rating | None = None
    subject_id: str = ""
    span: tuple[datetime, datetime] | None = None
    recorded_until: datetime | None = None
    free_ids: Sequence[int] = field(default_factory=tuple[int, ...])


KEY_KINDS: tuple[type, ...] = (datetime, str, int, int)
Key = tuple[datetime, str, int, int]


def key_of(values: Sequence[object]) -> Key:
    """A key out of a cursor's values, which are of KEY_KINDS."""
    starts_at, subject_id, index, entry_id = values
    return cast("Key", (starts_at, subject_id, index, entry_id))


def rated_by(wanted: Wanted, free: Sequence[int]) -> Wanted:
    """`wanted`, rated by these free entries."""
    return replace(wanted, free_ids=free)


async def free_ids(
    session: Session, team_id: str, service: Service, month: NamedMonth
) -> list[int]:
    """The entries of a month that are free and on no line yet: at most the allowance."""
    period = month.period
    if not month.is_rated:
        calls = service is Service.CALLS
        begun = await begun_units(session, team_id, period, await now(session)) if calls else []
        return await free_entries(session, team_id, service, period.starts_at, begun)
    given = await session.scalar(
        select(func.coalesce(func.sum(ClosedLine.free), 0)).where(
            ClosedLine.team_id == team_id,
            ClosedLine.service == service.value,
            ClosedLine.period_start == period.starts_at,
        )
    )
    room = service.free_units - (given or 0)
    if room <= 0:
        return []
    back = aliased(Entry)
    late = await session.scalars(
        select(Entry.id)
        .where(
            *_of_month(team_id, service, period.starts_at),
            Entry.units > 0,
            SLOW,
            ~OVERDUE,
            ~exists().where(Billed.entry_id == Entry.id),
            ~exists().where(
                back.service == Entry.service,
                back.subject_id == Entry.subject_id,
                back.unit_index == Entry.unit_index,
                back.stage == "correction",
                back.team_id == team_id,
            ),
        )
        .order_by(*IN_ORDER)
        .limit(room)
    )
    return list(late.all())


async def of_month(
    session: Session,
    team_id: str,
    service: Service,
    period_start: datetime,
    wanted: Wanted,
    *,
    after: Key | None = None,
    limit: int,
    newest_first: bool = False,
) -> list[RatedEntry]:
    """Up to `limit` entries of a month after the key `after`, in order of time or backwards.

    `wanted.free_ids` are those of `free_ids`: one export rates all its pages by the same ones.
    """
    query = _rated(team_id, wanted).where(*_of_month(team_id, service, period_start))
    order = (*IN_ORDER, Entry.id)
    if after is not None:
        seen = tuple_(*(literal(v, c.type) for v, c in zip(after, order, strict=True)))
        query = query.where(tuple_(*order) < seen if newest_first else tuple_(*order) > seen)
    ordered = [column.desc() if newest_first else column for column in order]
    rows = await session.execute(query.order_by(*ordered).limit(limit))
    return [_entry(row) for row in rows]


async def of_subject(
    session: Session, team_id: str, service: Service, subject_id: str, free: Sequence[int]
) -> list[RatedEntry]:
    """All entries of one call or message that count, in order of time."""
    query = _rated(team_id, Wanted(free_ids=free)).where(
        Entry.team_id == team_id,
        Entry.service == service.value,
        Entry.subject_id == subject_id,
        Entry.units != 0,
    )
    rows = await session.execute(query.order_by(*IN_ORDER, Entry.id))
    return [_entry(row) for row in rows]


async def entries_of_call(session: Session, team_id: str, call_id: str) -> list[RatedEntry]:
    """A call's minutes as they count now; free units move until the month closes."""
    months = await session.scalars(
        select(Entry.period_start)
        .where(
            Entry.team_id == team_id,
            Entry.service == Service.CALLS.value,
            Entry.subject_id == call_id,
            Entry.units > 0,
        )
        .distinct()
    )
    free: list[int] = []
    for start in months.all():
        free += await free_ids(
            session, team_id, Service.CALLS, await month_at(session, team_id, start)
        )
    return await of_subject(session, team_id, Service.CALLS, call_id, free)


async def cost_of_call(session: Session, team_id: str, call_id: str) -> CallCost | None:
    """What a call cost; None while nothing is posted."""
    return cost_of(await entries_of_call(session, team_id, call_id))


def cost_of(found: Sequence[RatedEntry]) -> CallCost | None:
    """The sum of a call's entries; None where there are none."""
    if not found:
        return None
    counted = [each for each in found if each.rating is not Rating.TAKEN_BACK]
    charged = Money(0, found[0].price.currency)
    for each in counted:
        charged += each.amount
    return CallCost(
        sum(each.units for each in counted),
        sum(each.units for each in counted if each.rating is Rating.FREE),
        charged,
    )


async def plain(session: Session, team_id: str, entry_id: int) -> Entry:
    """An entry of any kind as it stands. Raises EntryMissing, also for another team's."""
    entry = await session.scalar(
        select(Entry).where(Entry.id == entry_id, Entry.team_id == team_id)
    )
    if entry is None:
        raise EntryMissing(
            f"There is no entry {entry_id} on this team's ledger.", entry_id=entry_id
        )
    return entry


def _of_month(
    team_id: str, service: Service, period_start: datetime
) -> tuple[ColumnElement[bool], ...]:
    return (
        Entry.team_id == team_id,
        Entry.service == service.value,
        Entry.period_start == period_start,
        Entry.units != 0,
    )


def _rated(team_id: str, wanted: Wanted) -> Rated:
    """Entries beside the line that they are on, and beside the entry that undoes or is undone.

    Both are looked up row by row (LIMIT keeps the planner from joining whole months), the pair by
    the unique key (with `units <> 0` it may choose the month's index and read all of it), so that
    a page costs the same however long the ledger is.
    """
    other, other_billed = aliased(Entry), aliased(Billed)
    own = (
        select(
            Billed.line_id.label("line_id"),
            Billed.is_free.label("is_free"),
            ClosedLine.kind.label("kind"),
            ClosedLine.closed_in.label("closed_in"),
        )
        .outerjoin(ClosedLine, and_(ClosedLine.id == Billed.line_id, ClosedLine.team_id == team_id))
        .where(Billed.entry_id == Entry.id, Billed.team_id == team_id)
        .limit(1)
        .lateral("own")
    )
    pair = (
        select(
            other.id.label("id"),
            other_billed.line_id.label("line_id"),
            other_billed.is_free.label("is_free"),
        )
        .outerjoin(
            other_billed, and_(other_billed.entry_id == other.id, other_billed.team_id == team_id)
        )
        .where(
            other.service == Entry.service,
            other.subject_id == Entry.subject_id,
            other.unit_index == Entry.unit_index,
            other.stage == case((Entry.stage == "correction", "resolution"), else_="correction"),
            other.team_id == team_id,
        )
        .limit(1)
        .lateral("pair")
    )
    listed = any_(literal(list(wanted.free_ids), ARRAY(BigInteger)))
    is_free = func.coalesce(own.c.is_free, pair.c.is_free, Entry.id == listed)
    undone = and_(pair.c.id.is_not(None), own.c.line_id.is_not_distinct_from(pair.c.line_id))
    too_late = or_(own.c.kind == LineKind.EXPIRED.value, and_(own.c.line_id.is_(None), OVERDUE))
    rating: ColumnElement[str] = case(
        (undone, Rating.TAKEN_BACK.value),
        (too_late, Rating.TOO_LATE.value),
        (is_free, Rating.FREE.value),
        else_=Rating.CHARGED.value,
    )
    query = (
        select(
            *COLUMNS,
            rating.label("rating"),
            own.c.kind.label("line_kind"),
            own.c.closed_in.label("closed_in"),
        )
        .select_from(Entry)
        .outerjoin(own, true())
        .outerjoin(pair, true())
    )
    return _narrowed(query, wanted, rating)


def _narrowed(query: Rated, wanted: Wanted, rating: ColumnElement[str]) -> Rated:
    if wanted.number_id:
        query = query.where(Entry.number_id == wanted.number_id)
    if wanted.direction is not None:
        query = query.where(Entry.direction == wanted.direction.value)
    if wanted.price_id:
        query = query.where(Entry.price_id == wanted.price_id)
    if wanted.subject_id:
        query = query.where(Entry.subject_id == wanted.subject_id)
    if wanted.span is not None:
        query = query.where(Entry.starts_at >= wanted.span[0], Entry.starts_at < wanted.span[1])
    if wanted.recorded_until is not None:
        query = query.where(Entry.recorded_at <= wanted.recorded_until)
    if wanted.rating is not None:
        query = query.where(rating == wanted.rating.value)
    return query


def _entry(row: Row[*tuple[Any, ...]]) -> RatedEntry:
    return RatedEntry(
        id=row.id,
        number_id=row.number_id,
        service=Service(row.service),
        direction=Direction(row.direction),
        subject_id=row.subject_id,
        unit_index=row.unit_index,
        kind=Kind(row.kind),
        units=row.units,
        period_start=row.period_start,
        starts_at=row.starts_at,
        recorded_at=row.recorded_at,
        price_id=row.price_id or "",
        price=Money(row.price_micros or 0, row.currency or DEFAULT_CURRENCY),
        rating=Rating(row.rating),
        reason=row.reason or "",
        actor=row.actor or "",
        line_kind=LineKind(row.line_kind) if row.line_kind else None,
        closed_in=row.closed_in,
    )
