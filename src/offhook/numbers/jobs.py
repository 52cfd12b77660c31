"""Background work of numbers: purchases, giving numbers back, and the sweep that resumes both."""

from datetime import timedelta

from sqlalchemy import select

from offhook.db import Database, Jobs, enqueue, now
from offhook.numbers import service
from offhook.numbers.models import Number, Purchase
from offhook.numbers.purchase import PURCHASE_JOB
from offhook.numbers.purchasing import (
    Shop,
    carry_out,
    release_late_holds,
    release_orphans,
)
from offhook.numbers.rules import NumberStatus
from offhook.numbers.saga import PurchaseState
from offhook.numbers.service import RELEASE_JOB

SWEEP_S = 15.0
ORPHANS_S = 300.0
FORGOTTEN = timedelta(seconds=20)
_FINAL = [state for state in PurchaseState if state.final]


def register(jobs: Jobs, shop: Shop) -> None:
    """Make the jobs of this room known to a worker."""

    async def purchase(team_id: str, purchase_id: str) -> None:
        await carry_out(shop, team_id, purchase_id)

    async def release(team_id: str, number_id: str) -> None:
        await give_back(shop, team_id, number_id)

    async def resume() -> None:
        await sweep(shop.database)

    async def orphans() -> None:
        await release_orphans(shop)
        await release_late_holds(shop)

    jobs.add(PURCHASE_JOB, purchase)
    jobs.add(RELEASE_JOB, release)
    jobs.every(SWEEP_S, "numbers.sweep", resume)
    jobs.every(ORPHANS_S, "numbers.orphans", orphans)


async def give_back(shop: Shop, team_id: str, number_id: str) -> None:
    """Return a number to the carrier; it stays `releasing` until the carrier has said yes (UN7).

    Raises the carrier's problems: the job is tried again.
    """
    async with shop.database.team(team_id) as session:
        number = await service.get(session, team_id, number_id)
    if number.status != NumberStatus.RELEASING:
        return
    await shop.carrier.release(number.carrier_id)
    async with shop.database.team(team_id) as session:
        await service.confirm_release(session, team_id, number_id)


async def sweep(database: Database) -> None:
    """Resume what nobody works on: purchases that are not at an end, numbers to be given back."""
    async with database.system() as session:
        before = await now(session) - FORGOTTEN
        open_purchases = await session.execute(
            select(Purchase.team_id, Purchase.id).where(
                Purchase.state.not_in(_FINAL), Purchase.updated_at < before
            )
        )
        releasing = await session.execute(
            select(Number.team_id, Number.id).where(
                Number.status == NumberStatus.RELEASING, Number.account_id.is_(None)
            )
        )
        for team_id, purchase_id in open_purchases:
            await enqueue(
                session,
                PURCHASE_JOB,
                queueing_lock=f"resume {purchase_id}",
                team_id=team_id,
                purchase_id=purchase_id,
            )
        for team_id, number_id in releasing:
            await enqueue(
                session,
                RELEASE_JOB,
                queueing_lock=f"resume {number_id}",
                team_id=team_id,
                number_id=number_id,
            )
