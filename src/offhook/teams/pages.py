"""Pages of teams: welcome, sign in and out, an invitation's link, the account, the team."""

from http import HTTPStatus
from typing import Annotated, cast
from zoneinfo import available_timezones

import phonenumbers
from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.db import Database, Session
from offhook.settings import Settings
from offhook.teams import forgotten, keys, rules, service, tokens
from offhook.teams.access import (
    Actor,
    AdminActor,
    CurrentActor,
    SystemSession,
    TeamSession,
    by_cookie,
)
from offhook.teams.errors import SetupClosed, SignedOut
from offhook.teams.models import Role
from offhook.web import SESSION_COOKIE, kit, redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
HOME = "/"
_ABSOLUTE_S = round(rules.ABSOLUTE.total_seconds())
ROLE_NAMES = ((Role.MEMBER, "Member"), (Role.ADMIN, "Admin"), (Role.OWNER, "Owner"))


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _database(request: Request) -> Database:
    return cast("Database", request.app.state.database)


def _with_cookie(request: Request, response: Response, token: str) -> Response:
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=_ABSOLUTE_S,
        httponly=True,
        samesite="lax",
        secure=_settings(request).web_url.startswith("https://"),
    )
    return response


def _zones() -> list[tuple[str, str]]:
    names = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    return [(name, name.replace("_", " ")) for name in names]


def _countries() -> list[tuple[str, str]]:
    return [(code, code) for code in sorted(phonenumbers.SUPPORTED_REGIONS)]


# --- The first owner ---


@router.get("/welcome")
async def welcome_page(request: Request, token: Annotated[str, Query()] = "") -> HTMLResponse:
    async with _database(request).system() as session:
        await _check_setup(request, session, token)
    return render(
        request, "teams/welcome.html", token=token, zones=_zones(), countries=_countries()
    )


@router.post("/welcome")
async def welcome(
    request: Request,
    session: SystemSession,
    *,
    token: Text,
    team_name: Text,
    email: Text,
    password: Text,
    timezone: Text = "UTC",
    country: Text = "US",
) -> Response:
    await _check_setup(request, session, token)
    _, user = await service.welcome(
        session,
        team_name=team_name,
        email=email,
        password=password,
        timezone=timezone,
        country=country,
    )
    cookie = await service.open_sign_in(session, user)
    return _with_cookie(request, redirect(request, HOME), cookie)


async def _check_setup(request: Request, session: Session, token: str) -> None:
    expected = tokens.setup_token(kit(request).secret)
    if not tokens.same(token, expected):
        raise SetupClosed(
            "This set-up link is not the right one.",
            remedy="Use the link that `offhook serve` prints.",
        )
    if await service.setup_link(session, _settings(request)) is None:
        raise SetupClosed("This installation has its first owner already.", remedy="Sign in.")


# --- Signing in and out ---


@router.get("/sign-in")
async def sign_in_page(request: Request, next: Annotated[str, Query()] = HOME) -> Response:  # noqa: A002 - the parameter's name in the address
    async with _database(request).system() as session:
        try:
            await by_cookie(session, request.cookies.get(SESSION_COOKIE, ""))
        except SignedOut:
            fresh = await service.setup_link(session, _settings(request)) is not None
            return render(request, "teams/sign_in.html", next=_local(next), fresh=fresh)
    return redirect(request, _local(next))


@router.post("/sign-in")
async def sign_in(
    request: Request,
    email: Text,
    password: Text,
    next: Text = HOME,  # noqa: A002 - as above
) -> Response:
    database = _database(request)
    address = request.client.host if request.client else ""
    async with database.system() as session:
        counted = await service.count_attempt(session, email, address)
    # A transaction of its own: a refusal rolls it back, and what was counted stays.
    async with database.system() as session:
        user = await service.check_credentials(session, email, password)
        await service.forgive(session, counted)
        old = request.cookies.get(SESSION_COOKIE, "")
        cookie = await service.open_sign_in(session, user, old=old)
    return _with_cookie(request, redirect(request, _local(next)), cookie)


def _local(url: str) -> str:
    """Only a path of this host: a link must not send a person who signs in elsewhere."""
    return url if url.startswith("/") and not url.startswith(("//", "/\\")) else HOME


@router.post("/sign-out")
async def sign_out(request: Request, session: SystemSession) -> Response:
    await service.sign_out(session, request.cookies.get(SESSION_COOKIE, ""))
    response = redirect(request, "/sign-in")
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.get("/account")
async def account_page(request: Request, actor: CurrentActor) -> HTMLResponse:
    return render(request, "teams/account.html", actor=actor)


@router.post("/account/password")
async def change_password(
    request: Request, actor: CurrentActor, session: SystemSession, old: Text, password: Text
) -> Response:
    user = await service.change_password(session, actor.user_id, old, password)
    await forgotten.tell_changed(session, user)
    cookie = await service.open_sign_in(session, user, actor.team_id)
    response = redirect(request, "/account", toast="Password changed; other sign-ins ended")
    return _with_cookie(request, response, cookie)


# --- An invitation's link ---


@router.get("/join/{token}")
async def join_page(request: Request, token: str, session: SystemSession) -> HTMLResponse:
    row, team, known = await service.invitation(session, token)
    return render(request, "teams/join.html", invitation=row, team=team, known=known, token=token)


@router.post("/join/{token}")
async def join(request: Request, token: str, session: SystemSession, password: Text) -> Response:
    user, team = await service.join(session, token, password)
    old = request.cookies.get(SESSION_COOKIE, "")
    cookie = await service.open_sign_in(session, user, team.id, old=old)
    return _with_cookie(request, redirect(request, HOME), cookie)


# --- The team ---


@router.get("/team")
async def team_page(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return await _members(request, actor, session)


@router.get("/team/members")
async def members_part(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return await _members(request, actor, session, block="members")


async def _members(
    request: Request, actor: Actor, session: Session, *, block: str = "", link: str = ""
) -> HTMLResponse:
    may_grant = [pair for pair in ROLE_NAMES if actor.role is Role.OWNER or pair[0] != Role.OWNER]
    return render(
        request,
        "teams/members.html",
        block=block,
        actor=actor,
        members=await service.members(session, actor.team_id),
        invitations=await service.invitations(session, actor.team_id) if actor.is_admin else [],
        roles=may_grant,
        role_names=dict(ROLE_NAMES),
        link=link,
    )


@router.post("/team/invitations")
async def invite(
    request: Request, actor: AdminActor, session: TeamSession, email: Text, role: Text
) -> HTMLResponse:
    row, token = await service.invite(
        session, actor, request.app.state.vault, email=email, role=_role(role)
    )
    link = f"{_settings(request).web_url}/join/{token}"
    mailed = bool(_settings(request).smtp_host)
    return render(request, "teams/invited.html", invitation=row, link=link, mailed=mailed)


def _role(text: str) -> Role:
    return Role(text) if text in set(Role) else Role.MEMBER


@router.post("/team/invitations/{invitation_id}/withdraw")
async def withdraw(
    request: Request, invitation_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await service.withdraw(session, actor.team_id, actor.role, invitation_id)
    return redirect(request, "/team", toast="Invitation withdrawn")


@router.post("/team/members/{user_id}/role")
async def change_role(
    request: Request, user_id: str, actor: AdminActor, session: TeamSession, role: Text
) -> Response:
    await service.change_role(session, actor.team_id, actor.role, user_id, _role(role))
    return redirect(request, "/team", toast="Role changed")


@router.post("/team/members/{user_id}/remove")
async def remove(
    request: Request, user_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await service.remove_member(session, actor.team_id, actor.role, user_id)
    return redirect(request, "/team", toast="Member removed")


@router.get("/team/settings")
async def settings_page(
    request: Request, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    team = await service.team(session, actor.team_id)
    return render(
        request,
        "teams/settings.html",
        actor=actor,
        team=team,
        zones=_zones(),
        countries=_countries(),
    )


@router.post("/team/settings")
async def change_settings(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    *,
    name: Text,
    timezone: Text,
    country: Text,
    mask_numbers: Annotated[bool, Form()] = False,
) -> Response:
    await service.change_team(
        session,
        actor.team_id,
        name=name,
        timezone=timezone,
        country=country,
        mask_numbers=mask_numbers,
    )
    return redirect(request, "/team/settings", toast="Saved")


@router.get("/team/api-keys")
async def keys_page(request: Request, actor: AdminActor, session: TeamSession) -> HTMLResponse:
    rows = await keys.keys(session, actor.team_id)
    return render(request, "teams/api_keys.html", actor=actor, keys=rows)


@router.post("/team/api-keys")
async def make_key(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    name: Text,
    scope: Text = "write",
) -> HTMLResponse:
    scopes = {"write": ("read", "write"), "operator": rules.SCOPES}.get(scope, ("read",))
    row, text = await keys.make_key(
        session, actor.team_id, actor.role, actor.who, name=name, scopes=scopes
    )
    return render(request, "teams/key_made.html", key=row, text=text, status_code=HTTPStatus.OK)


@router.post("/team/api-keys/{key_id}/revoke")
async def revoke_key(
    request: Request, key_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await keys.revoke_key(session, actor.team_id, actor.role, key_id)
    return redirect(request, "/team/api-keys", toast="Key revoked")
