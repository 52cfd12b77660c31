"""The carrier tells a whole recorded day again, and nothing may change (SEC2).

Every callback that the log has is signed and posted as it was; in the order of the day, then
shuffled. What our tables hold before and after is compared row by row.
"""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from urllib.parse import urlencode

import httpx

from offhook.carriers import account
from offhook.carriers.twilio.signature import HEADER, sign
from offhook.schema import metadata
from offhook.settings import Settings
from oneday.books import snapshot
from oneday.history import Row

AT_ONCE = 4
OF_THE_LOG = frozenset({"url", "attempt", "result"})
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
GOES_ON = ("procrastinate", "media_nodes", "api_keys", "kept_answers")
"""Tables that say what processes and programs do, not what happened."""


async def replay(settings: Settings, log: Sequence[Row], dice: Random) -> list[str]:
    """Tell it twice; what was answered other than with 2xx."""
    told = [line["data"] for line in log if line["event"] == "callback"]
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        again = await _tell(client, settings, told)
        return again + await _tell(client, settings, dice.sample(told, len(told)))


async def _tell(client: httpx.AsyncClient, settings: Settings, told: Sequence[Row]) -> list[str]:
    us, room, wrong = account(settings), asyncio.Semaphore(AT_ONCE), list[str]()

    async def post(data: Row) -> None:
        fields = [(name, value) for name, value in data.items() if name not in OF_THE_LOG]
        headers = {**FORM, HEADER: sign(us.token, data["url"], fields)}
        async with room:
            url = data["url"].partition("#")[0]
            answer = await client.post(url, content=urlencode(fields), headers=headers)
        if not answer.is_success:
            wrong.append(f"{answer.status_code} {data['url']}")

    async with asyncio.TaskGroup() as group:
        for data in told:
            group.create_task(post(data))
    return wrong


async def everything(url: str) -> dict[str, set[str]]:
    """Every row of every table as text, but of those that go on by themselves."""
    tables = [table for table in metadata().tables if not table.startswith(GOES_ON)]
    found: dict[str, set[str]] = {table: set() for table in tables}
    for table, row in await snapshot(url, tables, "t::text"):
        found[table].add(row)
    return found


def changes(before: Mapping[str, set[str]], after: Mapping[str, set[str]]) -> list[str]:
    """Each row that is not in both."""
    return [
        f"{table}: {row}" for table, rows in after.items() for row in sorted(rows ^ before[table])
    ]
