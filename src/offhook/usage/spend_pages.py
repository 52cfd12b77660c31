"""The page of the spend cap, the line that the usage page shows of it, and its banner."""

from typing import Annotated, cast

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.db import Database
from offhook.teams import Actor, CurrentActor, OwnerActor, Role, TeamSession
from offhook.usage import spend
from offhook.web import Banner, redirect, render

router = APIRouter(include_in_schema=False)


@router.get("/usage/cap")
async def cap_page(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    spent = await spend.spent(session, actor.team_id)
    return render(
        request, "usage/cap.html", spent=spent, cap=spent.cap, may=actor.role is Role.OWNER
    )


@router.get("/usage/cap/line")
async def cap_line(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    spent = await spend.spent(session, actor.team_id)
    return render(
        request, "usage/cap_line.html", spent=spent, cap=spent.cap, may=actor.role is Role.OWNER
    )


@router.post("/usage/cap")
async def set_cap(
    request: Request, actor: OwnerActor, session: TeamSession, amount: Annotated[str, Form()] = ""
) -> Response:
    cap = spend.read_cap(amount)
    await spend.set_cap(session, actor.team_id, cap, by=actor.who)
    return redirect(request, "/usage/cap", toast="Cap removed" if cap is None else "Cap set")


async def banners(request: Request) -> list[Banner]:
    """While the cap stops something, every page says so."""
    actor = cast("Actor", request.state.actor)
    database = cast("Database", request.app.state.database)
    async with database.team(actor.team_id) as session:
        if (await spend.cap_of(session, actor.team_id)).effective is None:
            return []
        spent = await spend.spent(session, actor.team_id)
    if not spent.is_reached:
        return []
    sentence = "The team's spend cap is reached: calls and texts that cost are not answered."
    return [Banner("warning", sentence, "/usage/cap", "Spend cap")]
