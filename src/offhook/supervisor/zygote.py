"""A process that has read the whole application, and of which its programs are forks.

Reading takes seconds of a processor and most of a program's memory: it is done once, before there
is a thread, an event loop or a connection, and a program that died is back at once. Knows nothing
of what it reads or runs. It is asked over one socket, and ends with the other end of that.

    zygote = Zygote([sys.executable, "-m", "offhook.cli", "zygote"])
    web = zygote.fork("web", {"OFFHOOK_DATABASE_URL": url})
    web.send_signal(signal.SIGTERM)
    status = web.wait(10)
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from math import inf
from typing import Any

from setproctitle import setproctitle

from offhook.leash import die_with_parent

FORKS = sys.platform == "linux"  # elsewhere libraries do not survive it: programs start alone
MESSAGE_BYTES = 65_536


class Forked:
    """A program that a zygote runs, asked as `subprocess.Popen` is."""

    def __init__(self, zygote: "Zygote", number: int) -> None:
        self.number = number
        self.returncode: int | None = None
        self._zygote = zygote

    def poll(self) -> int | None:
        """Its exit status, negative for a signal's number; None while it runs."""
        self._zygote.hear(0)
        return self.returncode

    def wait(self, timeout: float = inf) -> int:
        """Its exit status, once it has ended. Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise subprocess.TimeoutExpired(f"program {self.number}", timeout)
            self._zygote.hear(min(left_s, 1.0))
        return status

    def send_signal(self, signum: int) -> None:
        self._zygote.tell(number=self.number, signal=signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Zygote:
    """The supervisor's side. `command` with the socket's number as one more argument has to call
    `next_program`.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._numbers = count(1)
        self._running: dict[int, Forked] = {}

    def start(self) -> None:
        """Have it read, unless it does or has; returns at once."""
        if self._socket is not None:
            return
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C reaches only the supervisor
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGKILL),
            )

    def fork(self, name: str, environment: Mapping[str, str]) -> Forked:
        """Run a program with `environment` beside our own; returns at once."""
        self.start()
        program = Forked(self, next(self._numbers))
        self._running[program.number] = program
        self.tell(number=program.number, fork=name, environment=dict(environment))
        return program

    def tell(self, **request: object) -> None:
        if self._socket is not None:
            with suppress(OSError):  # `hear` is about to learn that it is gone
                self._socket.send(json.dumps(request).encode())

    def hear(self, patience_s: float) -> None:
        """Note which programs have ended; with none to note, wait that long for the next."""
        while self._socket is not None and select.select([self._socket], [], [], patience_s)[0]:
            if message := _received(self._socket):
                ended = json.loads(message)
                self._running.pop(ended["number"]).returncode = ended["status"]
            else:
                self.stop()
            patience_s = 0

    def kill(self) -> None:
        """End it, and by that whatever it runs, at once."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """End it, which has nothing of its own to end, and note that nothing runs any more."""
        if self._socket is None or self._process is None:
            return
        self._process.kill()
        status = self._process.wait()
        self._socket.close()
        self._socket = self._process = None
        while self._running:
            self._running.popitem()[1].returncode = status


def next_program(descriptor: int) -> str:
    """The zygote's side: comes back in a fork of this process for each program that is asked for,
    with its name. In this process itself it does not: that ends with the socket's other end.
    """
    requests = socket.socket(fileno=descriptor)
    zygote = os.getpid()
    running: dict[int, int] = {}  # process id: number

    def reap(*_: object) -> None:
        while running and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            told = {"number": running.pop(pid), "status": os.waitstatus_to_exitcode(status)}
            with suppress(OSError):
                requests.send(json.dumps(told).encode())

    signal.signal(signal.SIGCHLD, reap)
    # Who asks all processes at once to end asks the programs, too. Our end would be theirs.
    whatever = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while message := _received(requests):
        asked = json.loads(message)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # `running` stays as it is
        if "signal" in asked:
            _pass_on(asked, running)
        elif pid := os.fork():
            running[pid] = asked["number"]
        else:
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, whatever)
            _begin(asked, zygote)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        if os.getpid() != zygote:
            return str(asked["fork"])
    sys.exit()


def _pass_on(asked: Mapping[str, int], running: Mapping[int, int]) -> None:
    for pid, number in running.items():
        if number == asked["number"]:
            os.kill(pid, asked["signal"])


def _begin(asked: Mapping[str, Any], zygote: int) -> None:
    """What a process of its own has of its own: a session, an environment, a name for `ps`."""
    die_with_parent(zygote, signal.SIGKILL)
    os.setsid()
    os.environ.update(asked["environment"])
    setproctitle(f"offhook {asked['fork']}")


def _received(connection: socket.socket) -> bytes:
    """A message; empty once the other end is gone."""
    try:
        return connection.recv(MESSAGE_BYTES)
    except ConnectionResetError:
        return b""
