"""REST of the price list, for operators: the list, its versions, new ones and their effect."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from offhook.db import Session, now
from offhook.prices import csv_list, drafts, effect, service
from offhook.prices.money import Money
from offhook.prices.rules import CarrierKind, NumberType, Price
from offhook.teams import (
    Actor,
    OnceOnly,
    OperatorActor,
    SystemSession,
    TeamSession,
    operator_only,
)
from offhook.web import Page, shapes

router = APIRouter(prefix="/api/v1/operator/prices", tags=["operator"])
OPERATOR = [Depends(operator_only)]


class PriceOut(BaseModel):
    id: str
    carrier: str
    country: str
    number_type: NumberType
    currency: str
    monthly: str = Field(description="Decimal text, as every amount here.")
    minute_inbound: str
    minute_outbound: str
    message_inbound: str
    message_outbound: str
    valid_from: datetime


class ListedOut(BaseModel):
    carrier: str
    country: str
    number_type: NumberType
    in_force: PriceOut | None
    scheduled: list[PriceOut]


class VersionOut(BaseModel):
    price: PriceOut
    created_by: str = Field(description="A user's or key's id; empty: it came with Offhook.")
    created_at: datetime | None
    withdrawn_by: str
    withdrawn_at: datetime | None


class NewPrice(shapes.Exact):
    """A version to come. Amounts are decimal text with at most six digits after the point."""

    carrier: CarrierKind
    country: shapes.Country = Field(description="ISO 3166, such as US.")
    number_type: NumberType
    monthly: shapes.Amount
    minute_inbound: shapes.Amount
    minute_outbound: shapes.Amount
    message_inbound: shapes.Amount
    message_outbound: shapes.Amount
    valid_from: Annotated[str, shapes.told(format="time-to-come")] = Field(
        description="ISO 8601, at least a minute ahead; without an offset in the team's zone."
    )


class TeamEffectOut(BaseModel):
    team_id: str
    team_name: str
    month: str = Field(description="The last month of the team that has ended, as 2026-04.")
    units: int = Field(description="Minutes and messages that the new prices are for.")
    before: shapes.MoneyOut
    after: shapes.MoneyOut


class EffectOut(BaseModel):
    """What the usage of each team's last month cost, and would have cost; without rents."""

    before: shapes.MoneyOut
    after: shapes.MoneyOut
    teams: list[TeamEffectOut]


class ImportOut(BaseModel):
    added: list[PriceOut] = Field(description="Empty after a dry run.")
    unchanged: int = Field(description="Lines that were on the list already.")
    effect: EffectOut


@router.get("", dependencies=OPERATOR)
async def price_list(session: TeamSession) -> Page[ListedOut]:
    """Every kind of number: the price in force and those to come; never more than one page."""
    rows = await service.price_list(session, await now(session))
    return Page(items=[_listed(row) for row in rows])


@router.get("/versions", dependencies=OPERATOR)
async def history(
    session: TeamSession,
    carrier: CarrierKind,
    country: str,
    number_type: NumberType,
) -> Page[VersionOut]:
    """Every version of one kind, withdrawn ones too, the latest to begin first; one page."""
    rows = await service.history(session, (carrier.value, country.upper(), number_type.value))
    return Page(items=[_version(row) for row in rows])


@router.post("", status_code=HTTPStatus.CREATED, response_model=PriceOut)
async def add(
    body: NewPrice, actor: OperatorActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Add a version. It is never changed; until it is in force it can be withdrawn."""

    async def work() -> PriceOut:
        draft = await _draft(session, actor, body)
        return price_out(await service.add(session, draft, by=actor.who))

    return await once(work)


@router.post("/preview")
async def preview(body: NewPrice, actor: OperatorActor, session: SystemSession) -> EffectOut:
    """What last month's usage would have cost with this version, by team; saves nothing."""
    draft = await _draft(session, actor, body)
    return effect_out(await effect.effect(session, [draft]))


@router.post("/{price_id}/withdraw")
async def withdraw(price_id: str, actor: OperatorActor, session: TeamSession) -> PriceOut:
    """Withdraw a version that is not in force yet; it stays listed as withdrawn."""
    return price_out(await service.withdraw(session, price_id, by=actor.who))


@router.get("/export", response_class=Response, dependencies=OPERATOR)
async def export(session: TeamSession) -> Response:
    """The list as CSV: what is in force and what is to come."""
    rows = await service.price_list(session, await now(session))
    return csv_answer(csv_list.written(rows))


@router.post("/import")
async def bring_in(
    request: Request,
    actor: OperatorActor,
    session: SystemSession,
    *,
    dry_run: Annotated[bool, Query()] = False,
) -> ImportOut:
    """Add every new line of a CSV (the body, UTF-8), or none; lines on the list change nothing.

    `dry_run`: only check it and tell its effect on last month.
    """
    text = (await request.body()).decode("utf-8", "replace")
    found, unchanged = await read_csv(session, actor, text)
    told = await effect.effect(session, found)
    added = [] if dry_run else [await service.add(session, p, by=actor.who) for p in found]
    return ImportOut(
        added=[price_out(price) for price in added],
        unchanged=unchanged,
        effect=effect_out(told),
    )


async def read_csv(session: Session, actor: Actor, text: str) -> tuple[list[Price], int]:
    present = await now(session)
    listed = await service.price_list(session, present)
    known = [p for row in listed for p in (row.in_force, *row.scheduled) if p is not None]
    return csv_list.read(text, zone=actor.timezone, present=present, known=known)


def csv_answer(text: str) -> Response:
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="prices.csv"'},
    )


async def _draft(session: Session, actor: Actor, body: NewPrice) -> Price:
    return drafts.read(body.model_dump(), zone=actor.timezone, present=await now(session))


def price_out(price: Price) -> PriceOut:
    return PriceOut(
        id=price.id,
        carrier=price.carrier,
        country=price.country,
        number_type=price.number_type,
        currency=price.monthly.currency,
        monthly=price.monthly.amount,
        minute_inbound=price.minute_inbound.amount,
        minute_outbound=price.minute_outbound.amount,
        message_inbound=price.message_inbound.amount,
        message_outbound=price.message_outbound.amount,
        valid_from=price.valid_from,
    )


def effect_out(told: effect.Effect) -> EffectOut:
    return EffectOut(
        before=_amount(told.before),
        after=_amount(told.after),
        teams=[
            TeamEffectOut(
                team_id=team.team_id,
                team_name=team.team_name,
                month=f"{team.month:%Y-%m}",
                units=team.units,
                before=_amount(team.before),
                after=_amount(team.after),
            )
            for team in told.teams
        ],
    )


def _listed(row: service.Listed) -> ListedOut:
    carrier, country, number_type = row.kind
    return ListedOut(
        carrier=carrier,
        country=country,
        number_type=NumberType(number_type),
        in_force=price_out(row.in_force) if row.in_force else None,
        scheduled=[price_out(price) for price in row.scheduled],
    )


def _version(row: service.Version) -> VersionOut:
    return VersionOut(
        price=price_out(row.price),
        created_by=row.created_by,
        created_at=row.created_at,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
    )


def _amount(money: Money) -> shapes.MoneyOut:
    return shapes.MoneyOut(amount=money.amount, currency=money.currency)
