"""A worker for the kill tests: carries imports out, or gives numbers back; it dies where a fail
point says so.

Arguments: database URL, home, simulator URL, a JSON list of [team, import, number, point]. The
point of the way back asks for the number's return instead.
"""

import asyncio
import json
import sys

from number_fixtures import CALLBACKS
from offhook import numbers
from offhook.carriers import Carriers
from offhook.db import Database
from offhook.numbers.own import bringing, jobs
from offhook.numbers.own.bringing import Importer
from offhook.settings import Settings
from offhook.vault import open_vault

BACK = "import.put_back"


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


if __name__ == "__main__":
    _, url, home, simulator_url, tasks = sys.argv
    asyncio.run(work(url, home, simulator_url, json.loads(tasks)))
