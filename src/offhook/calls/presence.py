"""Whether there is a caller who takes part: check-ins, holding, and what is no caller (C5). Pure.

    silence        three check-ins, then goodbye; none for two minutes while the caller has us hold
    music, hold    no turn; so is an announcement, a machine's repeated text, a broadcast that
                   never lets the agent finish
    nobody         no turn for three minutes: the call is over
    voice agents   two machines that are polite to each other are cut off

Time is the line's, in milliseconds. Words come from the recogniser, `Character` from the audio.
"""

from collections import deque
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum, auto
from typing import Final

from offhook.calls.telltales import announces, asks_to_wait, serves
from offhook.media import Character, spoken_words

CHECK_INS: Final = 3
HOLD_MS: Final = 120_000
NO_PART_MS: Final = 180_000
BROADCAST_MS: Final = 90_000
_BROADCAST_SHARE: Final = 0.75
_REMEMBERED_TURNS: Final = 8
_MACHINE_SIGNS: Final = 4
"""Of the remembered turns; fewer may be a person who repeats themselves."""
_SAME: Final = 0.88
_LONG_WORDS: Final = 5  # shorter turns ("yes please") are the same without meaning anything
_REPEATS: Final = 2


class Silence(Enum):
    """What to do about a silence."""

    WAIT = auto()
    CHECK_IN = auto()
    GOODBYE = auto()


class Turn(Enum):
    """What words of the other side are."""

    CALLERS = auto()
    HOLD = auto()
    """The caller asks for a moment: no answer is wanted, and none of our check-ins."""
    NOISE = auto()
    """No words were in it."""
    NONE = auto()
    """Music, an announcement, a broadcast: no turn is made of it."""
    MACHINE = auto()
    """Another voice agent, going round in circles with ours."""


@dataclass(frozen=True, slots=True)
class _Voice:
    start_ms: int
    end_ms: int


class Presence:
    """The other side of one call."""

    def __init__(self) -> None:
        self._check_ins = 0
        self._hold_until_ms = 0
        self._holding_since_ms: int | None = None
        self._last_part_ms = 0
        self._turns_at: deque[int] = deque()
        self._texts: deque[str] = deque(maxlen=_REMEMBERED_TURNS)
        self._signs: deque[bool] = deque(maxlen=_REMEMBERED_TURNS)
        self._voices: deque[_Voice] = deque()
        self._agent_finished_ms = 0

    def agent_finished(self, at_ms: int) -> None:
        """A sentence of the agent was heard to its end."""
        self._agent_finished_ms = at_ms

    def took_part(self, at_ms: int) -> None:
        """By a key, or in talk with a person of the team."""
        self._last_part_ms = at_ms
        self._check_ins, self._hold_until_ms, self._holding_since_ms = 0, 0, None

    def heard(self, text: str, sound: Character, start_ms: int, end_ms: int) -> Turn:
        """Judge what was said from `start_ms` to `end_ms`."""
        self._voices.append(_Voice(start_ms, end_ms))
        if sound is Character.MUSIC:
            self._holds(start_ms)
            return Turn.NONE
        if not text:
            return Turn.NOISE
        if self._is_broadcast(end_ms):
            self._holds(start_ms)
            self._never_took_part(end_ms - BROADCAST_MS)
            return Turn.NONE
        return self._said(text, start_ms, end_ms)

    def _said(self, text: str, start_ms: int, end_ms: int) -> Turn:
        """Judge by the words alone."""
        repeats = self._repeats(text)
        self._texts.append(text)
        self._signs.append(repeats > 0 or serves(text))
        if sum(self._signs) >= _MACHINE_SIGNS:
            return Turn.MACHINE
        if announces(text) or repeats >= _REPEATS:
            self._holds(start_ms)
            return Turn.NONE
        self.took_part(end_ms)
        self._turns_at.append(end_ms)
        if asks_to_wait(text):
            self._hold_until_ms = end_ms + HOLD_MS
            return Turn.HOLD
        return Turn.CALLERS

    def silent(self, now_ms: int, sound: Character, *, ever_spoke: bool) -> Silence:
        """Neither side has spoken for a while; `sound` is what the line carried meanwhile."""
        if not ever_spoke:
            return Silence.GOODBYE
        if sound is Character.MUSIC:
            self._holds(now_ms)
        if now_ms < self._hold_until_ms:
            return Silence.WAIT
        self._check_ins += 1
        return Silence.CHECK_IN if self._check_ins <= CHECK_INS else Silence.GOODBYE

    def is_gone(self, now_ms: int) -> bool:
        """Whether nobody has taken part for three minutes."""
        return now_ms - self._last_part_ms > NO_PART_MS

    def _holds(self, at_ms: int) -> None:
        if self._holding_since_ms is None:
            self._holding_since_ms = at_ms
            self._hold_until_ms = at_ms + HOLD_MS

    def _is_broadcast(self, now_ms: int) -> bool:
        """A voice that for long has hardly paused, while no sentence of the agent was let pass."""
        since = now_ms - BROADCAST_MS
        while self._voices and self._voices[0].end_ms <= since:
            self._voices.popleft()
        if since < 0 or self._agent_finished_ms > since:
            return False
        voiced = sum(each.end_ms - max(each.start_ms, since) for each in self._voices)
        return voiced >= _BROADCAST_SHARE * BROADCAST_MS

    def _never_took_part(self, since_ms: int) -> None:
        """What was taken for turns since then was the broadcast's."""
        before = [at for at in self._turns_at if at <= since_ms]
        self._last_part_ms = min(self._last_part_ms, before[-1] if before else max(since_ms, 0))

    def _repeats(self, text: str) -> int:
        words = spoken_words(text)
        if len(words) < _LONG_WORDS:
            return 0
        return sum(_alike(words, spoken_words(each)) for each in self._texts)


def _alike(one: list[str], other: list[str]) -> bool:
    return bool(other) and SequenceMatcher(None, one, other, autojunk=False).ratio() >= _SAME
