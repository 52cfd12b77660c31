"""Background work of numbers that teams brought: importing, giving back, and the sweep that resumes
both.
"""

from offhook.db import Database, Jobs
from offhook.failpoints import failpoint
from offhook.numbers import service
from offhook.numbers.models import NumberImport
from offhook.numbers.own import bringing, rules
from offhook.numbers.own.bringing import Importer
from offhook.numbers.own.imports import IMPORT_JOB
from offhook.numbers.resuming import SWEEP_S, forgotten, releasing, resume
from offhook.numbers.rules import NumberStatus
from offhook.numbers.service import RESTORE_JOB

_FINAL = [state for state in rules.ImportState if state.final]


def register(jobs: Jobs, importer: Importer) -> None:
    """Make the jobs of own numbers known to a worker."""

    async def bring(team_id: str, import_id: str) -> None:
        await bringing.carry_out(importer, team_id, import_id)

    async def restore(team_id: str, number_id: str) -> None:
        await give_back(importer, team_id, number_id)

    async def sweep_own() -> None:
        await sweep(importer.database)

    jobs.add(IMPORT_JOB, bring)
    jobs.add(RESTORE_JOB, restore)
    jobs.every(SWEEP_S, "numbers.sweep_own", sweep_own)


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
        unfinished = await forgotten(session, NumberImport, _FINAL)
        await resume(session, IMPORT_JOB, "import_id", unfinished)
        await resume(session, RESTORE_JOB, "number_id", await releasing(session, own=True))
