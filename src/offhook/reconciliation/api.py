"""REST of a team's own comparison with the carrier's records (UC7)."""

from typing import Annotated

from fastapi import APIRouter, Query

from offhook.reconciliation import reading, shapes
from offhook.reconciliation.models import Difference
from offhook.reconciliation.shapes import DifferenceOut, TotalOut
from offhook.teams import CurrentActor, TeamSession
from offhook.usage import Service
from offhook.web import Page, PagingQuery, paginate
from offhook.web import shapes as web_shapes

router = APIRouter(prefix="/api/v1/reconciliation", tags=["usage"])


@router.get("/differences")
async def differences(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    day: Annotated[web_shapes.Day | None, Query(description="A UTC day.")] = None,
    service: Service | None = None,
) -> Page[DifferenceOut]:
    """Where the carrier's records and ours differ, the newest first, and what was done."""
    query = reading.differences(day=day, service=service)
    query = query.where(Difference.team_id == actor.team_id)
    rows, following = await paginate(session, query, paging, Difference.day, Difference.id)
    return Page(items=[shapes.difference(row) for row in rows], next=following)


@router.get("/totals")
async def totals(
    actor: CurrentActor,
    session: TeamSession,
    day: Annotated[web_shapes.Day, Query(description="A UTC day.")],
) -> list[TotalOut]:
    """Both sides of each number on that day."""
    rows = await reading.totals(session, day)
    return [shapes.total(row) for row in rows if row.team_id == actor.team_id]
