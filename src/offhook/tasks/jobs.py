"""What tasks do by themselves: runs of dead processes are taken up."""

from offhook.db import Jobs
from offhook.tasks.running import Runner

SWEEP_EVERY_S = 2.0


def register(jobs: Jobs, runner: Runner) -> None:
    """Each round is harmless beside another worker's: a run is locked when it is taken."""

    async def sweep() -> None:
        await runner.sweep()

    jobs.every(SWEEP_EVERY_S, "tasks.sweep", sweep)
