"""Whether a chain holds: every entry unaltered, none missing, none inserted."""

from dataclasses import dataclass

from sqlalchemy import select

from offhook.audit import chain as chains
from offhook.audit.models import INSTALLATION, Head
from offhook.audit.reading import Filter, entries
from offhook.db import Session


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; `head` is worth noting outside the database."""

    chain: str
    entries: int
    head: str
    broken: chains.Broken | None


async def verify(session: Session, team_id: str | None) -> Verdict:
    """Check a team's chain (None: the installation's) from its first entry to its last."""
    name = team_id or INSTALLATION
    # The head first: what is added meanwhile comes after it and is not looked at.
    row = (
        await session.execute(select(Head.position, Head.digest).where(Head.chain == name))
    ).one_or_none()
    position, digest = (row[0], row[1]) if row is not None else (0, chains.START)
    walk = chains.Walk()
    async for entry in entries(session, team_id, Filter()):
        if entry.position > position:
            break
        broken = walk.step(entry.link())
        if broken is not None:
            return Verdict(name, position, digest, broken)
    return Verdict(name, position, digest, walk.end(position, digest))
