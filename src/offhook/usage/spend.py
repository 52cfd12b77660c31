"""The spend cap of a team: a unit that could take the month's charges over it is not granted.

A grant of a team with a cap locks the team's one row of the month (`usage_spend`) after its
counter, so that all its grants follow each other; other teams never come here. The row holds the
month's lines with all that is held (spending.py). Where they would pass the cap although something
was given back meanwhile, they are read anew from the ledger, in one statement and so of one
instant. Lock order: counters, then this row; `set_cap` and `open_meter` exclude each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Session, fetch, for_change, now, publish, touch
from offhook.errors import Invalid
from offhook.prices import Direction, Money
from offhook.prices.money import DEFAULT_CURRENCY
from offhook.usage import kernel, spending
from offhook.usage.calendar import period_at
from offhook.usage.events import LimitReached, LimitWarning, Scope
from offhook.usage.kernel import Taken, Wanted
from offhook.usage.meters import Tariff, exclude_cap_changes, tariff
from offhook.usage.models import Counter, Meter, SpendCap, SpendMonth
from offhook.usage.periods import Period
from offhook.usage.rating import Rate, Unit
from offhook.usage.rules import REACHED_PERCENT, WARNING_PERCENT, Service
from offhook.usage.spending import Spending

MAX_CAP = 10_000_000
UNPRICED = Rate("", Direction.INBOUND, 0, DEFAULT_CURRENCY)

# The whole month at one instant: what is posted by price, its first units, and what is held.
# `candidates` are the messages' holds as HOLDS found them just before.
READ = """
WITH posted AS (
    SELECT service, number_id, direction, price_id, price_micros, currency, sum(units) AS units
    FROM usage_days
    WHERE team_id = %(team_id)s AND period_start = %(period_start)s
    GROUP BY 1, 2, 3, 4, 5, 6
), first AS (
    SELECT unit.*
    FROM (VALUES ('calls', %(free_calls)s), ('sms', %(free_sms)s)) AS kind (name, free), LATERAL (
        SELECT service, number_id, direction, coalesce(price_id, '') AS price_id,
            coalesce(price_micros, 0) AS price_micros, coalesce(currency, %(currency)s) AS currency,
            starts_at, subject_id, unit_index
        FROM usage_entries AS entry
        WHERE team_id = %(team_id)s AND service = kind.name AND period_start = %(period_start)s
          AND units > 0 AND NOT EXISTS (
            SELECT FROM usage_entries AS back
            WHERE back.service = entry.service AND back.subject_id = entry.subject_id
              AND back.unit_index = entry.unit_index AND back.stage = 'correction'
            OFFSET 0)  -- asked of the first few, not joined with all
        ORDER BY starts_at, subject_id, unit_index
        LIMIT kind.free
    ) AS unit
), hold AS (
    SELECT entry.* FROM usage_calls AS call
    JOIN usage_entries AS entry ON entry.service = 'calls' AND entry.subject_id = call.call_id
    WHERE call.team_id = %(team_id)s AND call.ended_at IS NULL AND entry.stage = 'hold'
  UNION ALL
    SELECT * FROM usage_entries WHERE id = ANY(%(candidates)s)
), held AS (
    SELECT service, number_id, direction, starts_at, subject_id, unit_index FROM hold
    WHERE team_id = %(team_id)s AND period_start = %(period_start)s AND NOT EXISTS (
        SELECT FROM usage_entries AS ended
        WHERE ended.service = hold.service AND ended.subject_id = hold.subject_id
          AND ended.unit_index = hold.unit_index AND ended.stage = 'resolution')
)
SELECT 'posted', service, number_id, direction, price_id, price_micros, currency, units,
    NULL::timestamptz, NULL, NULL FROM posted
UNION ALL
SELECT 'first', service, number_id, direction, price_id, price_micros, currency, 1,
    starts_at, subject_id, unit_index FROM first
UNION ALL
SELECT 'held', service, number_id, direction, NULL, NULL, NULL, 1,
    starts_at, subject_id, unit_index FROM held
"""
# No index lists the messages on their way, which are few and new: found from the ledger's end, as
# many as the counters hold. Nothing is added meanwhile, for grants of the team wait for its row.
WAITING = """
SELECT coalesce(sum(pending), 0) FROM usage_counters
WHERE team_id = %(team_id)s AND service = 'sms' AND pending > 0
"""
HOLDS = """
SELECT id, team_id = %(team_id)s AND service = 'sms' AND stage = 'hold' AND NOT EXISTS (
    SELECT FROM usage_entries AS ended
    WHERE ended.service = newest.service AND ended.subject_id = newest.subject_id
      AND ended.unit_index = newest.unit_index AND ended.stage = 'resolution')
FROM (
    SELECT * FROM usage_entries WHERE id < %(before)s ORDER BY id DESC LIMIT 2000
) AS newest
ORDER BY id DESC
"""
COUNTED = """
SELECT coalesce(sum(posted + pending) FILTER (WHERE service = 'calls'), 0),
    coalesce(sum(posted + pending) FILTER (WHERE service = 'sms'), 0)
FROM usage_counters WHERE team_id = %(team_id)s AND period_start = %(period_start)s
"""


class CapInvalid(Invalid):
    """A spend cap that is neither empty nor an amount of whole coins."""

    code = "spend_cap_invalid"


@dataclass(frozen=True, slots=True)
class Cap:
    """The team's own cap and the operator's upper one; None: there is none."""

    own: Money | None = None
    upper: Money | None = None

    @property
    def effective(self) -> Money | None:
        """What stops: the lower of the two."""
        known = [cap for cap in (self.own, self.upper) if cap is not None]
        return min(known, key=lambda cap: cap.micros) if known else None


@dataclass(frozen=True, slots=True)
class Spent:
    """The running month against the cap: `charged` if all that is held is used."""

    cap: Cap
    charged: Money
    resets_at: datetime

    @property
    def is_reached(self) -> bool:
        top = self.cap.effective
        return top is not None and top <= self.charged


def read_cap(text: object) -> Money | None:
    """A cap as it is written: empty is none; 0 lets free units pass only. Raises CapInvalid."""
    written = "" if text is None else str(text).strip()
    if not written:
        return None
    try:
        amount = Decimal(written)
        whole = amount.is_finite() and 0 <= amount <= MAX_CAP
        cap = Money.of(amount) if whole else None
    except (InvalidOperation, ValueError):
        cap = None
    if cap is None or cap.rounded() != cap:
        sentence = f"A spend cap cannot be “{written[:40]}”."
        raise CapInvalid(
            sentence,
            remedy=f"Enter an amount from 0 to {MAX_CAP:,} in whole cents, or leave it empty.",
            errors=[{"field": "amount", "sentence": sentence}],
        )
    return cap


# --- Granting ---


async def admits(
    session: Session, wanted: Wanted, taken: Taken, unjudged: Sequence[Wanted] = ()
) -> bool:
    """Whether the unit that was just taken keeps the charges within the cap; if not, it is put
    back. What costs nothing is always within it.

    `unjudged`: units taken in the same transaction whose turn comes later; they do not count yet.
    """
    cap = (await cap_of(session, wanted.team_id)).effective
    if cap is None:
        return True
    row = await _locked(session, wanted.team_id, taken.period_start)
    later = [each for each in unjudged if each.team_id == wanted.team_id]
    month = _Month(session, wanted.team_id, taken.period_start, later)
    kept = spending.from_json(row.state) if row.state else await month.read(without=wanted)
    unit = await _unit(session, wanted, taken.starts_at)
    after = spending.with_unit(kept, wanted.service, unit)
    given_back = await month.given_back(kept, wanted.service)
    if after is None or given_back < 0 or (given_back and _presses(after, cap, row)):
        kept, after = await month.read(without=wanted), await month.read()
    granted = after.charges <= cap or after.charges <= kept.charges
    row.state = spending.to_json(after if granted else kept)
    if not granted:
        await kernel.put_back(session, wanted)
    await _announce(
        session, row, after if granted else kept, cap, taken.period_end, refused=not granted
    )
    await session.flush()
    return granted


def _presses(after: Spending, cap: Money, row: SpendMonth) -> bool:
    """Whether the bound says more than may be said without looking: over the cap, or news."""
    return after.charges > cap or _percent(after, cap) > row.told.get(str(cap.micros), 0)


def _percent(month: Spending, cap: Money) -> int:
    """The highest threshold that the month has reached (U9)."""
    if not month.charges:
        return 0
    reached = [p for p in (WARNING_PERCENT, REACHED_PERCENT) if month.charges * 100 >= cap * p]
    return max(reached, default=0)


async def _announce(
    session: Session,
    row: SpendMonth,
    month: Spending,
    cap: Money,
    resets_at: datetime,
    *,
    refused: bool = False,
) -> None:
    """Tell each threshold once per month and value of the cap. A refusal says that it is reached,
    for then somebody was not served.
    """
    key = str(cap.micros)
    before, percent = row.told.get(key, 0), _percent(month, cap)
    news = [p for p in (WARNING_PERCENT, REACHED_PERCENT) if before < p <= percent]
    if refused and REACHED_PERCENT not in news and before < REACHED_PERCENT:
        news.append(REACHED_PERCENT)
    if not news:
        return
    row.told = {**row.told, key: max(news)}
    for reached, kind in ((WARNING_PERCENT, LimitWarning), (REACHED_PERCENT, LimitReached)):
        if reached in news:
            event = kind(
                team_id=row.team_id,
                scope=Scope.SPEND_CAP,
                charged=month.charges.amount,
                cap=cap.amount,
                currency=cap.currency,
                resets_at=resets_at,
            )
            await publish(session, event)


async def _locked(session: Session, team_id: str, period_start: datetime) -> SpendMonth:
    made = insert(SpendMonth).values(team_id=team_id, period_start=period_start, told={})
    await session.execute(made.on_conflict_do_nothing())
    row = await session.scalar(
        for_change(
            select(SpendMonth).where(
                SpendMonth.team_id == team_id, SpendMonth.period_start == period_start
            )
        )
    )
    assert row is not None  # noqa: S101 - made above if it was not there
    return row


async def _unit(session: Session, wanted: Wanted, starts_at: datetime) -> Unit:
    prices = await tariff(session, wanted.team_id, wanted.number_id)
    rate = prices.of(wanted.service, Direction(wanted.direction), starts_at) or UNPRICED
    return Unit(starts_at, wanted.subject_id, wanted.index, wanted.number_id, rate)


class _Month:
    """One month of a team in the ledger."""

    def __init__(
        self,
        session: Session,
        team_id: str,
        period_start: datetime,
        unjudged: Sequence[Wanted] = (),
    ) -> None:
        self._session = session
        self._unjudged = unjudged
        self._keys = {"team_id": team_id, "period_start": period_start}
        self._tariffs: dict[str, Tariff] = {}
        self._rows: Sequence[tuple[Any, ...]] | None = None

    async def given_back(self, kept: Spending, service: Service) -> int:
        """How many units less the counters have than `kept` and the new one: 0 if it is exact.

        Negative: there are units that came by another way than a grant (UC5).
        """
        [(calls, sms)] = await fetch(self._session, COUNTED, self._keys)
        less = {Service.CALLS: kept.calls.units - calls, Service.SMS: kept.sms.units - sms}
        for taken in (service, *(each.service for each in self._unjudged)):
            less[taken] += 1
        return min(less.values()) if min(less.values()) < 0 else sum(less.values())

    async def read(self, without: Wanted | None = None) -> Spending:
        """The month as the ledger has it, all that is held used; `without` one held unit."""
        if self._rows is None:
            given = {
                **self._keys,
                "currency": DEFAULT_CURRENCY,
                "free_calls": Service.CALLS.free_units,
                "free_sms": Service.SMS.free_units,
                "candidates": await self._messages_held(),
            }
            self._rows = await fetch(self._session, READ, given)
        left_out = {_key(each) for each in (*self._unjudged, *([without] if without else []))}
        found = Spending()
        for service in Service:
            mine = [row for row in self._rows if row[1] == service.value]
            totals = {(row[2], _rate(row)): int(row[7]) for row in mine if row[0] == "posted"}
            first = [_placed(row, _rate(row)) for row in mine if row[0] == "first"]
            held = [
                _placed(row, await self._rate_of(row))
                for row in mine
                if row[0] == "held" and (row[1], row[9], row[10]) not in left_out
            ]
            found = found.having(service, spending.tallied(service, totals, first, held))
        return found

    async def _messages_held(self) -> list[int]:
        found: list[int] = []
        before = 2**62
        while before and len(found) < (await fetch(self._session, WAITING, self._keys))[0][0]:
            rows = await fetch(self._session, HOLDS, {**self._keys, "before": before})
            found += [entry_id for entry_id, is_held in rows if is_held]
            before = rows[-1][0] if rows else 0
        return found

    async def _rate_of(self, row: tuple[Any, ...]) -> Rate:
        """The price that a held unit will be posted at."""
        number_id = row[2]
        if number_id not in self._tariffs:
            team_id = str(self._keys["team_id"])
            self._tariffs[number_id] = await tariff(self._session, team_id, number_id)
        prices = self._tariffs[number_id]
        return prices.of(Service(row[1]), Direction(row[3]), row[8].astimezone(UTC)) or UNPRICED


def _key(wanted: Wanted) -> tuple[str, str, int]:
    return wanted.service.value, wanted.subject_id, wanted.index


def _rate(row: tuple[Any, ...]) -> Rate:
    return Rate(row[4], Direction(row[3]), row[5], row[6])


def _placed(row: tuple[Any, ...], rate: Rate) -> Unit:
    return Unit(row[8].astimezone(UTC), row[9], row[10], row[2], rate)


# --- The cap itself ---


async def cap_of(session: Session, team_id: str) -> Cap:
    row = await session.scalar(
        select(SpendCap)
        .where(SpendCap.team_id == team_id)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return Cap()
    return Cap(_money(row.own_micros, row.currency), _money(row.upper_micros, row.currency))


def _micros(cap: Money | None) -> int | None:
    return None if cap is None else cap.micros


def _money(micros: int | None, currency: str) -> Money | None:
    return None if micros is None else Money(micros, currency)


async def set_cap(session: Session, team_id: str, cap: Money | None, *, by: str) -> Cap:
    """The team's own cap; at once, also for what is live. What is charged already stays."""
    return await _change(session, team_id, by, own_micros=_micros(cap))


async def set_upper_cap(session: Session, team_id: str, cap: Money | None, *, by: str) -> Cap:
    """The operator's cap of a team, which the team's own cannot pass."""
    return await _change(session, team_id, by, upper_micros=_micros(cap))


async def forget(session: Session, team_id: str) -> None:
    """Units came onto the ledger by another way than a grant (UC5): read it anew at the next."""
    await session.execute(
        update(SpendMonth).where(SpendMonth.team_id == team_id).values(state=None)
    )


async def _change(session: Session, team_id: str, by: str, **changed: int | None) -> Cap:
    await exclude_cap_changes(session, team_id)
    present = await now(session)
    period = await period_at(session, team_id, present)  # before the meters, as a grant makes it
    values = {"changed_at": present, "changed_by": by, **changed}
    made = insert(SpendCap).values(team_id=team_id, currency=DEFAULT_CURRENCY, **values)
    await session.execute(made.on_conflict_do_update(index_elements=["team_id"], set_=values))
    cap = await cap_of(session, team_id)
    capped = cap.effective is not None
    # As a limit: meters, then counters. Whoever takes a unit holds the counter's lock, so that each
    # unit is either there when the ledger is read, or its counter already says that there is a cap.
    numbers = await session.scalars(
        select(Meter.number_id)
        .where(Meter.team_id == team_id)
        .order_by(Meter.number_id)
        .with_for_update(key_share=True)
    )
    known = list(numbers)
    await session.execute(update(Meter).where(Meter.team_id == team_id).values(is_capped=capped))
    open_ones = (Counter.team_id == team_id, Counter.period_end > present)
    await session.execute(
        select(Counter.number_id)
        .where(*open_ones)
        .order_by(Counter.number_id, Counter.service, Counter.period_start)
        .with_for_update(key_share=True)
    )
    await session.execute(update(Counter).where(*open_ones).values(is_capped=capped))
    await forget(session, team_id)
    if cap.effective is not None:
        await _look(session, team_id, cap.effective, period)
    await touch(session, team_id, "usage", *(f"limit:{number_id}" for number_id in known))
    return cap


async def _look(session: Session, team_id: str, cap: Money, period: Period) -> None:
    """What a new cap has reached already is told at once."""
    row = await _locked(session, team_id, period.starts_at)
    month = await _Month(session, team_id, period.starts_at).read()
    row.state = spending.to_json(month)
    await _announce(session, row, month, cap, period.ends_at)
    await session.flush()


async def spent(session: Session, team_id: str) -> Spent:
    """The running month against the cap, as it is now."""
    period = await period_at(session, team_id, await now(session))
    month = await _Month(session, team_id, period.starts_at).read()
    return Spent(await cap_of(session, team_id), month.charges, period.ends_at)
