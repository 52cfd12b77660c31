"""Templates with `{{name}}`, each value encoded for the place where it stands. Pure.

    {{party}}                an input; {{run.id}}, {{contact.phone}} … of the conversation
    {{secret:BOOKING_KEY}}   a secret of the team; stands in requests only, never in a sentence
    {{answer.order.status}}  a value of the other system's JSON answer

A value is text and stays text: nothing in it is read as a template, and it never leaves its place
(one path segment, one query value, one line of a header, one JSON value).
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote, quote_plus

PLACE = re.compile(r"\{\{\s*([A-Za-z][\w.:-]{0,80})\s*\}\}")
SECRET = "secret:"  # noqa: S105 - the word, not one
ANSWER = "answer"
HIDDEN = "••••"
MAX_SPOKEN = 300


class TemplateError(ValueError):
    """A template asks for a value that is not there or does not fit its place."""


Lookup = Callable[[str], Any]


def names(template: Any) -> Iterator[str]:
    """Every name that a template, or a JSON value with templates in it, asks for."""
    if isinstance(template, str):
        yield from PLACE.findall(template)
    elif isinstance(template, Mapping):
        for key, value in cast("Mapping[str, Any]", template).items():
            yield from names(key)
            yield from names(value)
    elif isinstance(template, list):
        for value in cast("list[Any]", template):
            yield from names(value)


def text(template: str, lookup: Lookup) -> str:
    """Filled in as it stands: for a sentence, a subject, a query value."""
    return PLACE.sub(lambda found: as_text(lookup(found[1])), template)


def path(template: str, lookup: Lookup) -> str:
    """Each value one segment: no slash, no `..` that would climb to another address."""

    def segment(found: re.Match[str]) -> str:
        value = as_text(lookup(found[1]))
        if value.strip() in {"", ".", ".."}:
            raise TemplateError(f"“{value}” cannot stand in an address")
        return quote(value, safe="")

    return PLACE.sub(segment, template)


def header(template: str, lookup: Lookup) -> str:
    """One line of ASCII, as HTTP has it; what does not fit is percent-encoded (RFC 8187)."""
    filled = text(template, lookup)
    return "".join(
        sign if " " <= sign <= "~" else quote(sign.encode("utf-8", "replace")) for sign in filled
    )


def structure(template: Any, lookup: Lookup) -> Any:
    """A JSON value with its texts filled in; a text that is one place alone keeps the type."""
    if isinstance(template, str):
        whole = PLACE.fullmatch(template.strip())
        return lookup(whole[1]) if whole else text(template, lookup)
    if isinstance(template, Mapping):
        members = cast("Mapping[str, Any]", template)
        return {text(key, lookup): structure(value, lookup) for key, value in members.items()}
    if isinstance(template, list):
        return [structure(value, lookup) for value in cast("list[Any]", template)]
    return template


def as_text(value: Any) -> str:
    """A value in a text: JSON's words for truth and nothing, compact JSON for the rest."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def spoken(value: Any) -> str:
    """A foreign value in a sentence of ours: one line, bounded."""
    line = " ".join(as_text(value).split())
    return line if len(line) <= MAX_SPOKEN else line[: MAX_SPOKEN - 1] + "…"


def reach(data: Any, steps: str) -> Any:
    """`order.items.0.name` in a JSON value; None where there is nothing."""
    found = data
    for step in steps.split(".") if steps else ():
        if isinstance(found, Mapping):
            found = cast("Mapping[str, Any]", found).get(step)
        elif isinstance(found, list) and step.isdecimal() and len(step) < 6:  # noqa: PLR2004 - no list is longer
            rows = cast("list[Any]", found)
            found = rows[int(step)] if int(step) < len(rows) else None
        else:
            return None
    return found


def without(shown: Any, secrets: Mapping[str, str]) -> Any:
    """A text or JSON value with every secret's value blotted out, wherever it has come to.

    What PostgreSQL cannot keep, a zero or half of a pair, is replaced as well; a number that JSON
    does not have (`NaN`, which some servers write) is none.
    """
    if isinstance(shown, float) and not math.isfinite(shown):
        return None
    if isinstance(shown, str):
        shown = shown.replace("\x00", "\N{REPLACEMENT CHARACTER}")
        shown = shown.encode("utf-8", "replace").decode()
        for value in sorted(secrets.values(), key=len, reverse=True):
            for form in (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]):
                shown = shown.replace(form, HIDDEN) if form else shown
        return shown
    if isinstance(shown, Mapping):
        members = cast("Mapping[str, Any]", shown)
        return {without(key, secrets): without(value, secrets) for key, value in members.items()}
    if isinstance(shown, list):
        return [without(value, secrets) for value in cast("list[Any]", shown)]
    return shown
