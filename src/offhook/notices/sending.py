"""A letter to every member who wants its kind, once for each event."""

import logging

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook import mail, teams
from offhook.db import Session
from offhook.notices.kinds import KINDS, Kind, gets
from offhook.notices.letters import Notice
from offhook.notices.models import Choice

log = logging.getLogger(__name__)


async def send(session: Session, team_id: str, kind: Kind, letter: Notice, key: str) -> int:
    """Mail `letter` to whoever gets this kind; how many that are. `key` names what is told."""
    chosen = {row.user_id: row.wanted for row in await _choices(session, team_id, kind)}
    sent = 0
    for member in await teams.members(session, team_id):
        user = member.user
        if not gets(kind, member.role, chosen.get(user.id)):
            continue
        try:
            await mail.send(session, team_id, user.email, letter, key=f"{key}:{user.id}")
        except mail.AddressInvalid:  # theirs alone: the others are told
            log.warning("member %s has an address that cannot be written to", user.id)
            continue
        sent += 1
    return sent


async def _choices(session: Session, team_id: str, kind: Kind) -> list[Choice]:
    rows = await session.scalars(
        select(Choice).where(Choice.team_id == team_id, Choice.kind == kind)
    )
    return list(rows)


async def of_member(
    session: Session, team_id: str, user_id: str, role: teams.Role
) -> dict[Kind, bool]:
    """Which kinds a member may have, and whether each is mailed."""
    rows = await session.scalars(
        select(Choice).where(Choice.team_id == team_id, Choice.user_id == user_id)
    )
    chosen = {row.kind: row.wanted for row in rows}
    return {
        kind: gets(kind, role, chosen.get(kind))
        for kind, words in KINDS.items()
        if teams.allows(role, words.least)
    }


async def choose(session: Session, team_id: str, user_id: str, kind: Kind, *, wanted: bool) -> None:
    """Whether a member is mailed this kind from now on."""
    await session.execute(
        insert(Choice)
        .values(team_id=team_id, user_id=user_id, kind=kind, wanted=wanted)
        .on_conflict_do_update(
            index_elements=[Choice.user_id, Choice.kind, Choice.team_id], set_={"wanted": wanted}
        )
    )
