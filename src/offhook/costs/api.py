"""REST of costs: a conversation's lines; rates and margin for operators."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from offhook import teams
from offhook.costs import overview, rates, reading
from offhook.costs.models import RateVersion
from offhook.costs.rules import Kind, Rate
from offhook.costs.seeing import check_may_see
from offhook.db import now
from offhook.prices import Money
from offhook.teams import (
    CurrentActor,
    OnceOnly,
    OperatorActor,
    SystemSession,
    TeamSession,
    operator_only,
)
from offhook.web import Page, shapes

router = APIRouter(prefix="/api/v1", tags=["costs"])
OPERATOR = [Depends(operator_only)]
Month = Annotated[
    shapes.Month,
    Query(
        pattern=r"^([0-9]{4}-[0-9]{2})?$", description="Such as 2026-04; empty: the running one."
    ),
]


class CostLineOut(BaseModel):
    vendor: str
    model: str
    used: str = Field(description="In words, such as “1,204 tokens read”.")
    cost: shapes.MoneyOut
    rated: bool = Field(description="false: no rate was set when it was used, so it counts as 0.")


class CostsOut(BaseModel):
    lines: list[CostLineOut]
    total: shapes.MoneyOut


class RateOut(BaseModel):
    id: str
    vendor: str
    model: str
    kind: Kind
    price: str
    currency: str
    per: int = Field(description="How many units the price is for.")
    valid_from: datetime
    created_by: str
    withdrawn_at: datetime | None


class NewRate(shapes.Exact):
    vendor: Annotated[shapes.Text, shapes.told(maxLength=rates.MAX_VENDOR)]
    model: Annotated[shapes.Text, shapes.told(maxLength=rates.MAX_MODEL)]
    kind: Kind
    price: shapes.Amount = Field(description="For `per` units: a million tokens or characters, "
                       "a minute listened, one reply.")  # fmt: skip
    valid_from: str = Field(default="", description="ISO 8601; empty: from now on.")


class TeamSeenOut(BaseModel):
    id: str
    name: str
    owner: str = Field(description="The address of an owner.")
    members: int
    state: str = Field(description="Its subscription, as the pages name it.")
    created_at: datetime


class MarginOut(BaseModel):
    team_id: str
    team_name: str
    month: str
    charges: shapes.MoneyOut
    rents: shapes.MoneyOut
    vendors: shapes.MoneyOut
    carriers: shapes.MoneyOut
    margin: shapes.MoneyOut


@router.get("/costs/{conversation_id}")
async def costs(
    request: Request,
    conversation_id: Annotated[str, Path(max_length=80)],
    actor: CurrentActor,
    session: TeamSession,
) -> CostsOut:
    """What a call or thread cost. For operators; for admins too where billing is off."""
    check_may_see(request, actor)
    found = await reading.of_conversation(session, actor.team_id, conversation_id)
    return CostsOut(
        lines=[
            CostLineOut(
                vendor=line.vendor,
                model=line.model,
                used=line.what,
                cost=_amount(line.money),
                rated=line.is_rated,
            )
            for line in found.lines
        ],
        total=_amount(found.total),
    )


@router.get("/operator/teams", dependencies=OPERATOR)
async def list_teams(session: SystemSession) -> Page[TeamSeenOut]:
    """Every team of this installation, the oldest first; never more than one page."""
    items: list[TeamSeenOut] = []
    for seen in await teams.operators.teams_seen(session):
        standing = await overview.standing_of(session, seen.team.id)
        items.append(
            TeamSeenOut(
                id=seen.team.id,
                name=seen.team.name,
                owner=seen.owner,
                members=seen.members,
                state=standing.label if standing else "",
                created_at=seen.team.created_at,
            )
        )
    return Page(items=items)


@router.get("/operator/rates", dependencies=OPERATOR)
async def list_rates(session: TeamSession) -> Page[RateOut]:
    """Every rate, withdrawn ones too; never more than one page."""
    return Page(items=[_rate(row) for row in await rates.versions(session)])


@router.post("/operator/rates", status_code=HTTPStatus.CREATED, response_model=RateOut)
async def add_rate(
    body: NewRate, actor: OperatorActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Add a rate; it is never changed."""

    async def work() -> RateOut:
        draft = rates.read(body.model_dump(), zone=actor.timezone, present=await now(session))
        return _made(await rates.add(session, draft, by=actor.who), actor.who)

    return await once(work)


@router.post("/operator/rates/{rate_id}/withdraw")
async def withdraw_rate(rate_id: str, actor: OperatorActor, session: TeamSession) -> RateOut:
    """Withdraw a rate that is not in force yet."""
    await rates.withdraw(session, rate_id, by=actor.who)
    return next(_rate(row) for row in await rates.versions(session) if row.id == rate_id)


@router.get("/operator/margin", dependencies=OPERATOR)
async def margin(session: SystemSession, month: Month = "") -> Page[MarginOut]:
    """Revenue, cost and margin of each team's month; never more than one page."""
    return Page(items=[_margin(each) for each in await reading.months(session, month)])


def _amount(money: Money) -> shapes.MoneyOut:
    return shapes.MoneyOut(amount=money.amount, currency=money.currency)


def _rate(row: RateVersion) -> RateOut:
    return _made(rates.as_rate(row), row.created_by, row.withdrawn_at)


def _made(rate: Rate, by: str, withdrawn_at: datetime | None = None) -> RateOut:
    return RateOut(
        id=rate.id,
        vendor=rate.vendor,
        model=rate.model,
        kind=rate.kind,
        price=rate.money.amount,
        currency=rate.money.currency,
        per=rate.kind.per,
        valid_from=rate.valid_from,
        created_by=by,
        withdrawn_at=withdrawn_at,
    )


def _margin(each: reading.MonthOfTeam) -> MarginOut:
    return MarginOut(
        team_id=each.team_id,
        team_name=each.team_name,
        month=f"{each.period.month:%Y-%m}",
        charges=_amount(each.charges),
        rents=_amount(each.rents),
        vendors=_amount(each.vendors),
        carriers=_amount(each.carriers),
        margin=_amount(each.margin),
    )
