"""Use cases of API keys (SEC6): a key is shown once, and only its hash is kept."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from offhook.db import Session, new_id, now, touch
from offhook.teams import operators, rules, tokens
from offhook.teams.errors import KeyUnknown
from offhook.teams.models import ApiKey, Role
from offhook.web import ACCESS

TOPIC = "team"


async def make_key(
    session: Session,
    team_id: str,
    by: Role,
    by_user: str,
    *,
    name: str,
    scopes: Sequence[str] = ("read", "write"),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can read again.

    The scope `operator` adds the operator's rights to those of `read` and `write`; only a person
    who is an operator makes such a key, and it loses them when that person does. Raises
    RoleMissing, OperatorOnly.
    """
    rules.may_manage(by)
    if rules.OPERATOR_SCOPE in scopes:
        await operators.check(session, by_user)
    text, moment = tokens.new_key(), await now(session)
    row = ApiKey(
        id=new_id("key"),
        team_id=team_id,
        name=rules.check_name(name),
        shown=text[: tokens.SHOWN],
        key_hash=tokens.digest(text),
        scopes=[scope for scope in rules.SCOPES if scope in scopes],
        created_by=by_user,
        created_at=moment,
        expires_at=rules.check_expiry(expires_at, moment),
    )
    session.add(row)
    await session.flush()
    await touch(session, team_id, TOPIC)
    return row, text


async def keys(session: Session, team_id: str) -> list[ApiKey]:
    """Every key that has not been revoked, the newest first."""
    rows = await session.scalars(
        select(ApiKey)
        .where(ApiKey.team_id == team_id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    return list(rows)


async def revoke_key(session: Session, team_id: str, by: Role, key_id: str) -> None:
    """The key stops to work with the next request."""
    rules.may_manage(by)
    row = await session.scalar(
        select(ApiKey).where(
            ApiKey.team_id == team_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None)
        )
    )
    if row is None:
        raise KeyUnknown(f"There is no API key {key_id[:40]} in this team.")
    row.revoked_at = await now(session)
    await touch(session, team_id, TOPIC, ACCESS)
