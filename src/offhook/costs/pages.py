"""Operator's pages of costs: every team at a glance, rates, margin; a conversation's cost lines."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import teams, usage
from offhook.costs import overview, rates, reading
from offhook.costs.overview import Hint
from offhook.costs.rules import Kind
from offhook.costs.seeing import may_see
from offhook.db import Session, now
from offhook.teams import (
    CurrentActor,
    OperatorActor,
    SystemSession,
    TeamSession,
    operator_only,
)
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
OPERATOR = [Depends(operator_only)]
LATELY = timedelta(days=31)
MONTHS_SHOWN = 12


@router.get("/operator")
async def first_page(
    request: Request, actor: OperatorActor, session: SystemSession
) -> HTMLResponse:
    months = {each.team_id: each for each in await reading.months(session)}
    seen = await teams.operators.teams_seen(session)
    standings = {each.team.id: await overview.standing_of(session, each.team.id) for each in seen}
    hints = [*await overview.hints(session), *await _unrated(session)]
    return render(
        request,
        "costs/overview.html",
        actor=actor,
        seen=seen,
        months=months,
        standings=standings,
        hints=hints,
        operators=await teams.operators.operators(session),
        total=_total(list(months.values())),
    )


async def _unrated(session: Session) -> list[Hint]:
    missing = await rates.unrated(session, await now(session) - LATELY)
    if not missing:
        return []
    named = ", ".join(sorted({f"{vendor} {model}" for vendor, model, _ in missing}))
    sentence = f"No rate is set for {named}: it counts as costing nothing."
    return [Hint("warning", sentence, "/operator/rates", "Set rates")]


def _total(months: list[reading.MonthOfTeam]) -> dict[str, Any]:
    revenue, cost = reading.add(m.revenue for m in months), reading.add(m.cost for m in months)
    return {"revenue": revenue, "cost": cost, "margin": revenue - cost}


@router.get("/operator/teams/{team_id}", dependencies=OPERATOR)
async def team_page(
    request: Request, team_id: Annotated[str, Path(max_length=40)], session: SystemSession
) -> HTMLResponse:
    team = await usage.known_team(session, team_id)
    known = (await usage.months_of(session, team_id))[:MONTHS_SHOWN]
    months = [await reading.of_team(session, team.id, team.name, each.period) for each in known]
    spent = await usage.spent(session, team_id)
    return render(
        request,
        "costs/team.html",
        team=team,
        months=months,
        spent=spent,
        standing=await overview.standing_of(session, team_id),
    )


@router.post("/operator/teams/{team_id}/cap")
async def set_cap(
    request: Request,
    team_id: Annotated[str, Path(max_length=40)],
    actor: OperatorActor,
    session: SystemSession,
    amount: Annotated[str, Form()] = "",
) -> Response:
    await usage.known_team(session, team_id)
    await usage.set_upper_cap(session, team_id, usage.read_cap(amount), by=actor.who)
    return redirect(request, f"/operator/teams/{team_id}", toast="Saved")


@router.get("/operator/margin", dependencies=OPERATOR)
async def margin(
    request: Request, actor: CurrentActor, session: SystemSession, month: str = ""
) -> HTMLResponse:
    found = await reading.months(session, month)
    known = (await usage.months_of(session, actor.team_id))[:MONTHS_SHOWN]
    return render(
        request,
        "costs/margin.html",
        months=sorted(found, key=lambda each: (-each.revenue.micros, each.team_name)),
        known=known,
        shown=month or known[0].name,
        total=_total(found),
    )


@router.get("/operator/rates", dependencies=OPERATOR)
async def rates_page(request: Request, session: SystemSession) -> HTMLResponse:
    present = await now(session)
    rows = await rates.versions(session)
    newest: dict[tuple[str, str, str], str] = {}
    for row in reversed(rows):
        if row.withdrawn_at is None and row.valid_from <= present:
            newest[row.vendor, row.model, row.kind] = row.id
    people = {row.created_by for row in rows} | {row.withdrawn_by or "" for row in rows}
    return render(
        request,
        "costs/rates.html",
        rows=rows,
        in_force=set(newest.values()),
        kinds=list(Kind),
        people=await teams.operators.who(session, people - {""}),
        missing=await rates.unrated(session, present - LATELY),
    )


@router.post("/operator/rates")
async def add_rate(request: Request, actor: OperatorActor, session: TeamSession) -> Response:
    form = await request.form()
    fields = {name: str(form.get(name, "")) for name in ("vendor", "model", "kind", "price")}
    fields["valid_from"] = str(form.get("valid_from", ""))
    draft = rates.read(fields, zone=actor.timezone, present=await now(session))
    await rates.add(session, draft, by=actor.who)
    return redirect(request, "/operator/rates", toast="Rate added")


@router.post("/operator/rates/{rate_id}/withdraw")
async def withdraw_rate(
    request: Request, rate_id: str, actor: OperatorActor, session: TeamSession
) -> Response:
    await rates.withdraw(session, rate_id, by=actor.who)
    return redirect(request, "/operator/rates", toast="Rate withdrawn")


@router.get("/costs/{conversation_id}/lines")
async def cost_lines(
    request: Request,
    conversation_id: Annotated[str, Path(max_length=80)],
    actor: CurrentActor,
    session: TeamSession,
) -> Response:
    """A fragment of the call's and the thread's page; empty for who may not see it."""
    if not may_see(request, actor):
        return HTMLResponse("")
    found = await reading.of_conversation(session, actor.team_id, conversation_id)
    return render(request, "costs/lines.html", costs=found)
