"""Card numbers and social security numbers, hidden in what is kept of a conversation (SEC20). Pure.

A card number is 13 to 19 digits that pass Luhn's check and begin as cards do; its last four digits
stay, which is what people tell cards apart by. What follows a plus or a country code is a telephone
number. A US social security number needs its two separators, for nine digits alone are
many other things. Which teams want it `teams.as_kept` knows.
"""

import re
from typing import Any, TypeVar, cast

Kept = TypeVar("Kept")
NO_COUNTRY_CODE = r"(?<!\+\d )(?<!\+\d\d )(?<!\+\d\d\d )"
CARD = re.compile(
    NO_COUNTRY_CODE + r"(?<![\d+])[2-6](?:[ \u00a0.,-]{0,2}\d){12,18}(?![ \u00a0.-]?\d)"
)
SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}([ -])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])")
LONGER = re.compile(r"\d(?:[ \u00a0.,-]{0,2}\d){4,}")
DOTS = "••••"
SHOWN = 4
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def masked(text: str) -> str:
    """The text with dots for each card number but its last four digits, and for each SSN."""
    return SSN.sub(f"{DOTS} {DOTS}", CARD.sub(_hide_card, text))


def masked_live(text: str) -> str:
    """The same for what is still being said: a number of more than four digits may yet become one
    of those, so none of it is shown.
    """
    return LONGER.sub(DOTS, masked(text))


def masked_within(value: Kept) -> Kept:
    """The same for every text of a JSON value, the names of members excepted; whole numbers too."""
    if isinstance(value, str):
        return cast("Kept", masked(value))
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return cast("Kept", {name: masked_within(each) for name, each in members.items()})
    if isinstance(value, list):
        return cast("Kept", [masked_within(each) for each in cast("list[Any]", value)])
    if isinstance(value, int) and not isinstance(value, bool) and masked(str(value)) != str(value):
        return cast("Kept", masked(str(value)))
    return value


def _hide_card(found: re.Match[str]) -> str:
    digits = "".join(character for character in found.group() if character.isdecimal())
    return f"{DOTS} {digits[-SHOWN:]}" if passes_luhn(digits) else found.group()


def passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    values = [int(digit) for digit in reversed(digits)]
    return sum(values[0::2] + [_DOUBLED[value] for value in values[1::2]]) % 10 == 0
