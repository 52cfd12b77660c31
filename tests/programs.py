"""Programs in processes of their own, which may be killed as hard as one likes.

    process = await start(PROGRAM, database.url, "run", OFFHOOK_FAILPOINT="messages.sent:1")
    assert await process.wait() == EXIT_STATUS

To start one anew costs seconds of imports; these are forked from a server that has read Offhook
already (warm.py), one for all tests of a pytest process. Knows no room.
"""

import asyncio
import multiprocessing
import os
import runpy
import sys
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from offhook.failpoints import ENVIRONMENT

WAIT_S = 120


class Program:
    """A running one."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid
        self.terminate = process.terminate
        self.kill = process.kill

    async def wait(self) -> int:
        """Its exit status, negative for a signal's number, once it has ended."""
        await asyncio.to_thread(self._process.join, WAIT_S)
        status = self._process.exitcode
        assert status is not None, f"process {self.pid} runs on"
        return status


@cache
def processes() -> ForkServerContext:
    """The server; it ends with us."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["warm"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context


async def start(program: Path, *arguments: str, **environment: str) -> Program:
    """Run a file as `python program arguments` would, without standard input. Its environment is
    ours and what is given, but for a fail point of ours.
    """
    whole = {name: value for name, value in os.environ.items() if name != ENVIRONMENT}
    process = processes().Process(
        target=_run, args=(str(program), list(arguments), whole | environment)
    )
    await asyncio.to_thread(process.start)
    return Program(process)


def _run(program: str, arguments: list[str], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [program, *arguments]
    sys.path.insert(0, str(Path(program).parent))
    runpy.run_path(program, run_name="__main__")
