"""Use cases of teams: the first owner, signing in, members, the team's settings.

The session is passed in and committed at the request's boundary. Those that come before a team is
known (first owner, sign-in, an invitation's link) take a system session.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import ColumnElement, delete, func, or_, select

from offhook import mail
from offhook.db import Session, new_id, now, one_at_a_time, touch
from offhook.masking import Kept, masked_within
from offhook.settings import Settings, secret_key
from offhook.teams import rules, tokens
from offhook.teams.errors import (
    AlreadyMember,
    InvitationGone,
    LastOwner,
    MemberUnknown,
    SetupClosed,
    TooManyAttempts,
    WrongPassword,
)
from offhook.teams.letters import Invited
from offhook.teams.models import (
    ApiKey,
    Invitation,
    Membership,
    Role,
    SignIn,
    SignInFailure,
    Team,
    User,
)
from offhook.vault import Vault
from offhook.web import ACCESS

TOPIC = "team"
Hook = Callable[[Session, Team], Awaitable[None]]
Farewell = Callable[[Session, str, str, str], Awaitable[None]]
_hooks: list[Hook] = []
_farewells: list[Farewell] = []


def on_team_created(hook: Hook) -> None:
    """`hook(session, team)` runs in the transaction that creates a team (app.py registers)."""
    if hook not in _hooks:
        _hooks.append(hook)


def on_member_removed(hook: Farewell) -> None:
    """`hook(session, team_id, user_id, email)` runs in the transaction that ends a membership."""
    if hook not in _farewells:
        _farewells.append(hook)


class Inviter(Protocol):
    """Who invites: an actor of `access`."""

    @property
    def team_id(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def who(self) -> str: ...
    @property
    def email(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Member:
    user: User
    role: Role
    joined: Membership


# --- The first owner ---


async def setup_link(session: Session, settings: Settings) -> str | None:
    """The one-time address of the first sign-up; None once somebody has signed up."""
    if await _anybody(session):
        return None
    return f"{settings.web_url}/welcome?token={tokens.setup_token(secret_key(settings))}"


async def _anybody(session: Session) -> bool:
    return await session.scalar(select(User.id).limit(1)) is not None


async def welcome(
    session: Session,
    *,
    team_name: str,
    email: str,
    password: str,
    timezone: str = "UTC",
    country: str = "US",
) -> tuple[Team, User]:
    """Create the first team and its owner, who operates the installation.

    Raises SetupClosed when there is one already.
    """
    await one_at_a_time(session, "setup")
    if await _anybody(session):
        raise SetupClosed("This installation has its first owner already.", remedy="Sign in.")
    team, user = await create_team(
        session,
        name=team_name,
        email=email,
        password=password,
        timezone=timezone,
        country=country,
    )
    user.is_operator = True
    return team, user


async def create_team(
    session: Session,
    *,
    name: str,
    email: str,
    password: str,
    timezone: str = "UTC",
    country: str = "US",
) -> tuple[Team, User]:
    """A team with its owner, in a system session; every registered hook runs with it."""
    moment = await now(session)
    team = Team(
        id=new_id("team"),
        name=rules.check_name(name, "team_name"),
        timezone=rules.check_timezone(timezone),
        country=rules.check_country(country),
        created_at=moment,
    )
    user = await new_user(session, email, password)
    session.add(team)
    await session.flush()
    session.add(Membership(team_id=team.id, user_id=user.id, role=Role.OWNER, created_at=moment))
    await session.flush()
    for hook in _hooks:
        await hook(session, team)
    return team, user


async def new_user(session: Session, email: str, password: str) -> User:
    address = rules.check_email(email)
    rules.check_password(password, address)
    moment = await now(session)
    user = User(
        id=new_id("usr"),
        email=address,
        password_hash=await tokens.hash_password(password),
        password_changed_at=moment,
        created_at=moment,
    )
    session.add(user)
    return user


# --- Signing in and out ---


async def count_attempt(session: Session, email: str, address: str) -> Sequence[str]:
    """Count a sign-in as failed before its password is looked at, so that of many at once no more
    are tried than one after the other; `forgive` takes it back. Raises TooManyAttempts while an
    account or an address is being guessed at.
    """
    moment = await now(session)
    since = moment - rules.FAILURES_FORGOTTEN
    asked = {
        _who(email): rules.MAX_FAILURES_PER_PERSON,
        _who(address): rules.MAX_FAILURES_PER_ADDRESS,
    }
    for who in sorted(asked):
        await one_at_a_time(session, f"sign-in {who}")
    for who, most in asked.items():
        count = await session.scalar(
            select(func.count())
            .select_from(SignInFailure)
            .where(SignInFailure.who == who, SignInFailure.at > since)
        )
        if (count or 0) >= most:
            minutes = round(rules.FAILURES_FORGOTTEN.total_seconds() / 60)
            raise TooManyAttempts(
                "There were too many wrong passwords.",
                remedy=f"Try again in {minutes} minutes.",
                retry_after_s=minutes * 60,
            )
    await session.execute(delete(SignInFailure).where(SignInFailure.at <= since))
    rows = [SignInFailure(id=new_id("fail"), who=who, at=moment) for who in asked]
    session.add_all(rows)
    await session.flush()
    return [row.id for row in rows]


async def forgive(session: Session, counted: Sequence[str]) -> None:
    """The password was right."""
    await session.execute(delete(SignInFailure).where(SignInFailure.id.in_(counted)))


def _who(text: str) -> str:
    """Counted under a hash: the table tells no one which accounts are tried."""
    return sha256(text.strip().lower().encode()).hexdigest()


async def check_credentials(session: Session, email: str, password: str) -> User:
    """The user with this address and password. Raises WrongPassword, taking as long for either."""
    user = await session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))
    if not await tokens.verify(user.password_hash if user else None, password) or user is None:
        raise WrongPassword(
            "The email address or the password is wrong.", remedy="Check both and try again."
        )
    return user


async def open_sign_in(session: Session, user: User, team_id: str = "", *, old: str = "") -> str:
    """A fresh token for a browser (the `old` one ends): its cookie. Raises MemberUnknown."""
    query = select(Membership.team_id).where(Membership.user_id == user.id)
    if team_id:
        query = query.where(Membership.team_id == team_id)
    team = await session.scalar(query.order_by(Membership.created_at).limit(1))
    if team is None:
        raise MemberUnknown("You are no longer a member of a team.", remedy="Ask for a new link.")
    if old:
        await sign_out(session, old)
    token, moment = tokens.new_token(), await now(session)
    session.add(
        SignIn(
            team_id=team,
            token_hash=tokens.digest(token),
            user_id=user.id,
            created_at=moment,
            last_seen_at=moment,
        )
    )
    await session.flush()
    return token


async def sign_out(session: Session, token: str) -> None:
    await end_sign_ins(session, SignIn.token_hash == tokens.digest(token))


async def end_sign_ins(session: Session, *which: ColumnElement[bool]) -> None:
    """Also what their browsers have open ends: live news go on for whoever is still signed in."""
    ended = await session.scalars(delete(SignIn).where(*which).returning(SignIn.team_id))
    for team_id in set(ended):
        await touch(session, team_id, ACCESS)


async def change_password(session: Session, user_id: str, old: str, new: str) -> User:
    """Set a new password and end every sign-in of the user (SEC5); in a system session."""
    user = await session.get_one(User, user_id)
    if not await tokens.verify(user.password_hash, old):
        sentence = "The present password is wrong."
        raise WrongPassword(sentence, errors=[{"field": "old", "sentence": sentence}])
    rules.check_password(new, user.email)
    user.password_hash = await tokens.hash_password(new)
    user.password_changed_at = await now(session)
    await end_sign_ins(session, SignIn.user_id == user.id)
    return user


# --- The team ---


async def team(session: Session, team_id: str) -> Team:
    return await session.get_one(Team, team_id)


async def zone(session: Session, team_id: str) -> str:
    """The team's time zone as it counts now (U2)."""
    row = await team(session, team_id)
    return rules.zone_at(
        row.timezone, row.next_timezone, row.next_timezone_from, await now(session)
    )


async def today_began(session: Session, team_id: str) -> datetime:
    """The last midnight in the team's time zone."""
    local = (await now(session)).astimezone(ZoneInfo(await zone(session, team_id)))
    return datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)


async def masks_numbers(session: Session, team_id: str) -> bool:
    """Whether card and social security numbers are hidden in the team's conversations (SEC20)."""
    return bool(await session.scalar(select(Team.mask_numbers).where(Team.id == team_id)))


async def as_kept(session: Session, team_id: str, value: Kept) -> Kept:
    """A text or JSON value of a conversation as it may be kept: without card and social security
    numbers where the team asked for that (SEC20).
    """
    hidden = masked_within(value)
    if hidden == value:
        return value
    return hidden if await masks_numbers(session, team_id) else value


async def change_team(
    session: Session,
    team_id: str,
    *,
    name: str | None = None,
    timezone: str | None = None,
    country: str | None = None,
    mask_numbers: bool | None = None,
) -> Team:
    """Change what is given. A new zone takes effect when the running month ends (U2)."""
    row = await team(session, team_id)
    if name is not None:
        row.name = rules.check_name(name)
    if country is not None:
        row.country = rules.check_country(country)
    if mask_numbers is not None:
        row.mask_numbers = mask_numbers
    if timezone is not None:
        wanted, moment = rules.check_timezone(timezone), await now(session)
        row.timezone = rules.zone_at(
            row.timezone, row.next_timezone, row.next_timezone_from, moment
        )
        same = wanted == row.timezone
        row.next_timezone = None if same else wanted
        row.next_timezone_from = None if same else rules.month_end(moment, row.timezone)
    await touch(session, team_id, TOPIC)
    return row


# --- Members ---


async def members(session: Session, team_id: str) -> list[Member]:
    rows = await session.execute(
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.team_id == team_id)
        .order_by(Membership.created_at)
    )
    return [Member(user, Role(joined.role), joined) for user, joined in rows]


async def joined_at(session: Session, team_id: str, user_id: str) -> datetime | None:
    """Since when somebody is a member of the team; None for who is none."""
    return await session.scalar(
        select(Membership.created_at).where(
            Membership.team_id == team_id, Membership.user_id == user_id
        )
    )


async def still_here(
    session: Session, team_id: str, whos: Collection[str]
) -> dict[str, timedelta | None]:
    """Those of `whos`, users and keys (`Actor.who`), that may still act for the team, and for how
    long; None: until something is done about it, which is told on the topic `access`.
    """
    moment = await now(session)
    members = select(Membership.user_id).where(
        Membership.team_id == team_id, Membership.user_id.in_(whos)
    )
    keys = select(ApiKey.id, ApiKey.expires_at).where(
        ApiKey.team_id == team_id,
        ApiKey.id.in_(whos),
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > moment),
    )
    here: dict[str, timedelta | None] = dict.fromkeys(await session.scalars(members))
    for key_id, expires_at in (await session.execute(keys)).all():
        here[key_id] = expires_at - moment if expires_at else None
    return here


async def _membership(session: Session, team_id: str, user_id: str) -> Membership:
    found = await session.scalar(
        select(Membership)
        .where(Membership.team_id == team_id, Membership.user_id == user_id)
        .with_for_update(key_share=True)
    )
    if found is None:
        raise MemberUnknown(f"There is no member {user_id[:40]} in this team.")
    return found


async def _keep_an_owner(session: Session, team_id: str) -> None:
    owners = await session.scalars(
        select(Membership.user_id)
        .where(Membership.team_id == team_id, Membership.role == Role.OWNER)
        .with_for_update(key_share=True)
    )
    if len(owners.all()) < 2:  # noqa: PLR2004 - one stays
        raise LastOwner(
            "The team's only owner cannot leave or lose the role.",
            remedy="Make somebody else an owner first.",
        )


async def change_role(
    session: Session, team_id: str, by: Role, user_id: str, role: Role
) -> Membership:
    # The team's row first: two changes at once must not both remove "the other" owner.
    await session.execute(select(Team.id).where(Team.id == team_id).with_for_update(key_share=True))
    found = await _membership(session, team_id, user_id)
    rules.may_manage(by, Role(found.role), role)
    if found.role == Role.OWNER and role is not Role.OWNER:
        await _keep_an_owner(session, team_id)
    found.role = role
    await touch(session, team_id, TOPIC)
    return found


async def remove_member(session: Session, team_id: str, by: Role, user_id: str) -> None:
    """End the membership and the member's sign-ins to this team; every registered hook runs."""
    await session.execute(select(Team.id).where(Team.id == team_id).with_for_update(key_share=True))
    found = await _membership(session, team_id, user_id)
    rules.may_manage(by, Role(found.role))
    if found.role == Role.OWNER:
        await _keep_an_owner(session, team_id)
    await session.delete(found)
    await end_sign_ins(session, SignIn.team_id == team_id, SignIn.user_id == user_id)
    await session.flush()
    user = await session.get_one(User, user_id)
    for farewell in _farewells:
        await farewell(session, team_id, user_id, user.email)
    await touch(session, team_id, TOPIC, ACCESS)


# --- Invitations ---


async def invite(
    session: Session, by: Inviter, vault: Vault, *, email: str, role: Role
) -> tuple[Invitation, str]:
    """An invitation, mailed to its address, and its token, to pass on by hand; shown once."""
    team_id = by.team_id
    rules.may_manage(by.role, role)
    address = rules.check_email(email)
    if any(member.user.email == address for member in await members(session, team_id)):
        raise AlreadyMember(f"{address} is a member already.")
    await session.execute(
        delete(Invitation).where(
            Invitation.team_id == team_id,
            Invitation.email == address,
            Invitation.accepted_at.is_(None),
        )
    )
    token, moment = tokens.new_token(), await now(session)
    row = Invitation(
        id=new_id("inv"),
        team_id=team_id,
        email=address,
        role=role,
        token_hash=tokens.digest(token),
        created_by=by.who,
        created_at=moment,
        expires_at=moment + rules.INVITATION_LASTS,
    )
    session.add(row)
    await session.flush()
    letter = Invited(
        team=(await team(session, team_id)).name,
        by=by.email,
        role=role.value,
        path=SecretStr(f"/join/{token}"),
    )
    await mail.send(session, team_id, address, letter, key=f"invitation:{row.id}", vault=vault)
    await touch(session, team_id, TOPIC)
    return row, token


async def invitations(session: Session, team_id: str) -> list[Invitation]:
    """Those that can still be accepted."""
    rows = await session.scalars(
        select(Invitation)
        .where(
            Invitation.team_id == team_id,
            Invitation.accepted_at.is_(None),
            Invitation.expires_at > await now(session),
        )
        .order_by(Invitation.created_at)
    )
    return list(rows)


async def withdraw(session: Session, team_id: str, by: Role, invitation_id: str) -> None:
    row = await session.scalar(
        select(Invitation).where(Invitation.team_id == team_id, Invitation.id == invitation_id)
    )
    if row is None:
        raise _gone()
    rules.may_manage(by, Role(row.role))
    await session.delete(row)
    await touch(session, team_id, TOPIC)


async def invitation(session: Session, token: str) -> tuple[Invitation, Team, bool]:
    """What a link invites to, and whether its address has a user already; a system session."""
    row = await session.scalar(
        select(Invitation)
        .where(Invitation.token_hash == tokens.digest(token))
        .with_for_update(key_share=True)
    )
    if row is None or row.accepted_at is not None or row.expires_at <= await now(session):
        raise _gone()
    known = await session.scalar(select(User.id).where(func.lower(User.email) == row.email))
    return row, await team(session, row.team_id), known is not None


async def join(session: Session, token: str, password: str) -> tuple[User, Team]:
    """Accept an invitation; a known user shows the password, a new one sets it."""
    row, joined, known = await invitation(session, token)
    if known:
        user = await check_credentials(session, row.email, password)
    else:
        user = await new_user(session, row.email, password)
    moment = await now(session)
    await session.flush()
    session.add(
        Membership(team_id=joined.id, user_id=user.id, role=Role(row.role), created_at=moment)
    )
    row.accepted_at = moment
    await session.flush()
    await touch(session, joined.id, TOPIC)
    return user, joined


def _gone() -> InvitationGone:
    return InvitationGone(
        "This invitation has been used, withdrawn, or has expired.", remedy="Ask for a new link."
    )
