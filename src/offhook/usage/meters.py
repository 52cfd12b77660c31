"""Meters: a number's kind and its two standing limits (UL1, UL2, UL8, UL9, UL11)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from offhook import prices
from offhook.db import Session, now, one_at_a_time, touch
from offhook.errors import NotFound
from offhook.prices import Direction, Price, in_force
from offhook.usage import notices
from offhook.usage.calendar import period_at
from offhook.usage.models import Counter, Meter, SpendCap
from offhook.usage.periods import Period
from offhook.usage.rating import Rate
from offhook.usage.rules import Service, limit_value


class MeterMissing(NotFound):
    """The ledger was not told of this number, or it belongs to another team."""

    code = "meter_missing"


@dataclass(frozen=True, slots=True)
class Balance:
    """One number's running month: `posted` used, `pending` reserved, `left` None if unlimited."""

    posted: int
    pending: int
    limit: int | None
    period: Period

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.posted - self.pending)

    @property
    def resets_at(self) -> datetime:
        return self.period.ends_at


async def open_meter(
    session: Session, team_id: str, *, number_id: str, carrier: str, country: str, number_type: str
) -> None:
    """Tell the ledger of a new number, when it is recorded (A5); again is a no-op.

    The kind decides its price: carrier ("simulator", "twilio"), ISO country, number type.
    """
    if await session.get(Meter, number_id) is None:
        await exclude_cap_changes(session, team_id)
        caps = select(SpendCap).where(SpendCap.team_id == team_id)
        cap = await session.scalar(caps.execution_options(populate_existing=True))
        session.add(
            Meter(
                number_id=number_id,
                team_id=team_id,
                carrier=carrier,
                country=country,
                number_type=number_type,
                is_capped=cap is not None and (cap.own_micros, cap.upper_micros) != (None, None),
                opened_at=await now(session),
            )
        )
        await session.flush()


async def set_limit(
    session: Session, team_id: str, *, number_id: str, service: Service | str, value: object
) -> int | None:
    """Set a monthly limit (U1): at once, also for what is live (UL8, UL9, UL11).

    `value`: None for no limit, or an integer; LimitInvalid otherwise. What is reserved already
    is finished, nothing is refunded.
    """
    service = Service(service)
    limit = limit_value(value)
    column = "limit_calls" if service is Service.CALLS else "limit_sms"
    changed = await session.execute(
        update(Meter)
        .where(Meter.number_id == number_id, Meter.team_id == team_id)
        .values({column: limit})
        .returning(Meter.number_id)
    )
    if changed.first() is None:
        raise missing(number_id)
    counters = await session.execute(
        update(Counter)
        .where(
            Counter.number_id == number_id,
            Counter.team_id == team_id,
            Counter.service == service.value,
            Counter.period_end > await now(session),
        )
        .values(limit_units=limit)
        .returning(Counter.period_start, Counter.period_end, Counter.posted, Counter.pending)
    )
    for start, end, posted, pending in counters.all():
        month = notices.Month(team_id, number_id, service, start, end)
        await notices.limit(session, month, posted=posted, pending=pending, limit=limit)
    await touch(session, team_id, "usage", f"limit:{number_id}")
    return limit


async def limit_of(
    session: Session, team_id: str, *, number_id: str, service: Service | str
) -> int | None:
    """The standing limit; None is unlimited. Raises MeterMissing."""
    return _limit(await meter_of(session, team_id, number_id), Service(service))


async def balance(
    session: Session, team_id: str, *, number_id: str, service: Service | str
) -> Balance:
    """What is used, reserved and left this month, in constant time. Takes nothing."""
    service = Service(service)
    meter = await meter_of(session, team_id, number_id)
    period = await period_at(session, team_id, await now(session))
    counter = (
        await session.execute(
            select(Counter.posted, Counter.pending).where(
                Counter.number_id == number_id,
                Counter.team_id == team_id,
                Counter.service == service.value,
                Counter.period_start == period.starts_at,
            )
        )
    ).first()
    posted, pending = (counter.posted, counter.pending) if counter else (0, 0)
    return Balance(posted, pending, _limit(meter, service), period)


async def meter_of(session: Session, team_id: str, number_id: str) -> Meter:
    """The meter of a number of this team. Raises MeterMissing."""
    # Limits change under other sessions, so what the session remembers is not good enough.
    meter = await session.scalar(
        select(Meter)
        .where(Meter.number_id == number_id, Meter.team_id == team_id)
        .execution_options(populate_existing=True)
    )
    if meter is None:
        raise missing(number_id)
    return meter


async def exclude_cap_changes(session: Session, team_id: str) -> None:
    """One at a time: a change of the team's spend cap, and a new number that must know of it."""
    await one_at_a_time(session, f"spend cap {team_id}")


@dataclass(frozen=True, slots=True)
class Tariff:
    """Every price version of a number's kind."""

    prices: list[Price]

    def of(self, service: Service, direction: Direction, at: datetime) -> Rate | None:
        """What a unit costs that starts at `at` (UP5); None where no price was set."""
        price = in_force(self.prices, at)
        if price is None:
            return None
        calls = service is Service.CALLS
        each = price.per_minute(direction) if calls else price.per_message(direction)
        return Rate(price.id, direction, each.micros, each.currency)


async def tariff(session: Session, team_id: str, number_id: str) -> Tariff:
    """Raises MeterMissing."""
    kind = (Meter.carrier, Meter.country, Meter.number_type)
    found = await session.execute(
        select(*kind, prices.PriceVersion)
        .outerjoin(prices.PriceVersion, prices.stands_for(*kind))
        .where(Meter.number_id == number_id, Meter.team_id == team_id)
    )
    rows = found.all()
    if not rows:
        raise missing(number_id)
    carrier, country, number_type, first = rows[0]
    own = [row[3] for row in rows] if first else []
    return Tariff(prices.all_of((carrier, country, number_type), own))


def _limit(meter: Meter, service: Service) -> int | None:
    return meter.limit_calls if service is Service.CALLS else meter.limit_sms


def missing(number_id: str) -> MeterMissing:
    return MeterMissing(f"There is no number {number_id} on the ledger.", number_id=number_id)
