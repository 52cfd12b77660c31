"""People at the other end of the simulated network: how a number without a telephone behaves when
it is called. Asked for by `POST /simulator/people`; of everybody else nobody is at home.

A written pattern, never chance. Knows no call but by what it may do with it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from offhook.carriers.simulator.handsets import Event

BEEP = bytes([0x0D, 0x05, 0x0D, 0xFF, 0x8D, 0x85, 0x8D, 0xFF] * 400)  # 0.4 s of 1 kHz


class Manner(StrEnum):
    ANSWERS = "answers"
    SILENT = "silent"
    """Picks up and says nothing: nobody can tell whether it is a person."""
    MACHINE = "machine"
    FAX = "fax"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    RINGS = "rings"


_HEARD = {Manner.FAX: "fax", Manner.SILENT: "unknown"}


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever has `number`. Answers `after_s` of ringing, presses `keys` when spoken to, and hangs
    up `talks_s` after the answer, where that is not 0. A machine beeps `beep_s` after the answer.
    """

    number: str
    manner: Manner = Manner.ANSWERS
    after_s: float = 0.2
    keys: str = ""
    talks_s: float = 0.0
    beep_s: float = 1.0

    @property
    def picks_up(self) -> bool:
        return self.manner in {Manner.ANSWERS, Manner.SILENT, Manner.MACHINE, Manner.FAX}

    def detected(self, *, message_end: bool) -> tuple[str, float]:
        """What a carrier that listens hears, and how long after the answer."""
        if self.manner is Manner.MACHINE:
            return ("machine_end_beep", self.beep_s) if message_end else ("machine_start", 0.0)
        return _HEARD.get(self.manner, "human"), 0.0


class Call(Protocol):
    """What a person can do with a call that rings."""

    def pick_up(self) -> None: ...
    def hang_up(self) -> None: ...
    def press(self, digits: str) -> None: ...
    def hear(self, audio: bytes) -> None: ...


class People:
    def __init__(self) -> None:
        self._known: dict[str, Person] = {}

    def ask(self, person: Person) -> None:
        self._known[person.number] = person

    def of(self, number: str) -> Person | None:
        return self._known.get(number)


class Hand:
    """A person's telephone; implements `Handset`. `take` the call before it rings."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._call: Call | None = None

    def take(self, call: Call) -> None:
        self._call = call

    def tell(self, event: Event) -> None:
        person, call = self._person, self._call
        if call is None:
            return
        match event["type"]:
            case "incoming" if person.picks_up:
                _later(person.after_s, call.pick_up)
            case "answered":
                if person.talks_s:
                    _later(person.talks_s, call.hang_up)
                if person.manner is Manner.MACHINE:
                    _later(person.beep_s, lambda: call.hear(BEEP))
            case "say" if person.keys:
                call.press(person.keys)
            case _:
                pass

    def play(self, audio: bytes) -> None:
        del audio


def _later(seconds: float, act: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, act)
