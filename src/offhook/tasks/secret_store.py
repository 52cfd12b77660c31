"""The team's secrets for requests: written, replaced, deleted; never shown (SEC22).

A secret is opened only to be put into a request, and its value is blotted out of every record.
"""

import re
from collections.abc import Collection, Sequence

from sqlalchemy import select

from offhook.db import Session, new_id, now, one_at_a_time, seal, touch, unseal
from offhook.errors import Conflict, Invalid, NotFound
from offhook.tasks.models import TeamSecret
from offhook.vault import Vault

NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
MIN_VALUE = 4  # a shorter one would be blotted out of half the words
MAX_VALUE = 4_000
MAX_SECRETS = 100


class SecretInvalid(Invalid):
    code = "secret_invalid"


class SecretNotFound(NotFound):
    code = "secret_not_found"


class TooManySecrets(Conflict):
    code = "too_many_secrets"


async def put(session: Session, vault: Vault, team_id: str, name: str, value: str) -> TeamSecret:
    """Store a secret, or replace the value of the one with this name. Raises SecretInvalid."""
    wanted, plain = name.strip().upper(), value.strip()
    if not NAME.fullmatch(wanted):
        raise SecretInvalid(
            f"“{name[:50]}” cannot name a secret.",
            remedy="Use capital letters, digits and underscores, such as BOOKING_KEY.",
            errors=[{"field": "name", "sentence": "Use letters, digits and underscores."}],
        )
    if not MIN_VALUE <= len(plain) <= MAX_VALUE or not plain.isprintable():
        raise SecretInvalid(
            f"A secret has {MIN_VALUE} to {MAX_VALUE:,} printable characters; this one has "
            f"{len(plain):,}.",
            remedy="Paste the key or password alone.",
            errors=[{"field": "value", "sentence": "Paste the key or password alone."}],
        )
    await one_at_a_time(session, f"secrets of {team_id}")  # two may set the same name
    instant = await now(session)
    rows = {each.name: each for each in await listed(session, team_id)}
    row = rows.get(wanted)
    if row is None:
        if len(rows) >= MAX_SECRETS:
            raise TooManySecrets(
                f"The team has {len(rows)} secrets already.", remedy="Delete one first."
            )
        row = TeamSecret(
            id=new_id("sec"), team_id=team_id, name=wanted, created_at=instant, updated_at=instant
        )
        row.value = seal(vault, row, "value", plain.encode())
        session.add(row)
    else:
        row.value = seal(vault, row, "value", plain.encode())
        row.updated_at = instant
    await session.flush()
    await touch(session, team_id, "tasks")
    return row


async def listed(session: Session, team_id: str) -> Sequence[TeamSecret]:
    """By name; their values stay sealed."""
    query = select(TeamSecret).where(TeamSecret.team_id == team_id).order_by(TeamSecret.name)
    return (await session.scalars(query)).all()


async def delete(session: Session, team_id: str, secret_id: str) -> None:
    """Raises SecretNotFound. Tasks that still name it fail and say so."""
    row = await session.scalar(
        select(TeamSecret).where(TeamSecret.team_id == team_id, TeamSecret.id == secret_id)
    )
    if row is None:
        raise SecretNotFound(f"There is no secret {secret_id[:50]}.")
    await session.delete(row)
    await session.flush()
    await touch(session, team_id, "tasks")


async def opened(
    session: Session, vault: Vault, team_id: str, names: Collection[str]
) -> dict[str, str]:
    """Name to value. Raises SecretNotFound with the first that the team does not have."""
    if not names:
        return {}
    rows = await session.scalars(
        select(TeamSecret).where(TeamSecret.team_id == team_id, TeamSecret.name.in_(names))
    )
    found = {row.name: unseal(vault, row, "value").decode() for row in rows}
    for name in sorted(names):
        if name not in found:
            raise SecretNotFound(
                f"There is no secret “{name}”.", remedy="Add it under Tasks, Secrets."
            )
    return found
