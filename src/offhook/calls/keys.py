"""Keys that a caller presses, gathered into entries: `1`, `4711` (C6).

An entry ends with the hash key, or when no further key comes for a moment. Pure; time is an
argument. What an entry means is the conversation's; digits that must not be kept go to a `Keypad`.
"""

from typing import Final

PAUSE_S: Final = 1.5
"""No further key for this long: the entry is whole."""
MAX_KEYS: Final = 64
END_KEY: Final = "#"


class Entry:
    """The keys pressed since the last entry was whole."""

    def __init__(self) -> None:
        self._keys = ""
        self._last_at_s = 0.0
        self.began_at_s = 0.0

    def press(self, key: str, now_s: float) -> str:
        """Take a key. The whole entry if that ended it, else ""; an end key alone is one too."""
        if not self._keys:
            self.began_at_s = now_s
        self._last_at_s = now_s
        if key == END_KEY:
            return self._take() or END_KEY
        self._keys += key
        return self._take() if len(self._keys) >= MAX_KEYS else ""

    def paused(self, now_s: float) -> str:
        """The entry, if no key has followed for long enough, else ""."""
        whole = bool(self._keys) and now_s - self._last_at_s >= PAUSE_S
        return self._take() if whole else ""

    def _take(self) -> str:
        keys, self._keys = self._keys, ""
        return keys
