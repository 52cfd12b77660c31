"""REST of an agent's tests. One is made of a call: POST /api/v1/calls/{call_id}/test."""

from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from offhook.agents.trials import service
from offhook.agents.trials.rules import Answer, Spoke
from offhook.agents.trials.shapes import TestOut
from offhook.teams import CurrentActor, TeamSession

router = APIRouter(prefix="/api/v1/agents/{agent_id}/tests", tags=["agents"])


class AnsweredTurn(BaseModel):
    """A turn as it was and, of an answer that is judged, what the draft said instead."""

    then: Spoke
    judged: bool
    now: Answer | None = Field(
        description="Null until it was held. `faults` say what is not as it was: facts that are "
        "no longer said, tasks and inputs that differ, or another meaning."
    )


class TestDetail(TestOut):
    turns: list[AnsweredTurn]


@router.get("", summary="List the tests")
async def index(agent_id: str, actor: CurrentActor, session: TeamSession) -> list[TestOut]:
    """The agent's tests, newest first."""
    found = await service.listed(session, actor.team_id, agent_id)
    return [TestOut.of(each) for each in found]


@router.post("/run", status_code=HTTPStatus.ACCEPTED, summary="Run all tests")
async def run_all(agent_id: str, actor: CurrentActor, session: TeamSession) -> list[TestOut]:
    """With the draft as it is; what its tasks do is only shown."""
    found = await service.ask_all(session, actor.team_id, agent_id)
    return [TestOut.of(each) for each in found]


@router.get("/{test_id}", summary="Read a test")
async def show(
    agent_id: str, test_id: str, actor: CurrentActor, session: TeamSession
) -> TestDetail:
    """Every turn, then and now."""
    trial = await service.get(session, actor.team_id, agent_id, test_id)
    turns = [
        AnsweredTurn(then=each.then, judged=each.is_judged, now=each.now)
        for each in service.side_by_side(trial)
    ]
    return TestDetail(**TestOut.of(trial).model_dump(), turns=turns)


@router.post("/{test_id}/run", status_code=HTTPStatus.ACCEPTED, summary="Run a test")
async def run(agent_id: str, test_id: str, actor: CurrentActor, session: TeamSession) -> TestOut:
    """With the draft as it is; what its tasks do is only shown."""
    return TestOut.of(await service.ask(session, actor.team_id, agent_id, test_id))


@router.delete("/{test_id}", status_code=HTTPStatus.NO_CONTENT, summary="Delete a test")
async def delete(
    agent_id: str, test_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await service.delete(session, actor.team_id, agent_id, test_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
