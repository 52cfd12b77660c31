"""What may be known of a contact, and which source may replace which (P2, P3). Pure.

A value is kept as text in one form for its type, so that two that mean the same are the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from offhook import phone
from offhook.errors import Invalid

MAX_NAME_CHARACTERS = 80
MAX_VALUE_CHARACTERS = 500
MAX_NOTE_CHARACTERS = 2_000
MAX_OWN_ATTRIBUTES = 50
MIN_CHOICES, MAX_CHOICES = 2, 50
MAX_CHOICE_CHARACTERS = 80
MAX_LABEL_CHARACTERS = 60
MAX_DESCRIPTION_CHARACTERS = 300
MAX_NUMBER_DIGITS = 30
NAME = "name"
"""The key of the name as a whole; first and last name are attributes beside it."""
FIRST_NAME, LAST_NAME, EMAIL, COMPANY = "first_name", "last_name", "email", "company"
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
YES = frozenset({"yes", "true", "1", "y", "on"})
NO = frozenset({"no", "false", "0", "n", "off"})


class Source(StrEnum):
    """Where a value comes from."""

    HAND = "hand"
    IMPORT = "import"
    AGENT = "agent"
    CALLER_ID = "caller_id"


MAY_REPLACE: Mapping[Source, frozenset[Source]] = {
    Source.HAND: frozenset(Source),
    Source.AGENT: frozenset({Source.AGENT, Source.IMPORT, Source.CALLER_ID}),
    Source.IMPORT: frozenset({Source.IMPORT, Source.CALLER_ID}),
    Source.CALLER_ID: frozenset({Source.CALLER_ID}),
}
"""Whose values each source may replace: a machine never one set by hand (P2); a file, which may
be imported again, never what the person said since; a look-up nothing but an earlier look-up."""


class Outcome(StrEnum):
    """What became of a value. KEPT: what is there comes from a source that it may not replace."""

    SET = "set"
    SAME = "same"
    KEPT = "kept"


class Type(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a team may know of its contacts. `description` tells an agent what belongs in it."""

    key: str
    label: str
    type: Type = Type.TEXT
    choices: tuple[str, ...] = ()
    description: str = ""
    agent_fills: bool = False
    standard: bool = False


STANDARD: tuple[Attribute, ...] = (
    Attribute(FIRST_NAME, "First name", agent_fills=True, standard=True),
    Attribute(LAST_NAME, "Last name", agent_fills=True, standard=True),
    Attribute(EMAIL, "Email", Type.EMAIL, agent_fills=True, standard=True),
    Attribute(COMPANY, "Company", agent_fills=True, standard=True),
    Attribute("job_title", "Job title", agent_fills=True, standard=True),
    Attribute("location", "Location", agent_fills=True, standard=True),
)
"""P3. Whether agents fill them is the team's to change."""


class ValueInvalid(Invalid):
    code = "contact_value_invalid"


def may_replace(new: Source, old: Source) -> bool:
    return old in MAY_REPLACE[new]


def outcome(present: tuple[str, Source] | None, text: str, source: Source) -> Outcome:
    """What becomes of `text` from `source` where `present` is known, a text from its source."""
    if present is None:
        return Outcome.SET if text else Outcome.SAME
    known, known_from = present
    if not may_replace(source, known_from):
        return Outcome.KEPT
    # The same value by hand confirms what a machine found: from now on it is a person's.
    if known == text and (source is known_from or source is not Source.HAND):
        return Outcome.SAME
    return Outcome.SET


def tidy(text: str) -> str:
    """One line, without what PostgreSQL cannot keep (SM8)."""
    return " ".join(text.replace("\x00", "").encode("utf-8", "replace").decode().split())


def read_value(attribute: Attribute, text: str, country: str = "US") -> str:
    """`text` in the one form of its type; "" stays "". Raises ValueInvalid with the reason."""
    given = tidy(text)
    if not given:
        return ""
    if len(given) > MAX_VALUE_CHARACTERS:
        raise ValueInvalid(
            f"{attribute.label} has {len(given)} characters.",
            remedy=f"Use at most {MAX_VALUE_CHARACTERS}.",
        )
    if attribute.type is Type.PHONE:
        return phone.parse(given, country)
    return READERS[attribute.type](attribute, given)


def display_name(values: Mapping[str, tuple[str, Source]]) -> str:
    """What a contact is called: a name set by hand, else first and last name, else any name."""
    name, source = values.get(NAME, ("", Source.CALLER_ID))
    if name and source is Source.HAND:
        return name
    both = " ".join(values.get(key, ("",))[0] for key in (FIRST_NAME, LAST_NAME)).strip()
    return (both or name)[:MAX_NAME_CHARACTERS]


def key_of(label: str) -> str:
    """A key made from a label: "Customer number" is `customer_number`; "" if nothing is left."""
    words = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_")[:40].strip("_")
    return words if KEY.fullmatch(words) else ""


def _number(attribute: Attribute, given: str) -> str:
    try:
        number = Decimal(given)
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > MAX_NUMBER_DIGITS:
        raise ValueInvalid(
            f"{attribute.label}: “{given[:40]}” is not a number.",
            remedy="Write digits with a point, such as 12.5.",
        )
    return format(number, "f")


def _date(attribute: Attribute, given: str) -> str:
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        raise ValueInvalid(
            f"{attribute.label}: “{given[:40]}” is not a date.",
            remedy="Write it as 2026-05-14.",
        ) from None


def _boolean(attribute: Attribute, given: str) -> str:
    word = given.casefold()
    if word in YES:
        return "yes"
    if word in NO:
        return "no"
    raise ValueInvalid(
        f"{attribute.label}: “{given[:40]}” is neither yes nor no.", remedy="Write yes or no."
    )


def _choice(attribute: Attribute, given: str) -> str:
    for choice in attribute.choices:
        if choice.casefold() == given.casefold():
            return choice
    raise ValueInvalid(
        f"{attribute.label}: “{given[:40]}” is none of the choices.",
        remedy=f"Choose one of: {', '.join(attribute.choices)}.",
    )


def _email(attribute: Attribute, given: str) -> str:
    local, at, domain = given.rpartition("@")
    if not (at and local and re.fullmatch(r"[^\s@.]+(\.[^\s@.]+)+", domain)) or " " in given:
        raise ValueInvalid(
            f"{attribute.label}: “{given[:40]}” is not an email address.",
            remedy="Write it as name@example.com.",
        )
    return f"{local}@{domain.lower()}"


def _text(_attribute: Attribute, given: str) -> str:
    return given


READERS: Mapping[Type, Callable[[Attribute, str], str]] = {
    Type.TEXT: _text,
    Type.NUMBER: _number,
    Type.DATE: _date,
    Type.BOOLEAN: _boolean,
    Type.CHOICE: _choice,
    Type.EMAIL: _email,
}
