"""Digits that a caller keys in and that are kept nowhere: the keypads of this process's live calls.

A task of a conversation asks the conversation's keypad; what comes back goes to the owner's system
and is neither a task's input nor part of its record (SEC20). Knows no call.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be keyed in. `what` is said: "card number"."""

    what: str
    least: int
    most: int
    luhn: bool = False

    def accepts(self, digits: str) -> bool:
        whole = digits.isascii() and digits.isdigit() and self.least <= len(digits) <= self.most
        return whole and (not self.luhn or passes_luhn(digits))


class Keypad(Protocol):
    """The caller's keys, while nobody listens, records or writes along."""

    async def collect(self, wanted: Wanted) -> str | None:
        """Ask for it and take it; None when it did not come, or the caller has gone."""
        ...


class Keypads:
    """Which conversations of this process have one."""

    def __init__(self) -> None:
        self._open: dict[str, Keypad] = {}

    def open(self, conversation_id: str, keypad: Keypad) -> None:
        self._open[conversation_id] = keypad

    def close(self, conversation_id: str) -> None:
        self._open.pop(conversation_id, None)

    def of(self, conversation_id: str) -> Keypad | None:
        return self._open.get(conversation_id)


def passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: the check digit of card numbers."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)  # noqa: PLR2004 - the sum of its two digits
    return total % 10 == 0
