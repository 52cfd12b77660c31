"""Use cases of operators: who runs the installation, sees all teams, sets prices and carriers.

The first owner is one (`service.welcome`); others are added on the server's command line, so that
nobody is locked out. All of them take a system session.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select

from offhook.db import Session
from offhook.teams.errors import LastOperator, OperatorOnly, UserUnknown
from offhook.teams.models import ApiKey, Membership, Role, Team, User


@dataclass(frozen=True, slots=True)
class TeamSeen:
    """A team as the operator's pages list it."""

    team: Team
    owner: str
    members: int


async def add(session: Session, email: str) -> User:
    """Make the user with this address an operator. Raises UserUnknown."""
    user = await _user(session, email)
    user.is_operator = True
    return user


async def remove(session: Session, email: str) -> User:
    """End a user's being an operator; their operator keys stop being ones at once.

    Raises UserUnknown, LastOperator.
    """
    # All of them, in one order: two removals at once must not both leave "the other" one.
    held = await session.scalars(
        select(User).where(User.is_operator).order_by(User.id).with_for_update(key_share=True)
    )
    user = await _user(session, email)
    if all(row.id == user.id for row in held):
        raise LastOperator(
            f"{user.email} is the only operator.", remedy="Make somebody else one first."
        )
    user.is_operator = False
    return user


async def operators(session: Session) -> list[User]:
    rows = await session.scalars(
        select(User).where(User.is_operator).order_by(User.created_at, User.id)
    )
    return list(rows)


async def who(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """What to call those who did something, by the ids that records keep: addresses of users,
    names of keys (system scope for keys of other teams).
    """
    wanted = list(ids)
    if not wanted:
        return {}
    users = await session.execute(select(User.id, User.email).where(User.id.in_(wanted)))
    keys = await session.execute(select(ApiKey.id, ApiKey.name).where(ApiKey.id.in_(wanted)))
    return {row[0]: row[1] for row in (*users, *keys)}


async def check(session: Session, user_id: str) -> None:
    """Raise OperatorOnly unless `user_id` is an operator; a key is none."""
    if not await session.scalar(select(User.is_operator).where(User.id == user_id)):
        raise OperatorOnly(
            "Only an operator of this installation can do this.",
            remedy="Sign in as one; a key cannot make another operator's key.",
        )


async def teams_seen(session: Session) -> list[TeamSeen]:
    """Every team of the installation, the oldest first, with its first owner's address."""
    owners = (
        select(
            Membership.team_id,
            func.count().label("members"),
            func.min(User.email).filter(Membership.role == Role.OWNER).label("owner"),
        )
        .join(User, User.id == Membership.user_id)
        .group_by(Membership.team_id)
        .subquery()
    )
    rows = await session.execute(
        select(Team, owners.c.owner, owners.c.members)
        .outerjoin(owners, owners.c.team_id == Team.id)
        .order_by(Team.created_at, Team.id)
    )
    return [TeamSeen(team, owner or "", members or 0) for team, owner, members in rows]


async def _user(session: Session, email: str) -> User:
    user = await session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))
    if user is None:
        raise UserUnknown(
            f"Nobody has signed up as {email[:80]}.",
            remedy="Invite them to a team first; they sign up with the link.",
        )
    return user
