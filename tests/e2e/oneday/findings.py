"""What a check finds: a rule that one of the witnesses contradicts, and about what."""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from oneday.history import History

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, order=True)
class Disagreement:
    """`rule` is the spec's, `about` an id or a pair of numbers."""

    rule: str
    about: str
    says: str

    def __str__(self) -> str:
        return f"{self.rule} {self.about}: {self.says}"


Check = Callable[[History], Iterator[Disagreement]]


def by(key: Callable[[V], K], things: Iterable[V]) -> dict[K, list[V]]:
    """The things under each key, in their order."""
    found: dict[K, list[V]] = defaultdict(list)
    for each in things:
        found[key(each)].append(each)
    return dict(found)


def compared(
    rule: str, about: str, pairs: Iterable[tuple[str, object, object]]
) -> Iterator[Disagreement]:
    """Each named pair of (name, the truth, ours) that differs."""
    for name, truth, ours in pairs:
        if truth != ours:
            yield Disagreement(rule, about, f"{name} is {ours!r}, and should be {truth!r}")


def at(written: str) -> datetime:
    """A time as PostgreSQL writes it into JSON."""
    return datetime.fromisoformat(written)


def us(written: str) -> int:
    return round(at(written).timestamp() * 1_000_000)


def begun_minutes(seconds: float) -> int:
    """UM2: fractions go up to whole seconds, then to minutes; an answered call has one."""
    return max(1, math.ceil(math.ceil(round(seconds, 3)) / 60))
