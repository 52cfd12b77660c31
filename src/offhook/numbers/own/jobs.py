"""Background work of numbers that teams brought: importing, giving back, and the sweep that resumes
both.
"""

from datetime import timedelta

from sqlalchemy import select

from offhook.db import Database, Jobs, enqueue, now
from offhook.failpoints import failpoint
from offhook.numbers import service
from offhook.numbers.models import Number, NumberImport
from offhook.numbers.own import bringing, rules
from offhook.numbers.own.bringing import Importer
from offhook.numbers.own.imports import IMPORT_JOB
from offhook.numbers.rules import NumberStatus
from offhook.numbers.service import RESTORE_JOB

SWEEP_S = 15.0
FORGOTTEN = timedelta(seconds=20)
_FINAL = [state for state in rules.ImportState if state.final]


def register(jobs: Jobs, importer: Importer) -> None:
    """Make the jobs of own numbers known to a worker."""

    async def bring(team_id: str, import_id: str) -> None:
        await bringing.carry_out(importer, team_id, import_id)

    async def restore(team_id: str, number_id: str) -> None:
        await give_back(importer, team_id, number_id)

    async def resume() -> None:
        await sweep(importer.database)

    jobs.add(IMPORT_JOB, bring)
    jobs.add(RESTORE_JOB, restore)
    jobs.every(SWEEP_S, "numbers.sweep_own", resume)


async def give_back(importer: Importer, team_id: str, number_id: str) -> None:
    """Let a number report to whom it did before; `releasing` until the carrier has said yes (UN7).

    It stays in the team's own account. Raises the carrier's problems: the job is tried again.
    """
    async with importer.database.team(team_id) as session:
        number = await service.get(session, team_id, number_id)
    if number.status != NumberStatus.RELEASING:
        return
    left = await bringing.restore(importer, number)
    failpoint("import.put_back")
    async with importer.database.team(team_id) as session:
        await service.confirm_release(session, team_id, number_id, left=left)


async def sweep(database: Database) -> None:
    """Resume what nobody works on: imports that are not at an end, numbers to be given back."""
    async with database.system() as session:
        before = await now(session) - FORGOTTEN
        unfinished = await session.execute(
            select(NumberImport.team_id, NumberImport.id).where(
                NumberImport.state.not_in(_FINAL), NumberImport.updated_at < before
            )
        )
        releasing = await session.execute(
            select(Number.team_id, Number.id).where(
                Number.status == NumberStatus.RELEASING, Number.account_id.is_not(None)
            )
        )
        for team_id, import_id in unfinished:
            await enqueue(
                session,
                IMPORT_JOB,
                queueing_lock=f"resume {import_id}",
                team_id=team_id,
                import_id=import_id,
            )
        for team_id, number_id in releasing:
            await enqueue(
                session,
                RESTORE_JOB,
                queueing_lock=f"resume {number_id}",
                team_id=team_id,
                number_id=number_id,
            )
