"""/account/notices: what a member is mailed."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.notices import sending
from offhook.notices.api import PersonActor
from offhook.notices.kinds import KINDS, Kind
from offhook.teams import TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)


@router.get("/account/notices")
async def page(request: Request, actor: PersonActor, session: TeamSession) -> HTMLResponse:
    choices = await sending.of_member(session, actor.team_id, actor.user_id, actor.role)
    return render(
        request,
        "notices/choices.html",
        actor=actor,
        choices=[(kind, KINDS[kind], wanted) for kind, wanted in choices.items()],
        can_mail=bool(request.app.state.settings.smtp_host),
    )


@router.post("/account/notices")
async def choose(
    request: Request,
    actor: PersonActor,
    session: TeamSession,
    wanted: Annotated[list[Kind] | None, Form()] = None,
) -> Response:
    offered = await sending.of_member(session, actor.team_id, actor.user_id, actor.role)
    for kind, before in offered.items():
        now_wanted = kind in (wanted or [])
        if now_wanted != before:
            await sending.choose(session, actor.team_id, actor.user_id, kind, wanted=now_wanted)
    return redirect(request, "/account/notices", toast="Saved")
