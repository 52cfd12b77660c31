"""The page of measured replies: of all calls, a number or an agent, over days."""

from collections.abc import Sequence
from datetime import date, timedelta
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
    instant, zone = await now(session), ZoneInfo(actor.timezone)
    since = instant - timedelta(days=days)
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
        chart=_chart(by_day, since.astimezone(zone).date(), instant.astimezone(zone).date()),
        looks=looks,
    )


def _chart(found: Sequence[Day], since: date, today: date) -> dict[str, Any]:
    """p50 and what p95 is longer, for every day of the time, as `ui.chart` draws it."""
    days = [since + timedelta(days=at) for at in range((today - since).days + 1)]
    by_date = {day.date: day.total for day in found}
    measured = [by_date.get(day) for day in days]
    longer = [share and round((share.p95 - share.p50) / 1000, 2) for share in measured]
    return {
        "days": [str(day.day) for day in days],
        "titles": [f"{day:%A}, {day.day} {day:%B}" for day in days],
        "series": [
            {"label": "p50, s", "color": 1, "values": [s and s.p50 / 1000 for s in measured]},
            {"label": "to p95, s", "color": 6, "values": longer},
        ],
        "lines": [],
        "today": len(days) - 1,
        "unit": "s",
        "area": False,
    }
