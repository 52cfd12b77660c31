"""Faults on demand: what the simulated carrier does wrong when a test asks it to.

A written pattern, never chance: each asked fault happens once, in the order in which it was asked
for. Asked by `POST /simulator/faults` with a JSON list of the dataclass's fields.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    on "callback": the next callback is sent `copies` times (0: never).
    on "request": the next API request whose method and path end with `path` (`POST Messages.json`)
    is answered with `status` and `code`, undone; or, with `lose_answer`, done and not answered.
    """

    on: Literal["callback", "request"]
    copies: int = 1
    path: str = ""
    status: int = 500
    code: int = 20500
    lose_answer: bool = False


class Faults:
    def __init__(self) -> None:
        self._callbacks: deque[Fault] = deque()
        self._requests: list[Fault] = []

    def ask(self, fault: Fault) -> None:
        if fault.on == "callback":
            self._callbacks.append(fault)
        else:
            self._requests.append(fault)

    def copies(self) -> int:
        """How often the callback at hand is sent."""
        return self._callbacks.popleft().copies if self._callbacks else 1

    def of_request(self, method: str, path: str) -> Fault | None:
        """The fault that was asked for this request; it is used up."""
        line = f"{method} {path}"
        for fault in self._requests:
            wanted_method, _, wanted_path = fault.path.partition(" ")
            if line.startswith(wanted_method) and line.endswith(wanted_path):
                self._requests.remove(fault)
                return fault
        return None
