"""The countries' names in English, as people say them (CLDR). Knows no room."""

from functools import cache

from babel import Locale
from phonenumbers import SUPPORTED_REGIONS


@cache
def countries() -> tuple[tuple[str, str], ...]:
    """(ISO 3166 code, name) of every country that has phone numbers, by name."""
    names = Locale("en").territories
    found = [(code, str(names[code])) for code in SUPPORTED_REGIONS if code in names]
    return tuple(sorted(found, key=lambda each: each[1]))


def country_name(code: str) -> str:
    """The name of a country; the code itself where it has none."""
    return dict(countries()).get(code, code)
