"""Amounts, dates, times, ranges, units and phone numbers as people say them (K3). Pure.

Words for English and German; in other languages only phone numbers are touched, since a voice
reads plain digits right by itself.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import phonenumbers

_NUMBER = r"\d+(?:[.,’' ]\d{3})*(?:[.,]\d{1,2})?(?!\d)"
_DASH = r"\s?[-–—]\s?"
_SCALE = r"(?:\s?(?:million|billion|thousand|Millionen|Milliarden|Tausend|Mio\.?|Mrd\.?))?"


@dataclass(frozen=True, slots=True)
class _Words:
    to: str
    and_: str
    currencies: MappingProxyType[str, tuple[str, str, str]]
    months: tuple[str, ...]
    weekdays: MappingProxyType[str, str]
    units: MappingProxyType[str, str]
    signs: MappingProxyType[str, str]


_EN = _Words(
    to="to",
    and_="and",
    currencies=MappingProxyType(
        {
            "$": ("dollar", "dollars", "cents"),
            "€": ("euro", "euro", ""),
            "£": ("pound", "pounds", "pence"),
            "¥": ("yen", "yen", ""),
            "CHF": ("franc", "francs", "rappen"),
        }
    ),
    months=tuple(
        re.findall(
            r"\w+",
            "January February March April May June July August September October November December",
        )
    ),
    weekdays=MappingProxyType(
        {
            "Mon": "Monday",
            "Tue": "Tuesday",
            "Tues": "Tuesday",
            "Wed": "Wednesday",
            "Thu": "Thursday",
            "Thur": "Thursday",
            "Thurs": "Thursday",
            "Fri": "Friday",
            "Sat": "Saturday",
            "Sun": "Sunday",
        }
    ),
    units=MappingProxyType(
        {
            "km/h": "kilometres an hour",
            "mph": "miles an hour",
            "kWh": "kilowatt hours",
            "km": "kilometres",
            "cm": "centimetres",
            "mm": "millimetres",
            "kg": "kilograms",
            "mg": "milligrams",
            "ml": "millilitres",
            "m²": "square metres",
            "sqm": "square metres",
            "ft": "feet",
            "lbs": "pounds",
            "lb": "pounds",
            "oz": "ounces",
            "°C": "degrees Celsius",
            "°F": "degrees Fahrenheit",
            "°": "degrees",
            "%": "percent",
            "g": "grams",
            "m": "metres",
            "l": "litres",
            "h": "hours",
            "hrs": "hours",
            "min": "minutes",
            "mins": "minutes",
            "GB": "gigabytes",
            "MB": "megabytes",
            "Uhr": "o'clock",
        }
    ),
    signs=MappingProxyType({"&": "and", "@": "at", "+": "plus", "=": "equals", "№": "number"}),
)

_DE = _Words(
    to="bis",
    and_="und",
    currencies=MappingProxyType(
        {
            "$": ("Dollar", "Dollar", "Cent"),
            "€": ("Euro", "Euro", ""),
            "£": ("Pfund", "Pfund", "Pence"),
            "¥": ("Yen", "Yen", ""),
            "CHF": ("Franken", "Franken", "Rappen"),
        }
    ),
    months=tuple(
        re.findall(
            r"\w+",
            "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        )
    ),
    weekdays=MappingProxyType(
        {
            "Mo": "Montag",
            "Di": "Dienstag",
            "Mi": "Mittwoch",
            "Do": "Donnerstag",
            "Fr": "Freitag",
            "Sa": "Samstag",
            "So": "Sonntag",
        }
    ),
    units=MappingProxyType(
        {
            "km/h": "Kilometer pro Stunde",
            "kWh": "Kilowattstunden",
            "km": "Kilometer",
            "cm": "Zentimeter",
            "mm": "Millimeter",
            "kg": "Kilogramm",
            "ml": "Milliliter",
            "m²": "Quadratmeter",
            "°C": "Grad Celsius",
            "°": "Grad",
            "%": "Prozent",
            "g": "Gramm",
            "m": "Meter",
            "l": "Liter",
            "h": "Stunden",
            "min": "Minuten",
        }
    ),
    signs=MappingProxyType({"&": "und", "@": "ät", "+": "plus", "=": "gleich", "№": "Nummer"}),
)

_CODES = MappingProxyType(
    {
        "US$": "$",
        "USD": "$",
        "EUR": "€",
        "Euro": "€",
        "euros": "€",
        "euro": "€",
        "GBP": "£",
        "JPY": "¥",
    }
)


def _value_pattern(name: str) -> str:
    upper = rf"(?:{_DASH}[$€£]?(?P<{name}_to>{_NUMBER}))?"
    return rf"(?P<{name}>{_NUMBER}){upper}(?P<{name}_scale>{_SCALE})"


_SIGN = "|".join(re.escape(sign) for sign in (*_CODES, *_EN.currencies))
_AMOUNT = re.compile(
    rf"(?<!\w)(?:(?P<s1>{_SIGN})\s?{_value_pattern('v1')}"
    rf"|{_value_pattern('v2')}\s?(?P<s2>{_SIGN})(?!\w))"
)

_WORDS = MappingProxyType({"en": _EN, "de": _DE})
_REGIONS = MappingProxyType({"en": "US", "de": "DE", "fr": "FR", "es": "ES", "it": "IT"})


def say_numbers(text: str, language: str) -> str:
    """`text` with its numbers as they are said in `language`, a code such as en or de-AT."""
    code, _, country = language.partition("-")
    code, country = code.lower(), country.upper() or _REGIONS.get(code.lower(), "US")
    words = _WORDS.get(code)
    if words is None:
        return _long_digits(_phones(text, country))
    steps: tuple[Callable[[str, _Words], str], ...] = (
        lambda t, w: _dates(t, w, month_first=country == "US"),  # a date looks like a number
        lambda t, _: _long_digits(_phones(t, country)),
        _amounts,
        _times,
        _weekdays,
        _ranges,
        _units,
        _fractions,
        _plain_numbers,
    )
    for step in steps:
        text = step(text, words)
    return text


def _spaced(digits: str) -> str:
    return " ".join(digits)


def _phones(text: str, region: str) -> str:
    """Digit by digit, group by group. International ones by their plus, others if valid."""

    def said(raw: str) -> str:
        groups = [_spaced(group) for group in re.findall(r"\d+", raw)]
        return ("plus " if raw.lstrip().startswith("+") else "") + ", ".join(groups)

    text = re.sub(r"\+\d[\d ().\-/–]{5,20}\d", lambda match: said(match[0]), text)
    found = list(phonenumbers.PhoneNumberMatcher(text, region))
    for match in reversed(found):
        text = text[: match.start] + said(match.raw_string) + text[match.end :]
    return text


def _long_digits(text: str) -> str:
    """Order numbers, codes: seven digits and more, and 4-2-1-9, are not one number."""
    text = re.sub(r"(?<![\w-])\d(?:-\d){2,}(?![\w-])", lambda m: m[0].replace("-", " "), text)
    return re.sub(r"(?<![\d.,])\d{7,}(?![\d]|[.,]\d)", lambda m: _spaced(m[0]), text)


def _value(raw: str) -> tuple[str, str]:
    """Whole and hundredths, whichever of point and comma is which.

    >>> _value("1,234.50"), _value("10.000,00"), _value("2,80"), _value("5")
    (('1234', '50'), ('10000', '00'), ('2', '80'), ('5', ''))
    """
    match = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", raw)
    whole, cents = (match[1], match[2] or "") if match else (raw, "")
    return re.sub(r"\D", "", whole), cents.ljust(2, "0") if cents else ""


def _amounts(text: str, words: _Words) -> str:

    def said(match: re.Match[str]) -> str:
        key = "1" if match["v1"] else "2"
        symbol = _CODES.get(match[f"s{key}"], match[f"s{key}"])
        upper, scale = match[f"v{key}_to"], match[f"v{key}_scale"]
        low = match[f"v{key}"]
        if scale:
            return f"{low}{scale} {words.currencies[symbol][1]}"
        if upper:
            whole, cents = _value(low)
            lower = whole if cents in {"", "00"} else f"{whole}.{cents}"
            return f"{lower} {words.to} {_amount(upper, symbol, words)}"
        return _amount(low, symbol, words)

    return _AMOUNT.sub(said, text)


def _amount(raw: str, symbol: str, words: _Words) -> str:
    one, many, hundredths = words.currencies[symbol]
    whole, cents = _value(raw)
    name = one if whole == "1" else many
    if cents in {"", "00"}:
        return f"{whole} {name}"
    small = str(int(cents))
    if whole in {"", "0"}:
        return f"{small} {hundredths or 'cents' if words is _EN else 'Cent'}"
    if not hundredths:
        return f"{whole} {name} {small}"
    return f"{whole} {name} {words.and_} {small} {hundredths}"


_TO_A_DATE = re.compile(
    r"(?:\b(?:am|vom|bis|zum|ab|den|dem|seit|on|by|until|till|since)"
    r"|\b\w+(?:tag|woch|day),?|[-–])\s?$",
    re.IGNORECASE,
)
"""Before a day and a month without a year: "costs 4.10." ends with a price."""
_FROM_A_DATE = re.compile(r"\s?(?:-|–|bis|to|until|till|und|and)\s", re.IGNORECASE)


def _dates(text: str, words: _Words, *, month_first: bool) -> str:
    def said(day: str, month: str, year: str | None, whole: str) -> str:
        d, m = int(day), int(month)
        if not (1 <= d <= 31 and 1 <= m <= 12):  # noqa: PLR2004 - a calendar
            return whole
        name = words.months[m - 1]
        tail = f"{year}" if year else ""
        if words is _DE:
            return f"{d}. {name} {tail}".strip()
        return f"{name} {d}, {tail}" if tail else f"{name} {d}"

    text = re.sub(r"\b(\d{4})-(\d{2})-(\d{2})\b", lambda m: said(m[3], m[2], m[1], m[0]), text)

    def dotted(match: re.Match[str]) -> str:
        before, after = text[: match.start()], text[match.end() :]
        alone = not (before.strip() or not after.strip())
        dated = match[3] or alone or _TO_A_DATE.search(before) or _FROM_A_DATE.match(after)
        return said(match[1], match[2], match[3], match[0]) if dated else match[0]

    text = re.sub(
        r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.(?:\s?(\d{4})\b|(?=\s|$|[-–]))", dotted, text
    )

    def slashed(match: re.Match[str]) -> str:
        first, second = match[1], match[2]
        month, day = (first, second) if month_first else (second, first)
        return said(day, month, match[3], match[0])

    return re.sub(
        r"(?<![\d/])(?:(?=\d{2}/\d{2}(?![\d/]))|(?=\d{1,2}/\d{1,2}/\d{4})"
        r"|(?<=\bon )|(?<=\bby )|(?<=until ))(\d{1,2})/(\d{1,2})(?:/(\d{4}))?(?![\d/])",
        slashed,
        text,
    )


_CLOCK = re.compile(
    r"(?<![\d:])([01]?\d|2[0-4])[:.]([0-5]\d)(?![\d:])(\s?Uhr)?"
    r"(?:\s?([ap])(?:\.m\.(?!\s*$)|\.?m\b))?",
    re.IGNORECASE,
)


def _times(text: str, words: _Words) -> str:
    def said(match: re.Match[str]) -> str:
        hour, minute = int(match[1]), match[2]
        dotted = match[0][len(match[1])] == "."
        if dotted and not (match[3] or match[4]):
            return match[0]  # 3.50 is a number
        if words is _DE:
            return f"{hour} Uhr" if minute == "00" else f"{hour} Uhr {int(minute)}"
        half = (match[4] or ("p" if 12 <= hour < 24 else "a")).upper() + "M"  # noqa: PLR2004 - hours of a day
        shown = (hour - 1) % 12 + 1
        if minute == "00":
            return f"{shown} {half}"
        return f"{shown} {'oh ' if minute[0] == '0' else ''}{int(minute)} {half}"

    text = _CLOCK.sub(said, text)
    return re.sub(r"(?<=\d)\s?([ap])(?:\.m\.(?!\s*$)|\.?m\b)", _half, text, flags=re.IGNORECASE)


def _half(match: re.Match[str]) -> str:
    return f" {match[1].upper()}M"


def _weekdays(text: str, words: _Words) -> str:
    """Short names only where they are certain to be days: before a time, a dash or another one."""
    short = "|".join(sorted(words.weekdays, key=len, reverse=True))
    day = rf"\b({short})\b\.?"
    text = re.sub(
        rf"{day}{_DASH}({short})\b\.?",
        lambda m: f"{words.weekdays[m[1]]} {words.to} {words.weekdays[m[2]]}",
        text,
    )
    return re.sub(
        rf"{day}(?=:?\s*\d|\s*(?:,|&|and|und|/)\s*(?:{short})\b)",
        lambda m: words.weekdays[m[1]],
        text,
    )


def _ranges(text: str, words: _Words) -> str:
    one = r"\d+(?:[.,:]\d+)?(?:\s?[AP]M)?"
    return re.sub(rf"(?<![\w-])({one}){_DASH}(?={one}(?![\w]*-\d))", rf"\1 {words.to} ", text)


def _units(text: str, words: _Words) -> str:
    for unit, name in words.units.items():
        end = r"(?!\w)" if unit[-1].isalnum() else ""
        text = re.sub(rf"(?<=\d)\s?{re.escape(unit)}{end}", f" {name}", text)
    text = re.sub(r"#\s?(?=\d)", "number " if words is _EN else "Nummer ", text)
    for sign, name in words.signs.items():
        text = text.replace(sign, f" {name} ")
    return text


def _fractions(text: str, words: _Words) -> str:
    if words is not _EN:
        return text
    for fraction, name in (("1/2", "half"), ("1/4", "a quarter"), ("3/4", "three quarters")):
        text = re.sub(rf"(?<![\d/]){fraction}(?![\d/])", name, text)
    return text


def _plain_numbers(text: str, words: _Words) -> str:
    """Thousands marks away, so that no voice takes them for a decimal mark or a pause."""
    mark = r"\." if words is _DE else ","
    return re.sub(
        rf"(?<![\d.,])\d{{1,3}}(?:{mark}\d{{3}})+(?![\d])",
        lambda m: re.sub(r"\D", "", m[0]),
        text,
    )
