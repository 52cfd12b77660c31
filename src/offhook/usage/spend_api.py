"""REST of the spend cap: the team's own, and the operator's upper one of any team."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from offhook.db import Session
from offhook.errors import NotFound
from offhook.prices import Money
from offhook.teams import (
    CurrentActor,
    OperatorActor,
    OwnerActor,
    SystemSession,
    Team,
    TeamSession,
)
from offhook.usage import spend
from offhook.web import shapes

router = APIRouter(prefix="/api/v1", tags=["usage"])
TeamId = Annotated[str, Path(max_length=40)]


class TeamUnknown(NotFound):
    code = "team_unknown"


class CapOut(BaseModel):
    own: shapes.MoneyOut | None = Field(description="Set by the team's owner; null is none.")
    upper: shapes.MoneyOut | None = Field(
        description="Set by the operator; the lower of the two counts."
    )
    effective: shapes.MoneyOut | None
    charged: shapes.MoneyOut = Field(
        description="The month so far, if all that is held is used; no rents."
    )
    is_reached: bool
    resets_at: datetime


class CapChange(shapes.Exact):
    amount: shapes.Cents | None = Field(
        description="Decimal text in whole cents: 0 lets free units pass only; null removes it."
    )


@router.get("/usage/spend-cap")
async def get_cap(actor: CurrentActor, session: TeamSession) -> CapOut:
    """The cap of the team and the running month against it."""
    return await _told(session, actor.team_id)


@router.put("/usage/spend-cap")
async def set_cap(body: CapChange, actor: OwnerActor, session: TeamSession) -> CapOut:
    """Set or remove the team's own cap, at once, also for live calls; for owners."""
    await spend.set_cap(session, actor.team_id, spend.read_cap(body.amount), by=actor.who)
    return await _told(session, actor.team_id)


@router.get("/operator/teams/{team_id}/spend-cap", tags=["operator"])
async def get_cap_of(team_id: TeamId, _: OperatorActor, session: SystemSession) -> CapOut:
    """Any team's cap, for operators."""
    await known(session, team_id)
    return await _told(session, team_id)


@router.put("/operator/teams/{team_id}/spend-cap", tags=["operator"])
async def set_upper_cap(
    team_id: TeamId, body: CapChange, actor: OperatorActor, session: SystemSession
) -> CapOut:
    """Set or remove the upper cap of any team, for operators."""
    await known(session, team_id)
    await spend.set_upper_cap(session, team_id, spend.read_cap(body.amount), by=actor.who)
    return await _told(session, team_id)


async def known(session: Session, team_id: str) -> Team:
    """Raises TeamUnknown; for operators, who see every team."""
    team = None if "\0" in team_id else await session.get(Team, team_id)
    if team is None:
        raise TeamUnknown(f"There is no team “{team_id}”.", remedy="Take an id from the list.")
    return team


async def _told(session: Session, team_id: str) -> CapOut:
    spent = await spend.spent(session, team_id)
    return CapOut(
        own=_amount(spent.cap.own),
        upper=_amount(spent.cap.upper),
        effective=_amount(spent.cap.effective),
        charged=shapes.MoneyOut(amount=spent.charged.amount, currency=spent.charged.currency),
        is_reached=spent.is_reached,
        resets_at=spent.resets_at,
    )


def _amount(money: Money | None) -> shapes.MoneyOut | None:
    return (
        shapes.MoneyOut(amount=money.amount, currency=money.currency) if money is not None else None
    )
