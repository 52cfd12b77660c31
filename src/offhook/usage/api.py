"""REST of usage: the month to date per number and for the team (U9)."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from offhook.prices import Money
from offhook.teams import CurrentActor, TeamSession
from offhook.usage.month import MonthToDate, NumberUse, Pool, month_to_date
from offhook.usage.names import Label, names
from offhook.usage.rules import Service

router = APIRouter(prefix="/api/v1", tags=["usage"])


class Amount(BaseModel):
    amount: str = Field(description='Decimal text, such as "4.80".')
    currency: str = Field(description="ISO 4217.")


class PeriodOut(BaseModel):
    starts_at: datetime
    resets_at: datetime = Field(description="The first instant of the next month.")
    timezone: str = Field(description="IANA name of the zone in which the month is counted.")


class NumberUsageOut(BaseModel):
    number_id: str
    name: str
    number: str = Field(description="E.164, empty where it is not known any more.")
    service: Service
    used: int = Field(description="Begun minutes, or messages.")
    held: int = Field(description="Reserved, not begun: neither usage nor charged.")
    limit: int | None = Field(description="null is unlimited.")
    left: int | None
    free: int = Field(description="How many of `used` are free.")
    charged: Amount


class PoolOut(BaseModel):
    service: Service
    size: int
    used: int
    left: int
    by_number: dict[str, int] = Field(description="Free units used, by number id.")


class UsageOut(BaseModel):
    period: PeriodOut
    numbers: list[NumberUsageOut]
    free: list[PoolOut] = Field(description="The free units that all numbers share.")
    charged: Amount


@router.get("/usage")
async def usage(actor: CurrentActor, session: TeamSession) -> UsageOut:
    """The running month: used, held, free and charged, per number and service."""
    month = await month_to_date(session, actor.team_id)
    return _month(month, await names(session, actor.team_id))


def _month(month: MonthToDate, labels: dict[str, Label]) -> UsageOut:
    return UsageOut(
        period=PeriodOut(
            starts_at=month.period.starts_at,
            resets_at=month.period.ends_at,
            timezone=month.period.zone,
        ),
        numbers=[_number(use, labels) for use in month.numbers],
        free=[_pool(pool) for pool in month.pools.values()],
        charged=_amount(month.charged),
    )


def _number(use: NumberUse, labels: dict[str, Label]) -> NumberUsageOut:
    label = labels.get(use.number_id, Label(""))
    return NumberUsageOut(
        number_id=use.number_id,
        name=label.name,
        number=label.e164,
        service=use.service,
        used=use.used,
        held=use.held,
        limit=use.limit,
        left=use.left,
        free=use.free,
        charged=_amount(use.charged),
    )


def _pool(pool: Pool) -> PoolOut:
    return PoolOut(
        service=pool.service,
        size=pool.size,
        used=pool.used,
        left=pool.left,
        by_number=dict(pool.by_number),
    )


def _amount(money: Money) -> Amount:
    return Amount(amount=money.amount, currency=money.currency)
