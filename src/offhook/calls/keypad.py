"""A call's keypad for digits that must not be kept: while it is open nobody listens (SEC20).

Implements `tasks.Keypad`. The conversation feeds silence instead of the caller's audio meanwhile,
so that neither the recording, nor the recogniser, nor who listens in, gets a tone or a word.
"""

import asyncio
from collections.abc import Awaitable, Callable

from offhook.calls.keys import END_KEY
from offhook.calls.phrases import Phrases
from offhook.tasks import Wanted

FIRST_KEY_S = 20.0
NEXT_KEY_S = 6.0
ATTEMPTS = 3
CLEAR_KEY = "*"
Say = Callable[[str], Awaitable[object]]


class SecureKeypad:
    """Of one call. `say` speaks a sentence; `changed` hears that secrecy begins or is over."""

    def __init__(self, words: Phrases, say: Say, changed: Callable[[], object]) -> None:
        self._words = words
        self._say = say
        self._changed = changed
        self._keys: asyncio.Queue[str | None] | None = None

    @property
    def is_open(self) -> bool:
        return self._keys is not None

    def press(self, key: str) -> bool:
        """Take a key; False when no digits are being keyed in."""
        if self._keys is None:
            return False
        self._keys.put_nowait(key)
        return True

    def close(self) -> None:
        """The caller has gone."""
        if self._keys is not None:
            self._keys.put_nowait(None)

    async def collect(self, wanted: Wanted) -> str | None:
        self._keys = keys = asyncio.Queue[str | None]()
        self._changed()
        try:
            await self._say(self._words.key_in.format(what=wanted.what))
            for left in reversed(range(ATTEMPTS)):
                digits = await _entry(keys, wanted.most)
                if digits is None or wanted.accepts(digits):
                    return digits
                if left:
                    await self._say(self._words.key_in_again)
            return None
        finally:
            self._keys = None
            self._changed()


async def _entry(keys: asyncio.Queue[str | None], most: int) -> str | None:
    """One entry, perhaps empty; None: the caller has gone. `*` begins anew."""
    digits, patience_s = "", FIRST_KEY_S
    while len(digits) < most:
        try:
            async with asyncio.timeout(patience_s):
                key = await keys.get()
        except TimeoutError:
            return digits
        if key is None:
            return None
        if key == END_KEY:
            return digits
        digits = "" if key == CLEAR_KEY else digits + key
        patience_s = NEXT_KEY_S
    return digits
