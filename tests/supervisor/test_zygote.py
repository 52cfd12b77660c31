"""The zygote: forks that end, are told to and are killed, each for itself; none outlives it."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.supervisor.zygote import Forked, Zygote

READ = """
import os, signal, sys, time
from pathlib import Path
from offhook.supervisor import next_program
sys.path.append("read once")
program = next_program(int(sys.argv[1]))
home = Path(os.environ["HOME_OF_TEST"])
(home / program).write_text(f"{os.getpid()} {os.getppid()} {os.getsid(0) == os.getpid()}")
if program == "counts":
    sys.exit(len([each for each in sys.path if each == "read once"]))
time.sleep(60)
"""


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    zygote = Zygote([sys.executable, "-c", READ])
    yield zygote
    zygote.stop()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return tmp_path


def began(home: Path, program: str) -> tuple[int, int]:
    """Its process and its parent's."""
    while not (home / program).exists() or not (home / program).read_text():
        os.sched_yield()
    pid, parent, leads = (home / program).read_text().split()
    assert leads == "True", "Ctrl-C in the terminal would reach it"
    (home / program).unlink()
    return int(pid), int(parent)


def run(zygote: Zygote, home: Path, program: str) -> Forked:
    return zygote.fork(program, {"HOME_OF_TEST": str(home)})


def test_a_program_ends_with_its_own_status_and_a_signal_reaches_it_alone(
    zygote: Zygote, home: Path
) -> None:
    first, second = run(zygote, home, "first"), run(zygote, home, "second")
    assert run(zygote, home, "counts").wait(60) == 1
    (pid, parent), (other, same) = began(home, "first"), began(home, "second")
    assert (parent, pid != other) == (same, True)
    assert Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"offhook first")
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == -signal.SIGTERM
    assert second.poll() is None
    second.kill()
    assert (second.wait(60), first.poll()) == (-signal.SIGKILL, -signal.SIGTERM)


def test_whoever_asks_all_processes_to_end_ends_the_programs_and_not_the_zygote(
    zygote: Zygote, home: Path
) -> None:
    asked = run(zygote, home, "asked")
    pid, parent = began(home, "asked")
    for each in (parent, pid):
        os.kill(each, signal.SIGTERM)
    assert asked.wait(60) == -signal.SIGTERM
    run(zygote, home, "next")
    assert began(home, "next")[1] == parent


def test_a_killed_zygote_takes_its_programs_along_and_the_next_program_has_another(
    zygote: Zygote, home: Path
) -> None:
    lost = run(zygote, home, "lost")
    pid, parent = began(home, "lost")
    ends = os.pidfd_open(pid)
    os.kill(parent, signal.SIGKILL)
    assert lost.wait(60) == -signal.SIGKILL
    assert select.select([ends], [], [], 60)[0]
    os.close(ends)
    assert run(zygote, home, "counts").wait(60) == 1
