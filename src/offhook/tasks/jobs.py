"""What tasks do by themselves: runs of dead processes are taken up, old proposals dropped."""

from offhook.db import Jobs
from offhook.tasks.running import Runner

SWEEP_EVERY_S = 2.0
FORGET_EVERY_S = 600.0


def register(jobs: Jobs, runner: Runner) -> None:
    """Each round is harmless beside another worker's: a run is locked when it is taken."""

    async def sweep() -> None:
        await runner.sweep()

    async def forget() -> None:
        await runner.forget()

    jobs.every(SWEEP_EVERY_S, "tasks.sweep", sweep)
    jobs.every(FORGET_EVERY_S, "tasks.forget", forget)
