"""What the ledger does by itself: settle what dead processes left, make months, check itself."""

import logging
from datetime import timedelta

from offhook.db import Database, Jobs
from offhook.usage import calendar, minutes
from offhook.usage.audit import audit
from offhook.usage.rules import LEASE_S

log = logging.getLogger(__name__)
SWEEP_EVERY_S = 5
# The room of the call settles it after the lease, knowing whether its agent was ever heard (UM5);
# what it left is settled here.
LEFT_AFTER_S = LEASE_S + 60
MONTHS_EVERY_S = 300
AUDIT_EVERY_S = timedelta(hours=6).total_seconds()


def register(jobs: Jobs, database: Database) -> None:
    """Every round is harmless beside another worker's."""

    async def sweep() -> None:
        async with database.system() as session:
            await minutes.settle_stale(session, lease_s=LEFT_AFTER_S)

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
