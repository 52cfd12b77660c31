"""Opt-outs: who wants nothing more from which of our numbers (S4, SM1).

Belongs to the pair of telephone numbers of one team, whichever way the other side's is spelled
(P6), outlives number and contact, and stops calls too: calls/ cannot ask this room, so app.py hands
it `is_opted_out`.
"""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Session, fetch, new_id, now, publish
from offhook.messages.events import ContactOptedIn, ContactOptedOut
from offhook.messages.models import OptOut
from offhook.phone import canonical

STOPPED = (
    "SELECT 1 FROM opt_outs WHERE team_id = %(team_id)s AND ours = %(ours)s AND remote = %(remote)s"
)


async def is_opted_out(session: Session, team_id: str, *, ours: str, remote: str) -> bool:
    """Whether `remote` has stopped texts and calls from our number `ours`."""
    pair = {"team_id": team_id, "ours": ours, "remote": canonical(remote)}
    return bool(await fetch(session, STOPPED, pair))


async def opt_out(
    session: Session,
    team_id: str,
    *,
    ours: str,
    remote: str,
    source: str,
    conversation_id: str | None = None,
) -> bool:
    """Record it; True if that is news. `source`: `keyword`, or `carrier` (its refusal, 21610)."""
    made = await session.scalar(
        insert(OptOut)
        .values(
            id=new_id("opt"),
            team_id=team_id,
            ours=ours,
            remote=canonical(remote),
            source=source,
            created_at=await now(session),
        )
        .on_conflict_do_nothing()
        .returning(OptOut.id)
    )
    if made is None:
        return False
    await publish(
        session,
        ContactOptedOut(
            team_id=team_id,
            conversation_id=conversation_id,
            ours=ours,
            remote=remote,
            source=source,
        ),
    )
    return True


async def opt_in(
    session: Session, team_id: str, *, ours: str, remote: str, conversation_id: str | None = None
) -> bool:
    """Take it back; True if there was something to take back."""
    gone = await session.scalar(
        delete(OptOut)
        .where(OptOut.team_id == team_id, OptOut.ours == ours, OptOut.remote == canonical(remote))
        .returning(OptOut.id)
    )
    if gone is None:
        return False
    await publish(
        session,
        ContactOptedIn(team_id=team_id, conversation_id=conversation_id, ours=ours, remote=remote),
    )
    return True
