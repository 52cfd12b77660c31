"""What billing does by itself: close months, charge invoices, step subscriptions."""

from offhook.billing import collecting, invoicing, releasing
from offhook.billing.gateway import Gateway
from offhook.db import Database, Jobs

CLOSE_EVERY_S = 60.0
COLLECT_EVERY_S = 10.0
RELEASE_EVERY_S = 3600.0


def register(jobs: Jobs, database: Database, gateway: Gateway) -> None:
    """Every round is harmless beside another worker's."""

    async def close() -> None:
        await invoicing.close_due(database)

    async def collect_due() -> None:
        await collecting.collect_due(database, gateway)

    async def charge(team_id: str) -> None:
        await collecting.collect(database, gateway, team_id)

    async def release() -> None:
        await releasing.release_due(database)

    jobs.add(invoicing.CHARGE_JOB, charge)
    jobs.every(CLOSE_EVERY_S, "billing.close", close)
    jobs.every(COLLECT_EVERY_S, "billing.collect", collect_due)
    jobs.every(RELEASE_EVERY_S, "billing.release", release)
