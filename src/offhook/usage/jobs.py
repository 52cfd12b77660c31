"""What the ledger does by itself: settle what dead processes left, make months, check itself."""

import logging
from datetime import timedelta

from offhook.db import Database, Jobs
from offhook.usage import calendar, minutes
from offhook.usage.audit import audit

log = logging.getLogger(__name__)
SWEEP_EVERY_S = 5
MONTHS_EVERY_S = 300
AUDIT_EVERY_S = timedelta(hours=6).total_seconds()


def register(jobs: Jobs, database: Database) -> None:
    """Every round is harmless beside another worker's."""

    async def sweep() -> None:
        async with database.system() as session:
            await minutes.settle_stale(session)

    async def months() -> None:
        async with database.system() as session:
            await calendar.keep(session)

    async def check() -> None:
        async with database.system() as session:
            for violation in await audit(session):
                log.error("incident: the ledger breaks %s", violation)

    jobs.every(SWEEP_EVERY_S, "usage.settle_stale", sweep)
    jobs.every(MONTHS_EVERY_S, "usage.months", months)
    jobs.every(AUDIT_EVERY_S, "usage.audit", check)
