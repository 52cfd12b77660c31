"""The operator's first page: every team of the installation."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from offhook.teams import operators
from offhook.teams.access import OperatorActor, SystemSession
from offhook.web import render

router = APIRouter(include_in_schema=False)


@router.get("/operator")
async def overview(request: Request, actor: OperatorActor, session: SystemSession) -> HTMLResponse:
    rows = await operators.teams_seen(session)
    return render(request, "teams/operator.html", actor=actor, teams=rows)
