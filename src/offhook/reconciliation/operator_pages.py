"""The operator's pages of differences: all teams', and one with its correction (UC7, UC9)."""

from datetime import date as Date  # noqa: N812 - `day` is the path's name
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import numbers, teams, usage
from offhook.reconciliation import corrections, looks
from offhook.reconciliation.jobs import enqueue_all
from offhook.reconciliation.operator_api import ACTOR_LENGTH
from offhook.teams import OperatorActor, SystemSession
from offhook.web import PagingQuery, redirect, render

router = APIRouter(prefix="/operator/reconciliation", include_in_schema=False)
HOME = "/operator/reconciliation"


@router.get("")
async def all_of_them(
    request: Request,
    actor: OperatorActor,
    session: SystemSession,
    paging: PagingQuery,
    day: Annotated[str, Query(max_length=10)] = "",
) -> HTMLResponse:
    context = await looks.listing(session, paging, day=day)
    seen = await teams.operators.teams_seen(session)
    names = {each.team.id: each.team.name for each in seen}
    accounts = await numbers.accounts_by_sid(session, {d.account_id for d in context["compared"]})
    return render(
        request,
        "reconciliation/operator.html",
        actor=actor,
        names=names,
        accounts=accounts,
        **context,
    )


@router.post("/days/{day}/check")
async def check(request: Request, day: Date, _: OperatorActor, session: SystemSession) -> Response:
    await enqueue_all(session, day)
    return redirect(request, HOME, toast="The day is compared again")


@router.get("/{difference_id}")
async def one(
    request: Request, difference_id: str, actor: OperatorActor, session: SystemSession
) -> HTMLResponse:
    row = await corrections.get(session, difference_id)
    [shown] = await looks.shown(session, [row])
    units = await usage.units_of(session, row.service, [row.subject_id])
    return render(
        request,
        "reconciliation/one.html",
        actor=actor,
        shown=shown,
        team=await teams.team(session, row.team_id),
        labels=await looks.labels(session, {row.team_id}),
        units=units.get(row.subject_id),
    )


@router.post("/{difference_id}/correct")
async def correct(
    request: Request,
    difference_id: str,
    keep: Annotated[int, Form(ge=0, le=corrections.MAX_UNITS)],
    reason: Annotated[str, Form()],
    actor: OperatorActor,
    session: SystemSession,
) -> Response:
    await corrections.correct(
        session, difference_id, keep=keep, reason=reason, actor=actor.email[:ACTOR_LENGTH]
    )
    return redirect(request, f"{HOME}/{difference_id}", toast="Corrected")
