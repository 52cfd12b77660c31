"""One call's keys on their way to a turn: they interrupt, and an entry comes when it is whole (C6).

Knows the line and a clock; what an entry is to the agent is the conversation's.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from offhook.calls.keys import PAUSE_S, Entry
from offhook.media import Line


class Pressing:
    """`on_entry(keys, began_ms, now_ms)` gets each entry, in the line's time."""

    def __init__(
        self,
        line: Line,
        seconds: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        on_entry: Callable[[str, int, int], None],
    ) -> None:
        self._line = line
        self._seconds = seconds
        self._spawn = spawn
        self._on_entry = on_entry
        self._entry = Entry()
        self._whole = ""

    def press(self, key: str) -> None:
        """Silence the agent: what was heard until now stands before the keys."""
        self._whole = self._entry.press(key, self._seconds()) or self._whole
        self._line.clear()
        self._spawn(self._wait())

    def cleared(self) -> None:
        """The agent is silent, and what was heard of it is known."""
        keys, self._whole = self._whole, ""
        self._tell(keys)

    async def _wait(self) -> None:
        await asyncio.sleep(PAUSE_S)
        self._tell(self._entry.paused(self._seconds()))

    def _tell(self, keys: str) -> None:
        if keys:
            now_ms = self._line.now_ms
            took_ms = int((self._seconds() - self._entry.began_at_s) * 1000)
            self._on_entry(keys, max(0, now_ms - took_ms), now_ms)
