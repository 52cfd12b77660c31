"""The words of live calls on their way to whoever watches: coalesced, kept nowhere.

A partial turn replaces the one before, so of several within a quarter of a second only the last is
told. Nothing is sent, or even kept, while nobody watches, and no card number where the team wants
none kept (SEC20).
"""

import asyncio
from collections.abc import Callable

from offhook.masking import masked, masked_live

TELL_EVERY_S = 0.25


class LiveWords:
    """The watchers of one call. `masks`: card and social security numbers are hidden."""

    def __init__(self, *, masks: bool = False) -> None:
        self._masks = masks
        self._tellers: set[Callable[[dict[str, str]], None]] = set()
        self._latest: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, tell: Callable[[dict[str, str]], None]) -> None:
        self._tellers.add(tell)

    def remove(self, tell: Callable[[dict[str, str]], None]) -> None:
        self._tellers.discard(tell)

    def tell(self, speaker: str, text: str) -> None:
        """What `speaker` ("caller", "agent", "person") is saying; "" once that is a turn."""
        if not self._tellers:
            return
        self._latest[speaker] = text
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_EVERY_S, self._flush)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._tellers.clear()

    def _flush(self) -> None:
        self._timer = None
        latest, self._latest = self._latest, {}
        for speaker, text in latest.items():
            shown = self._shown(speaker, text)
            for tell in tuple(self._tellers):
                tell({"speaker": speaker, "text": shown})

    def _shown(self, speaker: str, text: str) -> str:
        if not self._masks:
            return text
        return masked(text) if speaker == "agent" else masked_live(text)  # it says whole sentences
