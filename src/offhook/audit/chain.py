"""The chain: an entry's digest covers its own content and the digest before it (SEC21). Pure.

Whoever alters, removes or inserts an entry must recompute every later one, and the head that an
operator noted elsewhere tells. SHA-256 over canonical JSON: keys sorted, no spaces, UTF-8.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

START = "0" * 64


def canonical(value: Any) -> str:
    """One text for one value, whoever writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(previous: str, content: Mapping[str, Any]) -> str:
    """The digest of an entry with this `content` after the entry with digest `previous`."""
    text = canonical({"previous": previous, **content})
    return sha256(text.encode()).hexdigest()


def written(at: datetime) -> str:
    """A time as it is digested: UTC, to the microsecond, which is what PostgreSQL keeps."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Link:
    """What of an entry makes the chain."""

    position: int
    previous: str
    digest: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where a chain does not hold."""

    position: int
    reason: str


class Walk:
    """A way along a chain from its start, one entry at a time."""

    def __init__(self) -> None:
        self.position = 0
        self.digest = START

    def step(self, link: Link) -> Broken | None:
        """Take the next entry; what is wrong with it, if anything."""
        expected, last = self.position + 1, self.digest
        self.position, self.digest = link.position, link.digest
        if link.position != expected:
            return Broken(expected, f"Entry {expected} is missing.")
        if link.previous != last:
            return Broken(link.position, f"Entry {link.position} does not follow the one before.")
        if digest(link.previous, link.content) != link.digest:
            return Broken(link.position, f"Entry {link.position} was altered.")
        return None

    def end(self, position: int, digest: str) -> Broken | None:
        """The head of the chain must be where the way ends."""
        if self.position != position:
            here = f"The log ends at entry {self.position} instead of {position}."
            return Broken(self.position + 1, here)
        if self.digest != digest:
            return Broken(position, f"Entry {position} is not the one that was written last.")
        return None
