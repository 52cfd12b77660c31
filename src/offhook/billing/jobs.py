"""What billing does by itself: close months."""

from offhook.billing import invoicing
from offhook.db import Database, Jobs

CLOSE_EVERY_S = 60.0


def register(jobs: Jobs, database: Database) -> None:
    """Every round is harmless beside another worker's."""

    async def close() -> None:
        await invoicing.close_due(database)

    jobs.every(CLOSE_EVERY_S, "billing.close", close)
