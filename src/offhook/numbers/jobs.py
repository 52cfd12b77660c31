"""Background work of numbers: purchases, giving numbers back, and the sweep that resumes both."""

from functools import partial

from offhook.db import Database, Jobs
from offhook.numbers import service
from offhook.numbers.models import Purchase
from offhook.numbers.purchase import PURCHASE_JOB
from offhook.numbers.purchasing import (
    Shop,
    carry_out,
    release_late_holds,
    release_orphans,
)
from offhook.numbers.resuming import SWEEP_S, forgotten, releasing, resume
from offhook.numbers.rules import NumberStatus
from offhook.numbers.saga import PurchaseState
from offhook.numbers.service import RELEASE_JOB

ORPHANS_S = 300.0
_FINAL = [state for state in PurchaseState if state.final]


def register(jobs: Jobs, shop: Shop) -> None:
    """Make the jobs of this room known to a worker."""

    async def purchase(team_id: str, purchase_id: str) -> None:
        await carry_out(shop, team_id, purchase_id)

    async def release(team_id: str, number_id: str) -> None:
        await give_back(shop, team_id, number_id)

    async def sweep_all() -> None:
        await sweep(shop.database)

    jobs.add(PURCHASE_JOB, purchase)
    jobs.add(RELEASE_JOB, release)
    jobs.every(SWEEP_S, "numbers.sweep", sweep_all)
    jobs.every(ORPHANS_S, "numbers.orphans", partial(release_orphans, shop))
    jobs.every(ORPHANS_S, "numbers.late_holds", partial(release_late_holds, shop))


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
        unfinished = await forgotten(session, Purchase, _FINAL)
        await resume(session, PURCHASE_JOB, "purchase_id", unfinished)
        await resume(session, RELEASE_JOB, "number_id", await releasing(session, own=False))
