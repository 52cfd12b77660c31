"""Who acts: a person, a key, the operator's command line, a carrier, or Offhook by itself.

Kept in the context of the request or job, so that every transaction in it is attributed alike.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    USER = "user"
    KEY = "key"
    OPERATOR = "operator"  # the command line of the installation
    CARRIER = "carrier"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class By:
    """Who; `name` is what a person calls them: an address, a key's name."""

    kind: Kind
    id: str = ""
    name: str = ""


SYSTEM = By(Kind.SYSTEM, name="Offhook")
_acting: ContextVar[By] = ContextVar("acting", default=SYSTEM)


def current() -> By:
    return _acting.get()


def act_as(by: By) -> None:
    """From now on `by` acts, until the request or job ends."""
    _acting.set(by)


@contextmanager
def acting(by: By) -> Generator[None]:
    """`by` acts inside the block."""
    token = _acting.set(by)
    try:
        yield
    finally:
        _acting.reset(token)
