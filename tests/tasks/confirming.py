"""A process that confirms what was proposed, for the kill matrix. It ends with 137 at the fail
point that the environment names.

Arguments: database URL, home, port of the receiver, JSON of scope and turns.
"""

import asyncio
import json
import sys

from offhook import tasks
from offhook.db import Database
from offhook.outgoing import Outgoing
from offhook.settings import Settings
from task_fixtures import EFFECT_KIND, means


async def main(url: str, home: str, port: str, told: str) -> None:
    settings = Settings(
        home=home,
        outgoing_http=True,
        outgoing_ports=[int(port)],
        outgoing_private_networks=["127.0.0.0/8"],
    )
    for kind in (*tasks.BUILT_IN, EFFECT_KIND):
        tasks.register(kind)
    given = json.loads(told)
    scope = tasks.Scope(**given["scope"])
    turns = [tasks.Turn(*turn) for turn in given["turns"]]
    database = Database(url)
    async with Outgoing(settings) as outgoing:
        runner = tasks.Runner(means(database, settings, outgoing))
        box = await tasks.open_toolbox(runner, scope, turns)
        await box.confirm()
        await runner.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
