"""Pages of a forgotten password: asking for a link, and choosing a new one by it."""

from typing import Annotated, cast

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.settings import Settings
from offhook.teams import forgotten
from offhook.teams.access import SystemSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]


def _can_mail(request: Request) -> bool:
    """Without a server mail is kept; where that can be read, asking is of use."""
    settings = cast("Settings", request.app.state.settings)
    return bool(settings.smtp_host) or settings.environment == "development"


@router.get("/forgotten")
async def page(request: Request) -> HTMLResponse:
    return render(request, "teams/forgotten.html", asked=False, can_mail=_can_mail(request))


@router.post("/forgotten")
async def ask(request: Request, session: SystemSession, email: Text) -> HTMLResponse:
    await forgotten.ask(session, email, request.client.host if request.client else "")
    return render(request, "teams/forgotten_asked.html", email=email.strip())


@router.get("/new-password/{token}")
async def link(request: Request, token: str, session: SystemSession) -> HTMLResponse:
    user = await forgotten.user_of(session, token)
    return render(request, "teams/new_password.html", user=user, token=token)


@router.post("/new-password/{token}")
async def set_password(
    request: Request, token: str, session: SystemSession, password: Text
) -> Response:
    await forgotten.set_password(session, token, password)
    return redirect(request, "/sign-in", toast="Password changed; sign in with it")
