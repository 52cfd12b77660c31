"""Usage as JSON: what REST answers, and how it is made of what the room reads. Pure."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import BaseModel, Field

from offhook.prices import Direction, Money
from offhook.usage import reasons
from offhook.usage.closing import LineKind, RatedLine
from offhook.usage.entries import RatedEntry, Rating
from offhook.usage.explain import Explanation
from offhook.usage.forecast import Forecast, Outlook
from offhook.usage.month import MonthToDate, NumberUse, Pool, Summary
from offhook.usage.months import NamedMonth
from offhook.usage.names import Label
from offhook.usage.rules import Kind, Service
from offhook.usage.view import Outlooks
from offhook.web import shapes


class PeriodOut(BaseModel):
    month: str = Field(description="YYYY-MM.")
    starts_at: datetime
    resets_at: datetime = Field(description="The first instant of the next month.")
    timezone: str = Field(description="IANA name of the zone in which the month is counted.")
    closed_at: datetime | None = Field(description="When it was closed into an invoice.")


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
    charged: shapes.MoneyOut


class PoolOut(BaseModel):
    service: Service
    size: int
    used: int
    left: int
    by_number: dict[str, int] = Field(description="Free units used, by number id.")


class LineOut(BaseModel):
    number_id: str
    service: Service
    direction: Direction
    kind: LineKind = Field(description="usage; the others came after the month was closed.")
    price_version: str
    price: shapes.MoneyOut = Field(description="Per unit, exact.")
    units: int
    free: int
    charged: int
    amount: shapes.MoneyOut = Field(description="Rounded once, half to even.")


class UsageOut(BaseModel):
    period: PeriodOut
    numbers: list[NumberUsageOut]
    free: list[PoolOut] = Field(description="The free units that all numbers share.")
    lines: list[LineOut]
    charged: shapes.MoneyOut


class MonthOut(BaseModel):
    period: PeriodOut
    minutes: int
    messages: int
    free_minutes: int
    free_messages: int
    charged: shapes.MoneyOut


class MonthsOut(BaseModel):
    items: list[MonthOut]


class DayOut(BaseModel):
    date: date
    starts_at: datetime = Field(description="The day's first instant at the team's place.")
    ends_at: datetime
    minutes: int
    free_minutes: int
    messages: int
    free_messages: int


class DaysOut(BaseModel):
    timezone: str
    items: list[DayOut]


class ForecastOut(BaseModel):
    number_id: str | None = Field(description="null for the free units that all numbers share.")
    service: Service
    limit: int | None
    outlook: Outlook = Field(
        description="reached; on (`day`); not (not this month at this pace); unknown."
    )
    day: date | None = Field(description="When it will be reached at the pace of the month so far.")
    expected: int | None = Field(description="The month's total at this pace; null: unknown.")


class ForecastsOut(BaseModel):
    items: list[ForecastOut]


class EntryOut(BaseModel):
    id: int
    number_id: str
    service: Service
    direction: Direction
    subject_id: str = Field(description="The id of the call or message.")
    minute_index: int = Field(description="Which minute of the call, from 0; 0 for messages.")
    kind: Kind = Field(description="posted, or corrected: a unit taken back.")
    units: int
    started_at: datetime
    recorded_at: datetime
    rating: Rating
    price_version: str
    price: shapes.MoneyOut
    amount: shapes.MoneyOut = Field(description="Exact; an invoice rounds once per line.")


class StepOut(BaseModel):
    entry_id: int
    kind: Kind
    recorded_at: datetime
    reason: str
    actor: str


class AnswerOut(BaseModel):
    question: str
    answer: str


class ExplanationOut(BaseModel):
    headline: str
    answers: list[AnswerOut] = Field(description="Why, in plain words.")
    entry: EntryOut | None = Field(description="null for a unit that never counted.")
    steps: list[StepOut] = Field(description="What happened to the unit on the ledger.")
    rank: int | None = Field(description="Its place in the month's order over all numbers.")
    rank_of_number: int | None = Field(description="Its place among its number's own.")
    limit: int | None
    price_valid_from: datetime | None
    subject_url: str | None = Field(description="The page of its call or conversation.")
    invoice: str | None
    invoice_url: str | None


def month(shown: MonthToDate, named: NamedMonth, labels: Mapping[str, Label]) -> UsageOut:
    return UsageOut(
        period=_period(named),
        numbers=[_number(use, labels) for use in shown.numbers],
        free=[_pool(pool) for pool in shown.pools.values()],
        lines=[_line(each) for each in shown.rated],
        charged=_amount(shown.charged),
    )


def summary(said: Summary, named: NamedMonth) -> MonthOut:
    return MonthOut(
        period=_period(named),
        minutes=said.used[Service.CALLS],
        messages=said.used[Service.SMS],
        free_minutes=said.free[Service.CALLS],
        free_messages=said.free[Service.SMS],
        charged=_amount(said.charged),
    )


def days(shown: MonthToDate, number_id: str) -> DaysOut:
    units = {service: shown.units_by_day(service, number_id) for service in Service}
    free = {service: shown.units_by_day(service, number_id, free_only=True) for service in Service}
    return DaysOut(
        timezone=shown.period.zone,
        items=[
            DayOut(
                date=day.date,
                starts_at=day.starts_at,
                ends_at=day.ends_at,
                minutes=units[Service.CALLS][at],
                free_minutes=free[Service.CALLS][at],
                messages=units[Service.SMS][at],
                free_messages=free[Service.SMS][at],
            )
            for at, day in enumerate(shown.days)
        ],
    )


def forecasts(shown: MonthToDate, expected: Outlooks) -> ForecastsOut:
    limits = {(use.number_id, use.service): use.limit for use in shown.numbers}
    return ForecastsOut(
        items=[
            *(
                _forecast(None, service, service.free_units, said)
                for service, said in expected.free.items()
            ),
            *(
                _forecast(number_id, service, limits[number_id, service], said)
                for (number_id, service), said in expected.numbers.items()
            ),
        ]
    )


def entry(each: RatedEntry) -> EntryOut:
    return EntryOut(
        id=each.id,
        number_id=each.number_id,
        service=each.service,
        direction=each.direction,
        subject_id=each.subject_id,
        minute_index=each.unit_index,
        kind=each.kind,
        units=each.units,
        started_at=each.starts_at,
        recorded_at=each.recorded_at,
        rating=each.rating,
        price_version=each.price_id,
        price=_amount(each.price),
        amount=_amount(each.amount),
    )


def explanation(found: Explanation) -> ExplanationOut:
    return ExplanationOut(
        headline=reasons.headline(found),
        answers=[
            AnswerOut(question=each.question, answer=each.answer)
            for each in reasons.sentences(found)
        ],
        entry=entry(found.entry) if found.entry else None,
        steps=[
            StepOut(
                entry_id=step.entry_id,
                kind=step.kind,
                recorded_at=step.recorded_at,
                reason=step.reason,
                actor=step.actor,
            )
            for step in found.steps
        ],
        rank=found.rank,
        rank_of_number=found.rank_of_number,
        limit=found.limit,
        price_valid_from=found.price.price.valid_from if found.price else None,
        subject_url=found.subject.href if found.subject else None,
        invoice=found.invoice.text if found.invoice else None,
        invoice_url=found.invoice.href if found.invoice else None,
    )


def _period(named: NamedMonth) -> PeriodOut:
    return PeriodOut(
        month=named.name,
        starts_at=named.period.starts_at,
        resets_at=named.period.ends_at,
        timezone=named.period.zone,
        closed_at=named.closed_at,
    )


def _number(use: NumberUse, labels: Mapping[str, Label]) -> NumberUsageOut:
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


def _line(each: RatedLine) -> LineOut:
    line = each.line
    return LineOut(
        number_id=line.number_id,
        service=line.service,
        direction=line.rate.direction,
        kind=each.kind,
        price_version=line.rate.price_id,
        price=_amount(line.rate.money),
        units=line.units,
        free=line.free,
        charged=line.charged,
        amount=_amount(each.amount),
    )


def _forecast(
    number_id: str | None, service: Service, limit: int | None, said: Forecast
) -> ForecastOut:
    return ForecastOut(
        number_id=number_id,
        service=service,
        limit=limit,
        outlook=said.outlook,
        day=said.day,
        expected=said.expected,
    )


def _amount(money: Money) -> shapes.MoneyOut:
    return shapes.MoneyOut(amount=money.amount, currency=money.currency)
