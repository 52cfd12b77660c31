"""The embedded PostgreSQL: fast to start, adopted when there, never left behind."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from offhook.supervisor import EmbeddedPostgres
from offhook.supervisor.postgres import PostgresUnavailable

PARENT = """
import sys, time
from pathlib import Path
from offhook.supervisor import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="offhook-pg-"))
    root.chmod(0o711)
    yield root / "pg"
    shutil.rmtree(root)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Ended; a zombie that init has not reaped yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_rows_survive_a_stop_and_a_second_start_adopts_a_running_server(folder: Path) -> None:
    first = EmbeddedPostgres(folder)
    first.start()
    first.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)", "offhook")
    first.stop()
    first.start()
    second = EmbeddedPostgres(folder)
    second.start()
    assert second.process is None
    assert second.sql("SELECT n FROM kept", "offhook") == "7"
    first.stop()


def test_the_applications_role_is_no_superuser(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    url = server.url().replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('is_superuser')").fetchone()
    assert row == ("off",)
    server.stop()


def test_kill_9_of_the_parent_ends_the_server_and_the_next_start_recovers(folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, env=environment
    )
    assert parent.stdout is not None
    server_pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: is_gone(server_pid))
    server = EmbeddedPostgres(folder)
    server.start()
    assert server.sql("SELECT 1", "offhook") == "1"
    server.stop()


def test_a_path_too_long_for_a_socket_is_refused_with_a_remedy() -> None:
    with pytest.raises(PostgresUnavailable) as refusal:
        EmbeddedPostgres(Path("/" + "x" * 120))
    assert "OFFHOOK_HOME" in refusal.value.remedy
