"""What mail does by itself: sends the outbox, forgets what is old."""

from offhook.db import Database, Jobs
from offhook.mail.mailer import open_mailer
from offhook.mail.service import JOB, Post, forget_old
from offhook.settings import Settings
from offhook.vault import Vault

FORGET_EVERY_S = 6 * 3600.0


def register(jobs: Jobs, settings: Settings, database: Database, vault: Vault) -> None:
    """Every round is harmless beside another worker's."""
    post = Post(settings, database, open_mailer(settings), vault)

    async def send(team_id: str, mail_id: str) -> None:
        await post.deliver(team_id, mail_id)

    async def forget() -> None:
        async with database.system() as session:
            await forget_old(session)

    jobs.add(JOB, send)
    jobs.every(FORGET_EVERY_S, "mail.forget", forget)
