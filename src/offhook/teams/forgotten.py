"""A forgotten password: asked for, mailed as a link, set anew (SEC5).

Nothing tells whether an address is somebody's: asking does the same for every one, and a worker
looks it up. A link works once and for 30 minutes; setting the password ends every sign-in and
every other link.
"""

from hashlib import sha256

from pydantic import SecretStr
from sqlalchemy import delete, func, select

from offhook import audit, mail
from offhook.db import Database, Session, enqueue, new_id, now, one_at_a_time
from offhook.teams import rules, tokens
from offhook.teams.errors import MemberUnknown, ResetGone, TooManyAttempts, UserUnknown
from offhook.teams.letters import PasswordChanged, PasswordForgotten
from offhook.teams.models import Membership, PasswordReset, SignIn, SignInFailure, User
from offhook.teams.service import end_sign_ins
from offhook.vault import Vault

JOB = "teams.forgotten"


async def ask(session: Session, email: str, address: str) -> None:
    """Somebody at `address` asks for a link to be mailed to `email`; in a system session.

    Raises EmailInvalid, TooManyAttempts; says nothing of whether there is such a user.
    """
    wanted = rules.check_email(email)
    await _count(session, wanted, address)
    row = await _new(session, wanted)
    await enqueue(session, JOB, reset_id=row.id)


async def _count(session: Session, email: str, address: str) -> None:
    """Asking is limited, so that nobody's mailbox is filled by it."""
    asked = {
        sha256(f"reset\n{each}".encode()).hexdigest(): most
        for each, most in (
            (email, rules.MAX_RESETS_PER_PERSON),
            (address, rules.MAX_RESETS_PER_ADDRESS),
        )
    }
    for who in sorted(asked):  # of many at once no more are mailed than one after the other
        await one_at_a_time(session, f"reset {who}")
    moment = await now(session)
    for who, most in asked.items():
        count = await session.scalar(
            select(func.count())
            .select_from(SignInFailure)
            .where(SignInFailure.who == who, SignInFailure.at > moment - rules.FAILURES_FORGOTTEN)
        )
        if (count or 0) >= most:
            minutes = round(rules.FAILURES_FORGOTTEN.total_seconds() / 60)
            raise TooManyAttempts(
                "A new password was asked for too often.",
                remedy=f"Look into your mail, or try again in {minutes} minutes.",
                retry_after_s=minutes * 60,
            )
        session.add(SignInFailure(who=who, at=moment))


async def _new(session: Session, email: str) -> PasswordReset:
    moment = await now(session)
    row = PasswordReset(
        id=new_id("rst"), email=email, asked_at=moment, expires_at=moment + rules.RESET_LASTS
    )
    session.add(row)
    await session.flush()
    return row


async def send_link(database: Database, vault: Vault, reset_id: str) -> None:
    """Mail the link, if the address is a member's; forget that it was asked for otherwise."""
    async with database.system() as session:
        row = await session.get(PasswordReset, reset_id, with_for_update={"key_share": True})
        if row is None or row.token_hash is not None:
            return
        found = await _member(session, row.email)
        if found is None:
            await session.delete(row)
            return
        user, team_id = found
        path = _give_token(row, user)
        letter = PasswordForgotten(path=SecretStr(path))
        key = f"reset:{row.id}"
        await mail.send(session, team_id, user.email, letter, key=key, vault=vault)


async def link_for(session: Session, email: str) -> str:
    """The path of a link for `email`, for the operator to pass on. Raises UserUnknown."""
    found = await _member(session, email.strip().lower())
    if found is None:
        raise UserUnknown(f"No member of a team has the address {email[:80]}.")
    row = await _new(session, found[0].email)
    audit.record(session, None, "made", "password link", found[0].id, label=found[0].email)
    return _give_token(row, found[0])


async def _member(session: Session, email: str) -> tuple[User, str] | None:
    """The user with this address, and the team that the mail counts to; nobody without one."""
    query = (
        select(User, Membership.team_id)
        .join(Membership, Membership.user_id == User.id)
        .where(func.lower(User.email) == email)
        .order_by(Membership.created_at)
        .limit(1)
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else (found[0], found[1])


def _give_token(row: PasswordReset, user: User) -> str:
    token = tokens.new_token()
    row.user_id, row.token_hash = user.id, tokens.digest(token)
    return f"/new-password/{token}"


async def user_of(session: Session, token: str) -> User:
    """Whose password the link sets; a system session. Raises ResetGone."""
    row = await session.scalar(
        select(PasswordReset)
        .where(PasswordReset.token_hash == tokens.digest(token))
        .with_for_update(key_share=True)
    )
    if row is None or row.expires_at <= await now(session):
        raise ResetGone("This link has been used or has expired.", remedy="Ask for a new one.")
    return await session.get_one(User, row.user_id)


async def set_password(session: Session, token: str, password: str) -> User:
    """Set the password; every sign-in and every link of the user ends. Raises ResetGone."""
    user = await user_of(session, token)
    rules.check_password(password, user.email)
    audit.act_as(audit.By(audit.Kind.USER, user.id, user.email))
    user.password_hash = await tokens.hash_password(password)
    user.password_changed_at = await now(session)
    await end_sign_ins(session, SignIn.user_id == user.id)
    await session.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id))
    await tell_changed(session, user)
    return user


async def tell_changed(session: Session, user: User) -> None:
    """Mail the user that the password is another one."""
    found = await _member(session, user.email)
    if found is None:
        raise MemberUnknown("You are no longer a member of a team.", remedy="Ask for a new link.")
    await mail.send(session, found[1], user.email, PasswordChanged())


async def forget_expired(session: Session) -> int:
    """Delete what was asked for and is over; a system session. Gives their count."""
    gone = await session.scalars(
        delete(PasswordReset)
        .where(PasswordReset.expires_at <= await now(session))
        .returning(PasswordReset.id)
    )
    return len(gone.all())
