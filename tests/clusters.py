"""A PostgreSQL cluster with every table, made once for all that start one in a run of the tests.

To make one anew takes two seconds of a processor, a copy some tenths.
"""

import os
import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path

from offhook.db.migrate import migrate
from offhook.supervisor import EmbeddedPostgres

RUN_FOLDER = "TESTS_RUN_FOLDER"
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "1min",  # a worker's many databases would be looked through all the time
}


def lay(folder: Path) -> None:
    """Put a copy where an embedded PostgreSQL is about to start for the first time."""
    made = Path(os.environ[RUN_FOLDER]) / "pg"
    with made.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (made / "whole").exists():
            _make(made)
    folder.mkdir(parents=True)
    copy = ["cp", "-a", "--reflink=auto", made / "data", folder / "data"]  # keeps who owns it
    subprocess.run(copy, check=True)


def _make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    server = EmbeddedPostgres(folder, extra=FAST)
    server.start()
    migrate(server.url())
    server.stop()
    (folder / "whole").touch()
