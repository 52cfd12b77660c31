"""A dispatcher for the kill tests: dies at a fail point, or is killed while it works.

Arguments: database URL and home. Each line of its input is the fail
point of one child, `name:n` or empty; it answers with the child's pid, and with its exit status
when it is dead. One warm process forks, since starting one costs seconds.
"""

import asyncio
import os
import sys

from offhook import failpoints
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


def main(url: str, home: str) -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.environ[failpoints.ENVIRONMENT] = line.strip()
            asyncio.run(deliver(url, home))
            os._exit(0)
        print(pid, flush=True)  # noqa: T201 - the test reads it
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main(*sys.argv[1:3])
