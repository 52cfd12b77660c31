"""What runs, in which order, and when it counts as ready; a table and no behaviour.

Programs are started from top to bottom and stopped by their `stop_rank`: the media process drains
first, while everything that it needs to end a call properly is still there.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from offhook.settings import Settings

CONNECT_S = 0.2


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the installation: `offhook <command>`."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool]
    stop_rank: int
    grace_s: float = 10.0


def programs(settings: Settings) -> list[Program]:
    """The programs that this machine runs under these settings."""
    run = settings.run_path
    chosen = [
        Program("web", ("web",), _listens(settings.host, settings.port), 3),
        Program("media", ("media",), _listens(settings.host, settings.media_port), 1, grace_s=20),
        Program("worker", ("worker",), lambda: True, 2),
    ]
    if settings.carrier == "simulator":
        port = settings.simulator_port
        chosen.append(Program("simulator", ("simulator",), _listens(settings.host, port), 4))
    if settings.synthesiser == "offline":
        ready = _answers(run / "synthesiser.sock")
        chosen.append(Program("synthesiser", ("synthesiser",), ready, 5))
    if settings.recogniser == "offline":
        ready = _answers(run / "recogniser.sock")
        chosen.append(Program("recogniser", ("recogniser",), ready, 5))
    return chosen


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
