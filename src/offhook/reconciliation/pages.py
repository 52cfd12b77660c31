"""A team's own comparison with the carrier's records (UC7): /usage/reconciliation."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from offhook.reconciliation import looks
from offhook.teams import CurrentActor, TeamSession
from offhook.web import PagingQuery, render

router = APIRouter(include_in_schema=False)


@router.get("/usage/reconciliation")
async def own(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    day: Annotated[str, Query(max_length=10)] = "",
) -> HTMLResponse:
    context = await looks.listing(session, paging, day=day, team_id=actor.team_id)
    return render(request, "reconciliation/team.html", actor=actor, **context)
