"""The usage page, and the head of the Telephony list: the free pool and who used it.

`/usage/pool` is a fragment that other rooms' pages include by its address.
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from offhook.db import Session
from offhook.teams import CurrentActor, TeamSession
from offhook.usage.month import month_to_date
from offhook.usage.names import names
from offhook.usage.rules import Service
from offhook.web import render

router = APIRouter(include_in_schema=False)


async def _context(session: Session, team_id: str) -> dict[str, Any]:
    month = await month_to_date(session, team_id)
    by_number: dict[str, dict[Service, Any]] = {}
    for use in month.numbers:
        by_number.setdefault(use.number_id, {})[use.service] = use
    return {
        "month": month,
        "rows": by_number,
        "labels": await names(session, team_id),
        "services": list(Service),
    }


@router.get("/usage")
async def usage(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return render(request, "usage/usage.html", **await _context(session, actor.team_id))


@router.get("/usage/month")
async def month(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    context = await _context(session, actor.team_id)
    return render(request, "usage/usage.html", block="month", **context)


@router.get("/usage/pool")
async def pool(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return render(request, "usage/pool.html", **await _context(session, actor.team_id))
