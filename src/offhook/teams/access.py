"""Who is asking: the actor of a request, and the dependencies that routes use.

A browser shows its session's cookie, a program a key in `Authorization: Bearer`. With a key
the cookie is not looked at, so it never borrows a person's rights; `Basic` is a proxy's in front.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, cast

from fastapi import Depends
from sqlalchemy import select
from starlette.requests import Request

from offhook import audit
from offhook.db import Database, Session, now
from offhook.teams import rules, tokens
from offhook.teams.errors import KeyRefused, OperatorOnly, RoleMissing, ScopeMissing, SignedOut
from offhook.teams.models import ApiKey, Membership, Role, SignIn, Team, User
from offhook.web import SESSION_COOKIE, Once

SEEN_EVERY = timedelta(minutes=5)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, for which team. A key acts as an admin within its scopes; it has no `user_id`."""

    user_id: str
    team_id: str
    role: Role
    email: str
    team_name: str
    timezone: str
    country: str
    key_id: str = ""
    is_operator: bool = False
    """Runs the installation: sees all teams, sets prices (product.md, Words)."""

    @property
    def is_admin(self) -> bool:
        return rules.allows(self.role, Role.ADMIN)

    @property
    def who(self) -> str:
        """For records of who did what: the user's id or the key's."""
        return self.user_id or self.key_id


async def identify(request: Request) -> Actor:
    """The actor of `request`, also kept in `request.state.actor`. Raises SignedOut, KeyRefused."""
    known = cast("Actor | None", getattr(request.state, "actor", None))
    if known is not None:
        return known
    database = cast("Database", request.app.state.database)
    header = request.headers.get("authorization", "")
    async with database.system() as session:
        if header and not header.lower().startswith("basic "):
            actor = await _by_key(session, header, request.method)
        else:
            actor = await by_cookie(session, request.cookies.get(SESSION_COOKIE, ""))
    request.state.actor = actor
    kind = audit.Kind.USER if actor.user_id else audit.Kind.KEY
    audit.act_as(audit.By(kind, actor.who, actor.email))
    return actor


async def by_cookie(session: Session, token: str) -> Actor:
    """The actor whose browser holds `token`, marking the sign-in as used."""
    found = None
    if token:
        query = (
            select(SignIn, User, Team, Membership.role)
            .join(User, User.id == SignIn.user_id)
            .join(Team, Team.id == SignIn.team_id)
            .join(
                Membership,
                (Membership.team_id == SignIn.team_id) & (Membership.user_id == SignIn.user_id),
            )
            .where(SignIn.token_hash == tokens.digest(token))
        )
        found = (await session.execute(query)).one_or_none()
    moment = await now(session)
    if found is None or not rules.is_alive(found[0].created_at, found[0].last_seen_at, moment):
        raise SignedOut("You are not signed in.", remedy="Sign in and try again.")
    sign_in, user, team, role = found
    if moment - sign_in.last_seen_at > SEEN_EVERY:
        sign_in.last_seen_at = moment
    zone = rules.zone_at(team.timezone, team.next_timezone, team.next_timezone_from, moment)
    return Actor(
        user.id,
        team.id,
        Role(role),
        user.email,
        team.name,
        zone,
        team.country,
        is_operator=user.is_operator,
    )


async def _by_key(session: Session, header: str, method: str) -> Actor:
    scheme, _, key = header.partition(" ")
    moment = await now(session)
    found = None
    if scheme.lower() == "bearer":
        query = (
            select(ApiKey, Team, User.is_operator)
            .join(Team, Team.id == ApiKey.team_id)
            .outerjoin(User, User.id == ApiKey.created_by)
            .where(ApiKey.key_hash == tokens.digest(key.strip()))
        )
        found = (await session.execute(query)).one_or_none()
    if found is None:
        raise KeyRefused(
            "This API key is not known.", remedy="Send `Authorization: Bearer ohk_…` with a key."
        )
    row, team, by_operator = found
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= moment):
        state = "was revoked" if row.revoked_at is not None else "has expired"
        raise KeyRefused(f"The API key “{row.name}” {state}.", remedy="Make a new key.")
    needed = "read" if method in SAFE_METHODS else "write"
    if needed not in row.scopes:
        raise ScopeMissing(
            f"The API key “{row.name}” does not have the scope “{needed}”.",
            remedy="Use a key that has it.",
        )
    if row.last_used_at is None or moment - row.last_used_at > SEEN_EVERY:
        row.last_used_at = moment
    zone = rules.zone_at(team.timezone, team.next_timezone, team.next_timezone_from, moment)
    # A key is never more than who made it still is.
    operates = rules.OPERATOR_SCOPE in row.scopes and bool(by_operator)
    return Actor(
        "",
        team.id,
        Role.ADMIN,
        row.name,
        team.name,
        zone,
        team.country,
        row.id,
        is_operator=operates,
    )


CurrentActor = Annotated[Actor, Depends(identify)]


def require(role: Role) -> Callable[[Actor], Actor]:
    """A dependency: the actor, who has at least `role`; RoleMissing otherwise."""

    def check(actor: CurrentActor) -> Actor:
        if not rules.allows(actor.role, role):
            needed = "an owner" if role is Role.OWNER else "an owner or admin"
            raise RoleMissing(f"Only {needed} can do this.", remedy="Ask one of them.")
        return actor

    return check


AdminActor = Annotated[Actor, Depends(require(Role.ADMIN))]
OwnerActor = Annotated[Actor, Depends(require(Role.OWNER))]


def operator_only(actor: CurrentActor) -> Actor:
    """The actor, who is an operator.

    403, not 404 (SEC7 hides what another team has): that there are operator's pages is no
    secret, and the answer comes before anything is read, the same for what is there and what is
    not.
    """
    if not actor.is_operator:
        raise OperatorOnly(
            "Only an operator of this installation can do this.",
            remedy="Ask the operator, or run `offhook operator add` on the server.",
        )
    return actor


OperatorActor = Annotated[Actor, Depends(operator_only)]


async def _team_session(request: Request, actor: CurrentActor) -> AsyncGenerator[Session]:
    database = cast("Database", request.app.state.database)
    async with database.team(actor.team_id) as session:
        yield session


async def _system_session(request: Request) -> AsyncGenerator[Session]:
    database = cast("Database", request.app.state.database)
    async with database.system() as session:
        yield session


# scope="function": committed when the route's function has returned, before its answer is sent.
TeamSession = Annotated[Session, Depends(_team_session, scope="function")]
SystemSession = Annotated[Session, Depends(_system_session, scope="function")]


def _once(request: Request, actor: CurrentActor, session: TeamSession) -> Once:
    return Once(request, session, actor.team_id)


OnceOnly = Annotated[Once, Depends(_once)]
