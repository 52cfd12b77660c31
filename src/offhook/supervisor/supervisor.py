"""The supervisor: starts the programs, restarts what dies, stops everything in order.

A loop over child processes and nothing else. Ctrl-C or SIGTERM stops in order, a second one at
once; kill -9 of the supervisor ends the children too (leash.py).
"""

import fcntl
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from types import FrameType

from offhook.errors import Conflict, Unavailable
from offhook.leash import die_with_parent
from offhook.settings import OWNER_ONLY, Settings, secret_key
from offhook.supervisor.postgres import EmbeddedPostgres, PostgresUnavailable
from offhook.supervisor.programs import CLI, PREPARATION, Program, programs, taken_port
from offhook.supervisor.zygote import FORKS, Forked, Zygote

log = logging.getLogger(__name__)

POLL_S = 0.05
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
STEADY_AFTER_S = 30.0  # a program that ran this long starts again without a pause
Say = Callable[[str], None]


class PreparationFailed(Unavailable):
    code = "preparation_failed"


class AlreadyRunning(Conflict):
    code = "already_running"


class PortTaken(Conflict):
    code = "port_taken"


@dataclass
class Child:
    """One program's present process and how often it has died of late."""

    program: Program
    process: subprocess.Popen[bytes] | Forked | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    announced: bool = False


@dataclass
class Supervisor:
    """Runs one installation until it is told to stop. `say` prints a line for a person."""

    settings: Settings
    say: Say
    children: list[Child] = field(default_factory=list[Child])
    stopping: int = 0
    _postgres: EmbeddedPostgres | None = None
    _postgres_again_at: float = 0.0
    _lock: int = -1
    _zygote: Zygote = field(default_factory=lambda: Zygote([sys.executable, *CLI, "zygote"]))
    _added: dict[str, str] = field(default_factory=dict[str, str])

    def run(self) -> None:
        """Start everything, watch it, and return when everything has stopped."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        self._claim()
        try:
            if FORKS:
                self._zygote.start()
            self.children = [Child(program) for program in programs(self.settings)]
            for child in self.children:
                if not child.program.needs_database:
                    self._start(child, time.monotonic())
            self._prepare()
            self._watch()
        finally:
            self._stop_all()

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        self.stopping += 1
        if self.stopping > 1:
            for child in self.children:
                if child.process is not None:
                    child.process.kill()
            self._zygote.kill()

    def _claim(self) -> None:
        """Home and ports are ours alone, or nothing is started. Raises AlreadyRunning, PortTaken.

        The lock goes with this process, however it ends.
        """
        self.settings.run_path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.settings.run_path / "lock", os.O_CREAT | os.O_RDWR, OWNER_ONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning(
                f"Offhook runs already with the data in {self.settings.home_path}.",
                remedy="Use that one, or set OFFHOOK_HOME to another folder.",
            ) from error
        if taken := taken_port(self.settings):
            name, port = taken
            raise PortTaken(
                f"Port {port} is in use by another program.",
                remedy=f"Stop that program, or set {name} to another port.",
            )
        secret_key(self.settings)  # made once, before the processes look for it
        self._welcome.unlink(missing_ok=True)

    def _prepare(self) -> None:
        """Database up and migrated."""
        if not self.settings.database_url.get_secret_value():
            self._postgres = EmbeddedPostgres(self.settings.home_path / "pg")
            self._postgres.end_orphan()
            self._postgres.start()
            self._added["OFFHOOK_DATABASE_URL"] = self._postgres.url()
            self.say("PostgreSQL is ready")
        if self._run(PREPARATION).wait() != 0:  # Ctrl-C waits for a migration that has begun
            raise PreparationFailed(
                "The database could not be prepared.",
                remedy="The lines above say why; nothing was changed half-way.",
            )

    @property
    def _welcome(self) -> Path:
        """What the web process wants told to the person who started us."""
        return self.settings.run_path / "welcome"

    def _watch(self) -> None:
        welcomed = False
        while not self.stopping:
            self._look_after_database()
            for child in self.children:
                self._look_after(child)
            if not welcomed and all(child.announced for child in self.children):
                self.say(f"Offhook is ready at {self.settings.web_url}")
                self.say(self._welcome.read_text())
                self.say("Ctrl-C stops it")
                welcomed = True
            time.sleep(POLL_S)

    def _look_after_database(self) -> None:
        """Ours, too, is started again when somebody has killed it; the programs connect anew."""
        server = self._postgres
        if server is None or server.process is None or time.monotonic() < self._postgres_again_at:
            return
        if (status := server.process.poll()) is None:
            return
        self.say(f"PostgreSQL stopped (status {status}) and is started again")
        try:
            server.start()
        except PostgresUnavailable as problem:  # what it leaves behind may still be ending
            self.say(problem.sentence)
            self._postgres_again_at = time.monotonic() + LONGEST_PAUSE_S
        else:
            self.say("PostgreSQL is ready")

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_again_at:
                self._start(child, now)
            return
        status = child.process.poll()
        if status is not None:
            steady = now - child.started_at > STEADY_AFTER_S
            child.pause_s = FIRST_PAUSE_S if steady else min(child.pause_s * 2, LONGEST_PAUSE_S)
            child.start_again_at = now + child.pause_s
            child.process = None
            child.announced = False
            self.say(f"{child.program.name} stopped (status {status}) and is started again")
        elif not child.announced and child.program.is_ready():
            child.announced = True
            self.say(f"{child.program.name} is ready")

    def _start(self, child: Child, now: float) -> None:
        child.started_at = now
        child.process = self._run(child.program)

    def _run(self, program: Program) -> subprocess.Popen[bytes] | Forked:
        if program.is_forked:
            return self._zygote.fork(program.name, self._added)
        return subprocess.Popen(
            [sys.executable, *program.arguments],
            env=os.environ | self._added,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches only us; we stop the others in order
            preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGKILL),
        )

    def _stop_all(self) -> None:
        ranked = sorted(self.children, key=lambda child: child.program.stop_rank)
        for _, group in groupby(ranked, key=lambda child: child.program.stop_rank):
            members = [child for child in group if child.process is not None]
            for child in members:
                _stop(child)
            for child in members:
                _wait(child)
        self._zygote.stop()
        if self._postgres is not None:
            self._postgres.stop()
        self.say("Stopped")


def _stop(child: Child) -> None:
    if child.process is not None:
        child.process.send_signal(signal.SIGTERM)


def _wait(child: Child) -> None:
    if child.process is None:
        return
    try:
        child.process.wait(child.program.grace_s)
    except subprocess.TimeoutExpired:
        log.warning("%s did not stop in time and is ended", child.program.name)
        child.process.kill()
        child.process.wait()
    child.process = None
