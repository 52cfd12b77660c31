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
CLI = ("-m", "offhook.cli")


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the installation: `python <arguments>`."""

    name: str
    arguments: tuple[str, ...]
    is_ready: Callable[[], bool]
    stop_rank: int
    grace_s: float = 10.0


def programs(settings: Settings) -> list[Program]:
    """The programs that this machine runs under these settings."""
    run = settings.run_path
    chosen = [
        Program("web", (*CLI, "web"), _listens(settings.host, settings.port), 3),
        Program("media", (*CLI, "media"), _listens(settings.host, settings.media_port), 1, 20.0),
        Program("worker", (*CLI, "worker"), lambda: True, 2),
    ]
    if settings.carrier == "simulator":
        port = settings.simulator_port
        arguments = ("-m", "offhook.carriers.simulator")
        chosen.append(Program("simulator", arguments, _listens(settings.host, port), 4))
    if settings.synthesiser == "offline":
        chosen.append(_speech("synthesiser", run / "synthesiser.sock"))
    if settings.recogniser == "offline":
        chosen.append(
            _speech("recogniser", run / "recogniser.sock", "--model", settings.recogniser_model)
        )
    return chosen


def _speech(name: str, path: Path, *options: str) -> Program:
    arguments = ("-m", f"offhook.speech.{name}_process", "--socket", str(path), *options)
    return Program(name, arguments, _answers(path), 5)


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
