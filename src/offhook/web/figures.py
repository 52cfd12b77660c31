"""Numbers as people type them into forms, read once for all rooms. Whether a number is within its
bounds is the room's to say.
"""

import re

from offhook.errors import Invalid

WHOLE = re.compile(r"[0-9]{1,9}")
"""Longer ones are above every bound, and fit no column."""
SHOWN = 20


class NumberInvalid(Invalid):
    code = "number_invalid"


def digits(text: str) -> int | None:
    """The whole number that was typed; None for anything else."""
    written = text.strip()
    return int(written) if WHOLE.fullmatch(written) else None


def or_text(text: str) -> int | str:
    """The same; anything else as it was typed, for a refusal that shows it."""
    figure = digits(text)
    return text.strip() if figure is None else figure


def or_zero(text: str) -> int:
    """The same; 0 for anything else, where 0 is out of every range."""
    return digits(text) or 0


def whole(field: str, text: str) -> int:
    """The same; raises NumberInvalid at its field."""
    value = digits(text)
    if value is None:
        sentence = f"“{text.strip()[:SHOWN]}” is no whole number."
        errors = [{"field": field, "sentence": sentence}]
        raise NumberInvalid(sentence, remedy="Write it in digits only.", errors=errors)
    return value


def whole_or_none(field: str, text: str) -> int | None:
    """The same; nothing typed is None."""
    return whole(field, text) if text.strip() else None
