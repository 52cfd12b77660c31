"""What runs, in which order, and when it counts as ready; a table and no behaviour.

What needs no database is started while that starts, the rest from top to bottom. They are stopped
by their `stop_rank`: the media process drains first, while everything that it needs to end a call
properly is still there.
"""

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from offhook.settings import Settings
from offhook.supervisor.zygote import FORKS

CONNECT_S = 0.2
CLI = ("-m", "offhook.cli")


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the installation: `python <arguments>`, or a fork of the zygote."""

    name: str
    arguments: tuple[str, ...]
    is_ready: Callable[[], bool]
    stop_rank: int
    grace_s: float = 10.0
    needs_database: bool = True
    is_forked: bool = False


def _application(
    name: str, ready: Callable[[], bool], stop_rank: int, grace_s: float = 10.0
) -> Program:
    return Program(name, (*CLI, name), ready, stop_rank, grace_s, is_forked=FORKS)


PREPARATION = _application("prepare", lambda: True, 0)
"""Runs once, before the others."""


def programs(settings: Settings) -> list[Program]:
    """The programs that this machine runs under these settings."""
    run = settings.run_path
    chosen = [
        _application("web", _listens(settings.host, settings.port), 3),
        _application("media", _listens(settings.host, settings.media_port), 1, 20.0),
        _application("worker", lambda: True, 2),
    ]
    if settings.carrier == "simulator":
        port = settings.simulator_port
        arguments = ("-m", "offhook.carriers.simulator")
        ready = _listens(settings.host, port)
        chosen.append(Program("simulator", arguments, ready, 4, needs_database=False))
    if settings.synthesiser == "offline":
        chosen.append(_speech("synthesiser", run / "synthesiser.sock"))
    if settings.recogniser == "offline":
        chosen.append(
            _speech("recogniser", run / "recogniser.sock", "--model", settings.recogniser_model)
        )
    return chosen


def taken_port(settings: Settings) -> tuple[str, int] | None:
    """A setting whose port another program has, and that port."""
    ports = {"OFFHOOK_PORT": settings.port, "OFFHOOK_MEDIA_PORT": settings.media_port}
    if settings.carrier == "simulator":
        ports["OFFHOOK_SIMULATOR_PORT"] = settings.simulator_port
    for name, port in ports.items():
        if not _is_free(settings.host, port):
            return name, port
    return None


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE  # another fault is the server's to tell
    return True


def _speech(name: str, path: Path, *options: str) -> Program:
    arguments = ("-m", f"offhook.speech.{name}_process", "--socket", str(path), *options)
    return Program(name, arguments, _answers(path), 5, needs_database=False)


def _listens(host: str, port: int) -> Callable[[], bool]:
    def check() -> bool:
        try:
            socket.create_connection((host, port), CONNECT_S).close()
        except OSError:
            return False
        return True

    return check


def _answers(path: Path) -> Callable[[], bool]:
    def check() -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(CONNECT_S)
            try:
                connection.connect(str(path))
            except OSError:
                return False
        return True

    return check
