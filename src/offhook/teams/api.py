"""REST of teams: the team, its members, invitations and API keys."""

from datetime import datetime
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from offhook.db import now
from offhook.teams import keys, rules, service
from offhook.teams.access import AdminActor, CurrentActor, TeamSession, require
from offhook.teams.models import ApiKey, Invitation, Role, Team
from offhook.web import Page, shapes

router = APIRouter(prefix="/api/v1", tags=["team"])
Scope = Literal["read", "write", "operator"]


class TeamOut(BaseModel):
    id: str
    name: str
    timezone: str = Field(description="IANA name; months begin and end in it.")
    next_timezone: str | None = Field(description="Takes effect at `next_timezone_from`.")
    next_timezone_from: datetime | None
    country: str
    mask_numbers: bool = Field(
        description="Hide card and US social security numbers in what is kept of conversations."
    )
    created_at: datetime


class TeamChange(shapes.Exact):
    name: shapes.Name | None = None
    timezone: shapes.Zone | None = None
    country: shapes.Country | None = None
    mask_numbers: bool | None = None


class MemberOut(BaseModel):
    user_id: str
    email: str
    role: Role
    joined_at: datetime


class RoleChange(shapes.Exact):
    role: Role


class InvitationOut(BaseModel):
    id: str
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationOut):
    link: str = Field(description="Shown once; whoever opens it first joins.")


class Invite(shapes.Exact):
    email: shapes.Email
    role: Role = Role.MEMBER


class KeyOut(BaseModel):
    id: str
    name: str
    shown: str = Field(description="The key's first characters.")
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class KeyMade(KeyOut):
    key: str = Field(description="The key itself; it cannot be shown again.")


class MakeKey(shapes.Exact):
    name: shapes.Name
    scopes: list[Scope] = Field(
        default=["read", "write"],
        min_length=1,
        description="`operator` opens the operator's operations too; only an operator gives it.",
    )
    expires_at: shapes.Instant | None = Field(default=None, description="Still to come.")


def _team(row: Team, moment: datetime) -> TeamOut:
    waiting = row.next_timezone_from is not None and row.next_timezone_from > moment
    return TeamOut(
        id=row.id,
        name=row.name,
        timezone=rules.zone_at(row.timezone, row.next_timezone, row.next_timezone_from, moment),
        next_timezone=row.next_timezone if waiting else None,
        next_timezone_from=row.next_timezone_from if waiting else None,
        country=row.country,
        mask_numbers=row.mask_numbers,
        created_at=row.created_at,
    )


def _invitation(row: Invitation) -> InvitationOut:
    return InvitationOut.model_validate(row, from_attributes=True)


def _key(row: ApiKey) -> KeyOut:
    return KeyOut.model_validate(row, from_attributes=True)


@router.get("/team")
async def get_team(actor: CurrentActor, session: TeamSession) -> TeamOut:
    """The team of the caller."""
    return _team(await service.team(session, actor.team_id), await now(session))


@router.patch("/team")
async def change_team(body: TeamChange, actor: AdminActor, session: TeamSession) -> TeamOut:
    """Change what is given; a new time zone takes effect when the running month ends."""
    row = await service.change_team(
        session,
        actor.team_id,
        name=body.name,
        timezone=body.timezone,
        country=body.country,
        mask_numbers=body.mask_numbers,
    )
    return _team(row, await now(session))


@router.get("/members")
async def list_members(actor: CurrentActor, session: TeamSession) -> Page[MemberOut]:
    """Everybody in the team, the first member first; never more than one page."""
    rows = await service.members(session, actor.team_id)
    return Page(
        items=[
            MemberOut(
                user_id=row.user.id,
                email=row.user.email,
                role=row.role,
                joined_at=row.joined.created_at,
            )
            for row in rows
        ]
    )


@router.patch("/members/{user_id}", status_code=HTTPStatus.NO_CONTENT)
async def change_role(
    user_id: str, body: RoleChange, actor: AdminActor, session: TeamSession
) -> Response:
    await service.change_role(session, actor.team_id, actor.role, user_id, body.role)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.delete("/members/{user_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_member(user_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """End a membership and the member's sign-ins."""
    await service.remove_member(session, actor.team_id, actor.role, user_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/invitations", dependencies=[Depends(require(Role.ADMIN))])
async def list_invitations(actor: CurrentActor, session: TeamSession) -> Page[InvitationOut]:
    rows = await service.invitations(session, actor.team_id)
    return Page(items=[_invitation(row) for row in rows])


@router.post("/invitations", status_code=HTTPStatus.CREATED)
async def invite(
    request: Request, body: Invite, actor: AdminActor, session: TeamSession
) -> InvitationMade:
    """Invite an address; the answer has the link to pass on."""
    row, token = await service.invite(
        session, actor, request.app.state.vault, email=body.email, role=body.role
    )
    link = f"{request.app.state.settings.web_url}/join/{token}"
    return InvitationMade(link=link, **_invitation(row).model_dump())


@router.delete("/invitations/{invitation_id}", status_code=HTTPStatus.NO_CONTENT)
async def withdraw(invitation_id: str, actor: AdminActor, session: TeamSession) -> Response:
    await service.withdraw(session, actor.team_id, actor.role, invitation_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/api-keys", dependencies=[Depends(require(Role.ADMIN))])
async def list_keys(actor: CurrentActor, session: TeamSession) -> Page[KeyOut]:
    rows = await keys.keys(session, actor.team_id)
    return Page(items=[_key(row) for row in rows])


@router.post("/api-keys", status_code=HTTPStatus.CREATED)
async def make_key(body: MakeKey, actor: AdminActor, session: TeamSession) -> KeyMade:
    """Make a key. It is shown in this answer only, so the request cannot be replayed."""
    row, text = await keys.make_key(
        session,
        actor.team_id,
        actor.role,
        actor.who,
        name=body.name,
        scopes=body.scopes,
        expires_at=body.expires_at,
    )
    return KeyMade(key=text, **_key(row).model_dump())


@router.delete("/api-keys/{key_id}", status_code=HTTPStatus.NO_CONTENT)
async def revoke_key(key_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """Revoke a key; it stops to work at once."""
    await keys.revoke_key(session, actor.team_id, actor.role, key_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
