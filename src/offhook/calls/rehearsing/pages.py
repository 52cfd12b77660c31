"""The fragment with which an agent's page lets its draft be talked to."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from offhook import agents
from offhook.teams import CurrentActor, TeamSession
from offhook.web import render

router = APIRouter(include_in_schema=False)


@router.get("/fragments/rehearsal/{agent_id}")
async def rehearsal(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    agent = await agents.get(session, actor.team_id, agent_id)
    return render(request, "calls/rehearsal.html", agent_id=agent.id)
