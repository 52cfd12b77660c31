"""A worker for the kill tests: a close or a round of charging that dies at the named place.

Arguments: database URL, what to do as JSON. `place` is a fail point; or it is "anywhere", and the
process dies `after_s` into the work, if it has not ended by then.
"""

import asyncio
import json
import os
import random
import sys
import threading
from datetime import datetime

from offhook.billing import Rent, TestGateway, collecting, invoicing, rents_from
from offhook.db import Database, Session
from offhook.failpoints import ENVIRONMENT, EXIT_STATUS
from offhook.prices import Money

LONGEST_S = 0.12


async def rent(session: Session, team_id: str, start: datetime, end: datetime) -> list[Rent]:
    """So that every month has something to pay."""
    return [Rent("num_a", "", Money.of("2.00"))]


async def work(url: str, at: str, what: str, place: str, seed: int) -> None:
    instant = datetime.fromisoformat(at)
    database = Database(url, clock=lambda: instant)
    if place == "anywhere":
        after_s = random.Random(seed).uniform(0, LONGEST_S)
        threading.Timer(after_s, os._exit, [EXIT_STATUS]).start()
    else:
        os.environ[ENVIRONMENT] = f"{place}:1"
    if what == "close":
        await invoicing.close_due(database)
    else:
        await collecting.collect_due(database, TestGateway(url))


if __name__ == "__main__":
    rents_from(rent)
    asyncio.run(work(sys.argv[1], **json.loads(sys.argv[2])))
