"""Who is served next in a speech process. Pure: time is an argument, in seconds.

Recogniser: finals before partials, since a caller waits for them; a partial that has waited too
long describes a past that nobody asks about any more.
Synthesiser: the utterance that will first run out of audio while it is being played.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Work = TypeVar("Work")


@dataclass(slots=True)
class _Asked(Generic[Work]):
    work: Work
    at_s: float


@dataclass(slots=True)
class Batch(Generic[Key, Work]):
    """What to do next, and the partials that grew stale meanwhile."""

    final: bool
    jobs: list[tuple[Key, Work]]
    stale: list[Key] = field(default_factory=list[Key])


class HearingQueue(Generic[Key, Work]):
    """The recogniser's: batches of one kind, oldest first."""

    def __init__(self, *, most_finals: int, most_partials: int, stale_s: float) -> None:
        self._most = {True: most_finals, False: most_partials}
        self._stale_s = stale_s
        self._asked: dict[bool, dict[Key, _Asked[Work]]] = {True: {}, False: {}}

    def add(self, key: Key, work: Work, *, final: bool, now_s: float) -> None:
        self._asked[final][key] = _Asked(work, now_s)

    def drop(self, key: Key) -> None:
        for asked in self._asked.values():
            asked.pop(key, None)

    def drop_if(self, belongs: Callable[[Key], bool]) -> None:
        for asked in self._asked.values():
            for key in [key for key in asked if belongs(key)]:
                del asked[key]

    def __len__(self) -> int:
        return sum(len(asked) for asked in self._asked.values())

    def take(self, now_s: float) -> Batch[Key, Work] | None:
        """The next batch; None when there is nothing to do."""
        partials = self._asked[False]
        stale = [key for key, asked in partials.items() if now_s - asked.at_s > self._stale_s]
        for key in stale:
            del partials[key]
        final = bool(self._asked[True])
        asked = self._asked[final]
        keys = list(asked)[: self._most[final]]
        if not keys and not stale:
            return None
        return Batch(final, [(key, asked.pop(key).work) for key in keys], stale)


@dataclass(slots=True)
class _Utterance(Generic[Work]):
    work: Work
    heard_until_s: float


class SpeakingQueue(Generic[Key, Work]):
    """The synthesiser's: every utterance stays in it until `done` or `drop`."""

    def __init__(self) -> None:
        self._utterances: dict[Key, _Utterance[Work]] = {}

    def add(self, key: Key, work: Work, *, now_s: float) -> None:
        self._utterances[key] = _Utterance(work, now_s)

    def drop(self, key: Key) -> None:
        self._utterances.pop(key, None)

    def drop_if(self, belongs: Callable[[Key], bool]) -> None:
        for key in [key for key in self._utterances if belongs(key)]:
            del self._utterances[key]

    def __contains__(self, key: Key) -> bool:
        return key in self._utterances

    def __len__(self) -> int:
        return len(self._utterances)

    def take(self) -> tuple[Key, Work] | None:
        """The utterance whose listener will first wait for its next piece."""
        if not self._utterances:
            return None
        key = min(self._utterances, key=lambda k: self._utterances[k].heard_until_s)
        return key, self._utterances[key].work

    def produced(self, key: Key, audio_s: float, *, now_s: float) -> None:
        """`key` got a piece of `audio_s`: it plays from now, or behind what it had before."""
        if utterance := self._utterances.get(key):
            utterance.heard_until_s = max(utterance.heard_until_s, now_s) + audio_s
