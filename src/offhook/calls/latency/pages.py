"""The page of measured replies: of all calls, a number or an agent, over days."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from offhook import agents, numbers
from offhook.calls import looks
from offhook.calls.latency import service
from offhook.calls.latency.service import Day, Wanted
from offhook.db import now
from offhook.teams import CurrentActor, TeamSession
from offhook.web import render

router = APIRouter(include_in_schema=False)
SPANS = (1, 7, 30, 90)
Asked = Annotated[str, Query(max_length=40)]


@router.get("/latency")
async def page(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    number: Asked = "",
    agent: Asked = "",
    days: int = 7,
) -> HTMLResponse:
    days = days if days in SPANS else 7
    since = await now(session) - timedelta(days=days)
    wanted = Wanted(number_id=number, agent_id=agent, since=since)
    by_day = await service.by_day(session, actor.team_id, wanted, actor.timezone)
    return render(
        request,
        "calls/latency.html",
        asked=wanted,
        days=days,
        spans=SPANS,
        numbers=await numbers.labels(session, actor.team_id),
        agents=await agents.listed(session, actor.team_id),
        found=await service.summary(session, actor.team_id, wanted),
        by_day=by_day,
        chart=_chart(by_day, actor.timezone),
        looks=looks,
    )


def _chart(days: Sequence[Day], zone: str) -> dict[str, Any]:
    """p50 before p95, day by day, as `ui.chart` draws it."""
    noons = [datetime.combine(day.date, time(12), ZoneInfo(zone)).astimezone(UTC) for day in days]
    return {
        "x": [int(noon.timestamp()) for noon in noons],
        "series": [
            {"label": "p95, s", "values": [day.total.p95 / 1000 for day in days]},
            {"label": "p50, s", "values": [day.total.p50 / 1000 for day in days]},
        ],
        "bars": True,
    }
