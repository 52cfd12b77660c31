"""What a team's door does by itself: mails links for forgotten passwords, forgets sign-ins that
have ended and answers kept for repetitions.
"""

from sqlalchemy import delete

from offhook import web
from offhook.db import Database, Jobs, Session, now
from offhook.teams import forgotten, rules
from offhook.teams.models import SignIn
from offhook.vault import Vault

EVERY_S = 6 * 3600.0


def register(jobs: Jobs, database: Database, vault: Vault) -> None:
    """Every round is harmless beside another worker's."""

    async def forget() -> None:
        async with database.system() as session:
            await forget_ended_sign_ins(session)
            await forgotten.forget_expired(session)
            await web.forget_old(session)

    async def send_link(reset_id: str) -> None:
        await forgotten.send_link(database, vault, reset_id)

    jobs.add(forgotten.JOB, send_link)
    jobs.every(EVERY_S, "teams.forget", forget)


async def forget_ended_sign_ins(session: Session) -> int:
    """Delete sign-ins that are no longer alive (SEC5), every team's; their count."""
    present = await now(session)
    gone = await session.scalars(
        delete(SignIn)
        .where(
            (SignIn.last_seen_at <= present - rules.IDLE)
            | (SignIn.created_at <= present - rules.ABSOLUTE)
        )
        .returning(SignIn.token_hash)
    )
    return len(gone.all())
