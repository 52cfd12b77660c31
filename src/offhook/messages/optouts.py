"""Opt-outs: who wants nothing more from which of our numbers (S4, SM1).

Belongs to the pair of telephone numbers of one team, whichever way the other side's is spelled
(P6), outlives number and contact, and stops calls too: calls/ cannot ask this room, so app.py hands
it `is_opted_out`.
"""

import json
from collections.abc import Sequence

from sqlalchemy import delete

from offhook.db import Session, fetch, new_id, now, publish, publish_all
from offhook.messages.events import ContactOptedIn, ContactOptedOut
from offhook.messages.models import OptOut
from offhook.phone import canonical

STOPPED = (
    "SELECT 1 FROM opt_outs WHERE team_id = %(team_id)s AND ours = %(ours)s AND remote = %(remote)s"
)

STOP = """
    INSERT INTO opt_outs (id, team_id, ours, remote, source, created_at)
    SELECT id, %(team_id)s, ours, remote, %(source)s, %(at)s
    FROM jsonb_to_recordset(%(pairs)s::jsonb) AS pair (id text, ours text, remote text)
    ORDER BY ours, remote
    ON CONFLICT DO NOTHING
    RETURNING ours, remote
"""
"""In one order, so that two who record many wait for each other and do not deadlock."""


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
    news = await opt_out_all(
        session,
        team_id,
        ours=[ours],
        remotes=[remote],
        source=source,
        conversation_id=conversation_id,
    )
    return bool(news)


async def opt_out_all(
    session: Session,
    team_id: str,
    *,
    ours: Sequence[str],
    remotes: Sequence[str],
    source: str,
    conversation_id: str | None = None,
) -> set[str]:
    """`opt_out` of each of `remotes` from each of `ours`, in as few waits as of one from one; the
    canonical numbers of those for whom something is news.
    """
    written = {canonical(remote): remote for remote in remotes}
    pairs = [
        {"id": new_id("opt"), "ours": our, "remote": remote} for our in ours for remote in written
    ]
    given = {"team_id": team_id, "source": source, "at": await now(session)}
    made = await fetch(session, STOP, {**given, "pairs": json.dumps(pairs)})
    news = [
        ContactOptedOut(
            team_id=team_id,
            conversation_id=conversation_id,
            ours=our,
            remote=written[remote],
            source=source,
        )
        for our, remote in made
    ]
    await publish_all(session, news)
    return {remote for _, remote in made}


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
