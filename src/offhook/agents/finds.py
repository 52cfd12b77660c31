"""A value found in a text, and where it stands. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a text at `start`..`end`, or, where it cannot be used, the sentence why.

    Where it stands is told so that what a day or a time was made of is not taken for another
    number.
    """

    value: Any
    start: int
    end: int
    problem: str = ""


def longest(found: Iterable[Found]) -> list[Found]:
    """Of finds that overlap the longest, in the order of the text."""
    kept: list[Found] = []
    for each in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if all(each.end <= other.start or each.start >= other.end for other in kept):
            kept.append(each)
    return sorted(kept, key=lambda one: one.start)
