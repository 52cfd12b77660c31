"""A worker process that reads sources: started, and ended, by test_kills.py."""

import asyncio
import sys

from offhook.db import Database, Jobs, Rhythm
from offhook.knowledge import jobs
from offhook.schema import metadata
from offhook.settings import Settings

FAST = Rhythm(heartbeat_s=0.3, stalled_after_s=3.0, sweep_every_s=0.3)


async def main(url: str, port: int) -> None:
    metadata()  # every room's tables, as the worker process has them
    database = Database(url)
    settings = Settings(
        outgoing_http=True,
        outgoing_ports=[port],
        outgoing_private_networks=["127.0.0.0/8"],
    )
    worker = Jobs(database, rhythm=FAST)
    jobs.register(worker, settings, database)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
