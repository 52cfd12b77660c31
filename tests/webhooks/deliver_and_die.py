"""A dispatcher for the kill tests: dies at a fail point, or is killed while it works.

Arguments: database URL and home. The environment names the fail point.
"""

import asyncio
import sys

from offhook.db import Database
from offhook.outgoing import Outgoing
from offhook.settings import Settings
from offhook.vault import open_vault
from offhook.webhooks.dispatcher import Dispatcher


async def deliver(url: str, home: str) -> None:
    settings = Settings.model_validate(
        {
            "home": home,
            "outgoing_http": True,
            "outgoing_ports": list(range(1024, 65536)),
            "outgoing_private_networks": ["127.0.0.0/8"],
        }
    )
    async with Outgoing(settings) as outgoing:
        await Dispatcher(Database(url), open_vault(settings), outgoing).run()


if __name__ == "__main__":
    asyncio.run(deliver(*sys.argv[1:3]))
