"""Sends one mail in a process that dies at the fail point its environment names."""

import asyncio
import sys
from importlib import import_module

from offhook import mail
from offhook.db import Database
from offhook.mail.service import Post
from offhook.settings import load
from offhook.vault import open_vault


async def main(team_id: str, mail_id: str) -> None:
    import_module("offhook.teams")  # it declares the letters
    settings = load()
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    post = Post(settings, database, mail.open_mailer(settings), open_vault(settings))
    await post.deliver(team_id, mail_id)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
