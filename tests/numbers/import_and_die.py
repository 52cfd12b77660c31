"""A worker for the kill tests: carries imports out in children of its own that die at fail points.

Arguments: database URL, home, simulator URL. Each line of its input is a JSON list of [team,
import, number, point]; it answers with a line when all of them are done. Each import is killed at
its point, as by kill -9, and resumed; points of the way back kill the number's return instead. One
warm process forks, since starting one costs seconds.
"""

import asyncio
import json
import os
import sys

from number_fixtures import CALLBACKS
from offhook import failpoints, numbers
from offhook.carriers import Carriers
from offhook.carriers.twilio import opening  # loaded once, before the children
from offhook.db import Database
from offhook.numbers.own import bringing, jobs
from offhook.numbers.own.bringing import Importer
from offhook.settings import Settings
from offhook.vault import open_vault

BACK = "import.put_back"
__all__ = ["opening"]


async def work(url: str, home: str, simulator_url: str, tasks: list[list[str]]) -> None:
    settings = Settings.model_validate({"home": home})
    database, vault = Database(url), open_vault(settings)
    carriers = Carriers(
        settings, numbers.account_lookup(database, vault), simulator_url=simulator_url
    )
    importer = Importer(database, carriers, vault, CALLBACKS)
    for team_id, import_id, number_id, point in tasks:
        if point == BACK:
            await jobs.give_back(importer, team_id, number_id)
        else:
            await bringing.carry_out(importer, team_id, import_id)
    await carriers.aclose()
    await database.close()


def in_child(arguments: list[str], tasks: list[list[str]], point: str = "") -> int:
    """Do them in a child that may die; its exit status."""
    pid = os.fork()
    if pid == 0:
        os.environ[failpoints.ENVIRONMENT] = point
        url, home, simulator_url = arguments
        asyncio.run(work(url, home, simulator_url, tasks))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(arguments: list[str]) -> None:
    for line in sys.stdin:
        tasks: list[list[str]] = json.loads(line)
        for task in tasks:
            died = in_child(arguments, [task], task[3])
            assert died == failpoints.EXIT_STATUS, (task, died)
        assert in_child(arguments, tasks) == 0
        print("done", flush=True)  # noqa: T201 - the test waits for it


if __name__ == "__main__":
    main(sys.argv[1:4])
