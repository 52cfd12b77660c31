"""Pages of an agent's tests.

/agents/{id}/tests            what the agent's page shows in its section, told live
/agents/{id}/tests/{test}     one test, then and now, turn by turn
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import agents
from offhook.agents.trials import service
from offhook.agents.trials.models import Trial
from offhook.agents.trials.rules import OVER, State
from offhook.db import Session
from offhook.teams import CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
PILLS = {
    State.WAITING: ("Waiting", "off"),
    State.RUNNING: ("Running", "live"),
    State.PASSED: ("Passed", "on"),
    State.FAILED: ("Differs", "warn"),
    State.BROKEN: ("Could not be run", "error"),
}


@router.get("/agents/{agent_id}/tests")
async def section(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    found = await service.listed(session, actor.team_id, agent_id)
    agent = await agents.get(session, actor.team_id, agent_id)
    passed = sum(each.state is State.PASSED for each in found)
    return render(
        request, "agents/tests.html", agent=agent, tests=found, passed=passed, pills=PILLS,
        topic=service.topic(agent_id),
    )  # fmt: skip


@router.post("/agents/{agent_id}/tests/run")
async def run_all(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await service.ask_all(session, actor.team_id, agent_id)
    return redirect(request, f"/agents/{agent_id}?section=tests", toast="The tests run")


@router.get("/agents/{agent_id}/tests/{test_id}")
async def page(
    request: Request, agent_id: str, test_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return await _show(request, session, await _trial(session, actor, agent_id, test_id), "")


@router.get("/agents/{agent_id}/tests/{test_id}/body")
async def body(
    request: Request, agent_id: str, test_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return await _show(request, session, await _trial(session, actor, agent_id, test_id), "test")


@router.post("/agents/{agent_id}/tests/{test_id}/run")
async def run(
    request: Request, agent_id: str, test_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await service.ask(session, actor.team_id, agent_id, test_id)
    return redirect(request, f"/agents/{agent_id}/tests/{test_id}")


@router.post("/agents/{agent_id}/tests/{test_id}/delete")
async def delete(
    request: Request, agent_id: str, test_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await service.delete(session, actor.team_id, agent_id, test_id)
    return redirect(request, f"/agents/{agent_id}?section=tests", toast="Deleted")


async def _trial(session: Session, actor: CurrentActor, agent_id: str, test_id: str) -> Trial:
    return await service.get(session, actor.team_id, agent_id, test_id)


async def _show(request: Request, session: Session, trial: Trial, block: str) -> HTMLResponse:
    agent = await agents.get(session, trial.team_id, trial.agent_id)
    return render(
        request,
        "agents/test.html",
        block=block,
        agent=agent,
        test=trial,
        turns=service.side_by_side(trial),
        pill=PILLS[trial.state],
        is_over=trial.state in OVER,
        is_stale=trial.draft_at is not None and trial.draft_at != agent.updated_at,
        topic=service.topic(agent.id),
    )
