"""REST of the operator: all teams' differences, days, corrections by hand (UC7, UC9)."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from offhook.reconciliation import corrections, reading, shapes
from offhook.reconciliation.jobs import enqueue_all
from offhook.reconciliation.models import Difference
from offhook.reconciliation.shapes import DayOut, DifferenceOut, TotalOut
from offhook.teams import OperatorActor, SystemSession
from offhook.usage import Service
from offhook.web import Page, PagingQuery, paginate
from offhook.web import shapes as web_shapes

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])
ACTOR_LENGTH = 80


class CorrectionIn(web_shapes.Exact):
    keep: int = Field(ge=0, le=corrections.MAX_UNITS, description="Units that stay charged.")
    reason: web_shapes.Text = Field(description="Why; both teams and operators see it.")


class DirectCorrectionIn(CorrectionIn):
    team_id: str
    service: Service
    subject_id: str = Field(description="The call or message whose units are taken back.")


class CorrectedOut(BaseModel):
    taken_back: int


@router.get("/reconciliation/days")
async def days(_: OperatorActor, session: SystemSession) -> list[DayOut]:
    """The last days that were compared."""
    return [shapes.day(row) for row in await reading.days(session)]


@router.post(
    "/reconciliation/days/{day}/check",
    status_code=HTTPStatus.ACCEPTED,
    response_class=Response,
)
async def check(day: web_shapes.Day, _: OperatorActor, session: SystemSession) -> Response:
    """Compare this day again as soon as a worker is free."""
    await enqueue_all(session, day)
    return Response(status_code=HTTPStatus.ACCEPTED)


@router.get("/reconciliation/differences")
async def differences(
    _: OperatorActor,
    session: SystemSession,
    paging: PagingQuery,
    day: Annotated[web_shapes.Day | None, Query(description="A UTC day.")] = None,
    service: Service | None = None,
) -> Page[DifferenceOut]:
    """All teams' differences, the newest first."""
    query = reading.differences(day=day, service=service)
    rows, following = await paginate(session, query, paging, Difference.day, Difference.id)
    return Page(items=[shapes.difference(row) for row in rows], next=following)


@router.get("/reconciliation/totals")
async def totals(
    _: OperatorActor,
    session: SystemSession,
    day: Annotated[web_shapes.Day, Query(description="A UTC day.")],
) -> list[TotalOut]:
    """Both sides of every team's numbers on that day."""
    return [shapes.total(row) for row in await reading.totals(session, day)]


@router.post("/reconciliation/differences/{difference_id}/correct")
async def correct(
    difference_id: str, given: CorrectionIn, actor: OperatorActor, session: SystemSession
) -> DifferenceOut:
    """Take units back of what differs; repeated, it changes nothing."""
    row = await corrections.correct(
        session,
        difference_id,
        keep=given.keep,
        reason=given.reason,
        actor=actor.email[:ACTOR_LENGTH],
    )
    return shapes.difference(row)


@router.post("/corrections")
async def correct_any(
    given: DirectCorrectionIn, actor: OperatorActor, session: SystemSession
) -> CorrectedOut:
    """Take units of any call or message back; repeated, it changes nothing."""
    taken = await corrections.by_hand(
        session,
        given.team_id,
        given.service,
        given.subject_id,
        keep=given.keep,
        reason=given.reason,
        actor=actor.email[:ACTOR_LENGTH],
    )
    return CorrectedOut(taken_back=taken)
