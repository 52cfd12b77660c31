"""What conversations, teams and months cost, and what is left of what they brought in.

Money of the operator's list and of carriers may be in several currencies; only amounts of the
list's are added up, others are shown beside them.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from offhook import teams, usage
from offhook.costs.models import CarrierCost, CostLine, RateVersion
from offhook.costs.rates import as_rate
from offhook.costs.rules import Kind, amount_words
from offhook.db import Session
from offhook.prices import Money

CURRENCY = Money(0).currency


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of a conversation's costs. `is_rated`: a rate was set for it."""

    vendor: str
    model: str
    what: str
    money: Money
    is_rated: bool


@dataclass(frozen=True, slots=True)
class Costs:
    """The lines of one conversation and their sum."""

    lines: tuple[Cost, ...]

    @property
    def total(self) -> Money:
        return add(line.money for line in self.lines)


@dataclass(slots=True)
class MonthOfTeam:
    """One team's month: what it brought in and what it cost. Not rounded but for invoice lines."""

    team_id: str
    team_name: str
    period: usage.Period
    charges: Money = field(default_factory=lambda: Money(0))
    rents: Money = field(default_factory=lambda: Money(0))
    vendors: Money = field(default_factory=lambda: Money(0))
    carriers: Money = field(default_factory=lambda: Money(0))
    other: dict[str, Money] = field(default_factory=dict[str, Money])
    """What carriers charged in other currencies, which no rate is guessed for."""

    @property
    def revenue(self) -> Money:
        return self.charges + self.rents

    @property
    def cost(self) -> Money:
        return self.vendors + self.carriers

    @property
    def margin(self) -> Money:
        return self.revenue - self.cost

    @property
    def percent(self) -> int | None:
        """The margin's share of the revenue; None without revenue."""
        if self.revenue.micros <= 0:
            return None
        return round(100 * self.margin.micros / self.revenue.micros)


RentSource = Callable[[Session, str, datetime, datetime], Awaitable[Sequence[Money]]]
_rents: list[RentSource] = []


def rents_from(source: RentSource) -> None:
    """Let `source(session, team_id, start, end)` tell the rents of the month [start, end)."""
    if source not in _rents:
        _rents.append(source)


def add(amounts: Iterable[Money]) -> Money:
    """The sum of what is in the list's currency."""
    return sum((each for each in amounts if each.currency == CURRENCY), Money(0))


async def of_conversation(session: Session, team_id: str, conversation_id: str) -> Costs:
    """What one call or thread cost, over all its months."""
    rows = await session.execute(
        select(
            CostLine.vendor,
            CostLine.model,
            CostLine.kind,
            RateVersion,
            func.sum(CostLine.amount).label("amount"),
        )
        .outerjoin(RateVersion, RateVersion.id == CostLine.rate_id)
        .where(CostLine.team_id == team_id, CostLine.conversation_id == conversation_id)
        .group_by(CostLine.vendor, CostLine.model, CostLine.kind, RateVersion.id)
        .order_by(CostLine.vendor, CostLine.model, CostLine.kind)
    )
    lines = [_cost(v, m, Kind(kind), rate, int(amount)) for v, m, kind, rate, amount in rows.all()]
    carrier = await session.execute(
        select(CarrierCost.currency, func.sum(CarrierCost.micros), func.count())
        .where(CarrierCost.team_id == team_id, CarrierCost.conversation_id == conversation_id)
        .group_by(CarrierCost.currency)
    )
    for currency, micros, count in carrier.all():
        what = "1 record" if count == 1 else f"{count:,} records"
        lines.append(Cost("carrier", "", what, Money(int(micros), currency), is_rated=True))
    return Costs(tuple(lines))


def _cost(vendor: str, model: str, kind: Kind, rate: RateVersion | None, amount: int) -> Cost:
    money = as_rate(rate).cost(amount) if rate else Money(0)
    rated = rate is not None or vendor == "offline"
    return Cost(vendor, model, amount_words(kind, amount), money, is_rated=rated)


async def months(session: Session, name: str = "") -> list[MonthOfTeam]:
    """The month `name` ("2026-11"; empty: the running one) of every team that had it.

    System scope. Charges are of units that are posted: a live call's minutes come with its end.
    """
    found: list[MonthOfTeam] = []
    for seen in await teams.operators.teams_seen(session):
        try:
            month = await usage.month_named(session, seen.team.id, name)
        except usage.MonthMissing:
            continue
        found.append(await of_team(session, seen.team.id, seen.team.name, month.period))
    return found


async def of_team(
    session: Session, team_id: str, team_name: str, period: usage.Period
) -> MonthOfTeam:
    found = MonthOfTeam(team_id, team_name, period)
    found.charges = await usage.charges_of(session, team_id, period.starts_at)
    for source in _rents:
        found.rents += add(await source(session, team_id, period.starts_at, period.ends_at))
    here = (CostLine.team_id == team_id, CostLine.period_start == period.starts_at)
    rows = await session.execute(
        select(RateVersion, func.sum(CostLine.amount))
        .join(RateVersion, RateVersion.id == CostLine.rate_id)
        .where(*here)
        .group_by(RateVersion.id)
    )
    found.vendors = add(as_rate(rate).cost(int(amount)) for rate, amount in rows.all())
    carrier = await session.execute(
        select(CarrierCost.currency, func.sum(CarrierCost.micros))
        .where(CarrierCost.team_id == team_id, CarrierCost.period_start == period.starts_at)
        .group_by(CarrierCost.currency)
    )
    for currency, micros in carrier.all():
        if currency == CURRENCY:
            found.carriers = Money(int(micros))
        else:
            found.other[currency] = Money(int(micros), currency)
    return found
