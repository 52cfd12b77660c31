"""A worker process for the kill matrix: messages only, a model that repeats the question.

Arguments: database URL, simulator URL, home, `run` or `receive <json of the text>`. It ends with
137 at the fail point that the environment names.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

from offhook import messages, numbers
from offhook.agents import Briefing, Part, Text
from offhook.carriers import Carriers, InboundSms, Place, account
from offhook.db import Database, Jobs, Rhythm
from offhook.mail import open_mailer
from offhook.outgoing import Outgoing
from offhook.phone import E164, sender
from offhook.settings import Settings
from offhook.tasks import Means, Runner
from offhook.vault import open_vault

# A dead worker is noticed after 2 s instead of 8, so that a kill costs the test little.
QUICK = Rhythm(heartbeat_s=0.3, stalled_after_s=2.0, sweep_every_s=0.5)


class Parrot:
    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        yield Text("Re: " + " | ".join(briefing.unanswered))

    async def close(self) -> None:
        """Nothing is open."""


async def work(database: Database, settings: Settings, simulator_url: str) -> None:
    carriers = Carriers(settings, simulator_url=simulator_url)
    numbers.when_stopped(messages.when_number_stopped)
    jobs = Jobs(database, rhythm=QUICK)
    mailer = open_mailer(settings)
    runner = Runner(Means(database, open_vault(settings), Outgoing(settings), mailer))
    messages.register_jobs(jobs, settings, database, carriers, Parrot(), runner)
    try:
        await jobs.run()
    finally:
        await carriers.aclose()


async def take(database: Database, settings: Settings, text: str) -> None:
    told = json.loads(text)
    sms = InboundSms(
        message_id=told["sid"],
        account_id=account(settings).sid,
        sender=sender(told["from"]),
        to=E164(told["to"]),
        body=told["body"],
        segments=1,
        media=(),
        place=Place(),
    )
    await messages.receive(database, sms, account_id=sms.account_id, settle_ms=0)


async def main(arguments: list[str]) -> None:
    url, simulator_url, home, what, *rest = arguments
    settings = Settings(home=home, settle_ms=0)
    database = Database(url)
    try:
        if what == "receive":
            await take(database, settings, rest[0])
        else:
            await work(database, settings, simulator_url)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
