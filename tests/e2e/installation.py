"""One whole installation, started as a user starts it, on free ports and in a folder of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from clusters import RUN_FOLDER, lay
from ports import free_port

T = TypeVar("T")
START_S = 180.0
STOP_S = 60.0
LOOK_S = (0.05, 0.25)
"""How soon it is looked again: at first, and in the end. A look costs others the processor."""
COMMANDS = {
    "simulator": "offhook.carriers.simulator",
    "recogniser": "offhook.speech.recogniser_process",
    "synthesiser": "offhook.speech.synthesiser_process",
    "postgres": "bin/postgres",
    "zygote": "offhook.cli zygote",
}


def until(look: Callable[[], T | None], what: str, seconds: float = 30.0) -> T:
    """What `look` finds, as soon as it finds something true."""
    deadline = time.monotonic() + seconds
    pause_s, longest_s = LOOK_S
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.3, longest_s)


def lives(pid: int) -> bool:
    """Whether it runs; a zombie that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _parent(stat: Path) -> int:
    return int(stat.read_text().rsplit(")", 1)[1].split()[1])


def _command(pid: int) -> str:
    """Its command line; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Installation:
    """`offhook serve` and what it prints."""

    def __init__(self, *, from_nothing: bool = False, **settings: str) -> None:
        self.from_nothing = from_nothing
        self.root = Path(tempfile.mkdtemp(prefix="offhook-"))
        self.root.chmod(0o711)  # as root, the database's own account must pass through
        self.home = self.root / "home"
        self.ports = {name: free_port() for name in ("PORT", "MEDIA_PORT", "SIMULATOR_PORT")}
        own = {f"OFFHOOK_{name}": str(port) for name, port in self.ports.items()}
        own |= {f"OFFHOOK_{name}": value for name, value in settings.items()}
        self.environment = (
            os.environ
            | own
            | {"OFFHOOK_HOME": str(self.home), "PYTHONPATH": os.pathsep.join(sys.path)}
        )
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['PORT']}"

    @property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['SIMULATOR_PORT']}"

    def start(self) -> None:
        """Start and wait until everything is ready."""
        self.lines.clear()
        self._share_what_takes_long()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "offhook.cli", "serve"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.root,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        until(lambda: self.printed("Ctrl-C stops it") or self.ended, "the start", START_S)
        assert not self.ended, "\n".join(self.lines)

    def _share_what_takes_long(self) -> None:
        """Sentences that another installation of this run of tests has spoken; a database."""
        kept = self.home / "cache" / "voice"
        if not (self.from_nothing or self.home.exists()):
            shared = Path(os.environ[RUN_FOLDER]) / "voice"
            shared.mkdir(exist_ok=True)
            kept.parent.mkdir(parents=True)
            kept.symlink_to(shared)
            lay(self.home / "pg")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip())

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def printed(self, text: str, after: int = 0) -> bool:
        """Whether it said so, beyond its first `after` lines."""
        return any(text in line for line in self.lines[after:])

    @property
    def setup_link(self) -> str:
        found = re.search(r"Create your account: (\S+)", "\n".join(self.lines))
        assert found, "no set-up link was printed"
        return found[1]

    def pids(self, name: str = "") -> list[int]:
        """The processes of the installation whose command line has `name` in it."""
        return [pid for pid in self.descendants() if name in _command(pid)]

    def pid(self, name: str) -> int | None:
        """The one process of a program, such as "web", "simulator", "recogniser"."""
        found = self.pids(COMMANDS.get(name, f"offhook {name}"))
        return found[0] if len(found) == 1 else None

    def kill(self, name: str) -> int:
        """Kill -9 the one process of a program; returns its id."""
        pid = self.pid(name)
        assert pid is not None, f"{name} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    def descendants(self) -> list[int]:
        """Every process that the supervisor and its children have started."""
        assert self.process is not None
        parents: dict[int, int] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = _parent(stat)
            except (FileNotFoundError, ProcessLookupError):
                continue
        found = [self.process.pid]
        for pid in found:
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found[1:]

    def run(self, *arguments: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """An `offhook` command of the user, in a terminal of its own."""
        return subprocess.run(
            [sys.executable, "-m", "offhook.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=self.root,
            check=False,
        )

    def stop(self) -> None:
        """One Ctrl-C; everything must be gone afterwards."""
        if self.process is None:
            return
        children = self.descendants()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_S)
        left = [pid for pid in children if lives(pid)]
        assert not left, f"processes were left behind: {left}"

    def end(self) -> None:
        """However it stands: nothing runs and nothing lies about afterwards."""
        try:
            if not self.ended:
                self.stop()
        finally:
            if self.process is not None and not self.ended:
                self.process.kill()
                self.process.wait()
            self.remove()

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def needs(program: str) -> None:
    """Skip where a program is missing on somebody's machine; in CI it must be there."""
    if shutil.which(program) is None:
        assert "CI" not in os.environ, f"{program} is missing"
        pytest.skip(f"{program} is not installed")
