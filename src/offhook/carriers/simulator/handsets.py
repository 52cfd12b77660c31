"""Telephones of the simulated network: who is connected under which number.

A handset hears of texts, of what its call does, and of the other side's voice. Several may be
connected under one number (two browser tabs); a text reaches all of them. Knows no HTTP.
"""

from collections.abc import Mapping
from typing import Any, Protocol

Event = Mapping[str, Any]


class Handset(Protocol):
    """One connected telephone. Both methods return at once and never raise."""

    def tell(self, event: Event) -> None: ...

    def play(self, audio: bytes) -> None:
        """20 ms of the other side's voice, mu-law."""
        ...


class Handsets:
    def __init__(self) -> None:
        self._connected: dict[str, list[Handset]] = {}

    def connect(self, number: str, handset: Handset) -> None:
        self._connected.setdefault(number, []).append(handset)

    def disconnect(self, number: str, handset: Handset) -> None:
        others = [each for each in self._connected.get(number, []) if each is not handset]
        if others:
            self._connected[number] = others
        else:
            self._connected.pop(number, None)

    def of(self, number: str) -> list[Handset]:
        return list(self._connected.get(number, []))

    def tell(self, number: str, event: Event) -> None:
        for handset in self.of(number):
            handset.tell(event)


class Nobody:
    """The other end of a call whose handset is not there."""

    def tell(self, event: Event) -> None:
        del event

    def play(self, audio: bytes) -> None:
        del audio
