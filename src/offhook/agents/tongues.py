"""German, French and Spanish turns put into the English in which inputs are read. Pure.

Only what tells a number, a day, a time, a yes or a no is put over; everything else stays as it was
said. The words of numbers are text2num's, the names of days and months are CLDR's (Babel); how
people put them together at a telephone is here: "halb acht", "huit heures moins le quart", "pasado
mañana a las siete y media".
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from offhook.agents.dates import MONTHS, WEEK

Made = str | Callable[[re.Match[str]], str]
_EACH = 0.0
"""text2num's threshold: lone small numbers are made digits too."""
_HOUR = r"(\d{1,2})"
_NAME = r"(?=[A-ZÀ-Þ\w])"


def _half_before(match: re.Match[str]) -> str:
    """`halb 8` is half past seven."""
    return f"{(int(match[1]) - 2) % 12 + 1}:30"


def _minutes(match: re.Match[str]) -> str:
    return f"{match[1]}:{int(match[2]):02}"


def _less(match: re.Match[str]) -> str:
    """`8 heures moins 10`, `8 menos cuarto`: minutes before the hour."""
    said = match[2]
    return f"{said if said.isdecimal() else 'quarter'} to {match[1]}"


_RULES: dict[str, Sequence[tuple[str, Made]]] = {
    "de": (
        (r"\bzu zweit\b", "for 2 people"),
        (r"\bzu dritt\b", "for 3 people"),
        (r"\bzu viert\b", "for 4 people"),
        (r"\bzu fünft\b", "for 5 people"),
        (r"\bzu sechst\b", "for 6 people"),
        (r"\b(?:personen|leute|gäste|erwachsene)\b", "people"),
        (r"\bkinder?n?\b", "kids"),
        (r"\b(?:1 |einen |ein )?tisch\b", "table"),
        (r"\bfür\b(?= ?\d| people| table)", "for"),
        (r"\bübermorgen\b", "day after tomorrow"),
        (r"\bheute abend\b", "tonight"),
        (r"\bheute\b", "today"),
        (r"\b(?:am|diesen|jeden) morgen\b|\bmorgens\b|\b(?<=morgen )früh\b", "in the morning"),
        (r"\bmorgen\b", "tomorrow"),
        (r"\b(?:am )?nachmittags?\b", "in the afternoon"),
        (r"\b(?:am )?abends?\b", "in the evening"),
        (r"\bmittags?\b", "noon"),
        (r"\bmitternacht\b", "midnight"),
        (r"\bin (?:1|einer) woche\b", "in a week"),
        (r"\bin (\d{1,3}) wochen\b", r"in \1 weeks"),
        (r"\bin (\d{1,3}) tagen\b", r"in \1 days"),
        (r"\bnächste[nrms]?\b", "next"),
        (r"\bkommende[nrms]?\b", "coming"),
        (r"\bdiese[nrms]?\b", "this"),
        (rf"\bhalb {_HOUR}\b", _half_before),
        (rf"\bdreiviertel {_HOUR}\b", r"quarter to \1"),
        (rf"\bviertel nach {_HOUR}\b", r"quarter past \1"),
        (rf"\bviertel vor {_HOUR}\b", r"quarter to \1"),
        (rf"\b(\d{{1,2}})(?: minuten)? nach {_HOUR}\b", r"\1 past \2"),
        (rf"\b(\d{{1,2}})(?: minuten)? vor {_HOUR}\b", r"\1 to \2"),
        (rf"\b{_HOUR} uhr (\d{{1,2}})\b", _minutes),
        (rf"\b{_HOUR}[:.](\d{{2}}) uhr\b", _minutes),
        (rf"\b{_HOUR} uhr\b", r"\1 o'clock"),
        (r"\b(?:um|gegen|ab)(?= \d| quarter)", "at"),
        (r"\b(?:ja|jawohl|genau|richtig|klar)\b", "yes"),
        (r"\b(?:nein|nee|nicht|kein|keine)\b", "no"),
        (r"\b(?:vergiss es|vergessen sie es|doch nicht|lassen wir das|schon gut)\b", "never mind"),
        (r"\b(\d{1,2})\.(?= (?:jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez))", r"\1"),
    ),
    "fr": (
        (r"\b(?:personnes|gens|couverts|convives|adultes)\b", "people"),
        (r"\benfants?\b", "kids"),
        (r"\b(?:1 |une )?table\b", "table"),
        (r"\bpour\b(?= ?\d| people| table)", "for"),
        (r"\baprès[- ]demain\b", "day after tomorrow"),
        (r"\bdemain\b", "tomorrow"),
        (r"\bce soir\b", "tonight"),
        (r"\baujourd['’]hui\b", "today"),
        (r"\bdu matin\b|\ble matin\b|\bmatin\b", "in the morning"),
        (r"\b(?:de l['’]|l['’])?après[- ]midi\b", "in the afternoon"),
        (r"\b(?:du|le) soir\b|\bsoir\b", "in the evening"),
        (r"\bà midi\b|\bmidi\b", "noon"),
        (r"\bminuit\b", "midnight"),
        (r"\b(?:dans|d['’]ici) 1 semaine\b", "in a week"),
        (r"\bdans (\d{1,3}) semaines\b", r"in \1 weeks"),
        (r"\bdans (\d{1,3}) jours?\b", r"in \1 days"),
        (r"\b(\w+di|dimanche) prochain\b", r"next \1"),
        (rf"\b{_HOUR} ?h(?:eures?)?(?: et)? demie?\b", r"\1:30"),
        (rf"\b{_HOUR} ?h(?:eures?)? et quart\b", r"\1:15"),
        (rf"\b{_HOUR} ?h(?:eures?)? moins (?:le )?(quart|\d{{1,2}})\b", _less),
        (rf"\b{_HOUR} ?h(?:eures?)? ?(\d{{1,2}})\b", _minutes),
        (rf"\b{_HOUR} ?h(?:eures?)?\b", r"\1 o'clock"),
        (r"\b(?:à|vers)(?= \d| quarter)", "at"),
        (r"\b(\d{1,2})er\b", r"\1"),
        (r"\b(?:oui|ouais|exactement|d['’]accord)\b", "yes"),
        (r"\b(?:non|pas|aucun|aucune)\b", "no"),
        (r"\b(?:laissez tomber|laisse tomber|oubliez(?: ça)?|tant pis)\b", "never mind"),
    ),
    "es": (
        (r"\b(?:personas|gente|comensales|adultos)\b", "people"),
        (r"\bniñ[oa]s?\b", "kids"),
        (r"\b(?:1 |una )?mesa\b", "table"),
        (r"\bpara\b(?= ?\d| people| table)", "for"),
        (r"\bpasado mañana\b", "day after tomorrow"),
        (r"\b(?:de|por) la mañana\b", "in the morning"),
        (r"\besta (?:noche|tarde)\b", "tonight"),
        (r"\bmañana\b", "tomorrow"),
        (r"\bhoy\b", "today"),
        (r"\b(?:de|por) la tarde\b", "in the afternoon"),
        (r"\b(?:de|por) la noche\b", "in the evening"),
        (r"\b(?:al? )?mediod[ií]a\b", "noon"),
        (r"\bmedianoche\b", "midnight"),
        (r"\b(?:en|dentro de) 1 semana\b", "in a week"),
        (r"\b(?:en|dentro de) (\d{1,3}) semanas\b", r"in \1 weeks"),
        (r"\b(?:en|dentro de) (\d{1,3}) d[ií]as?\b", r"in \1 days"),
        (r"\b(?:el )?(?:próximo|proximo) (?=\w)", "next "),
        (r"\b(?:el )?(\w+) (?:que viene|próximo|proximo)\b", r"next \1"),
        (rf"\b{_HOUR} y media\b", r"\1:30"),
        (rf"\b{_HOUR} y (?:cuarto|4º)", r"\1:15"),
        (rf"\b{_HOUR} menos (cuarto|4º|\d{{1,2}})", _less),
        (rf"\b{_HOUR} y (\d{{1,2}})\b", _minutes),
        (rf"\b(?:a|sobre) las? {_HOUR} (\d{{2}})\b", r"at \1:\2"),
        (r"\b(?:a|sobre) las? (?=\d|quarter)", "at "),
        (r"\b(?:la|las) (?=\d)", "at "),
        (r"\b(\d{1,2})º", r"\1"),
        (r"(?<=\d) de (?=[a-z])", " "),
        (r"\b(?:sí|si|claro|exacto|correcto)\b", "yes"),
        (r"\b(?:ninguno|ninguna|nunca)\b", "no"),
        (r"\b(?:olv[ií]dalo|olv[ií]delo|d[eé]jalo|d[eé]jelo)\b", "never mind"),
    ),
}
_SLASHED = (r"\b(\d{1,2})/(\d{1,2})(?:/(\d{2,4}))?\b", r"\1.\2.\3")
"""The day stands first everywhere but in the United States."""
_NAMES: dict[str, str] = {
    "de": r"\b(?:mein name ist|ich hei(?:ß|ss)e|auf den namen|unter dem namen)\s+" + _NAME,
    "fr": r"\b(?:je m['’]appelle|mon nom est|au nom de)\s+" + _NAME,
    "es": r"\b(?:me llamo|mi nombre es|a nombre de)\s+" + _NAME,
}
_LEADS: dict[str, str] = {
    "de": r"^(?:(?:ä+h+m?|ja|also|bitte|nein|das ist|das wäre|es ist)\b[\s,.:-]*)+",
    "fr": r"^(?:(?:euh+|oui|alors|non|c['’]est|ce serait)\b[\s,.:-]*)+",
    "es": r"^(?:(?:eh+|sí|si|pues|bueno|no|es|sería)\b[\s,.:-]*)+",
}


def english(text: str, language: str) -> str:
    """Numbers, days, times, yes and no of `text` in English, in lower case; as it is where the
    language is English or not known here.
    """
    tongue = _tongue(language)
    if tongue not in _RULES:
        return text
    numbers: Any = import_module("text_to_num")
    plain = str(numbers.alpha2digit(text.lower().replace("’", "'"), tongue, _EACH))
    for pattern, made in _patterns(tongue):
        plain = pattern.sub(made, plain)
    return plain


def introduced(text: str, language: str) -> str:
    """`text` with "mein Name ist" as "my name is", and without the words that lead to an answer;
    the rest as it was written.
    """
    tongue = _tongue(language)
    if tongue not in _NAMES:
        return text
    bare = re.sub(_LEADS[tongue], "", text, flags=re.IGNORECASE)
    return re.sub(_NAMES[tongue], "my name is ", bare, count=1, flags=re.IGNORECASE)


def _tongue(language: str) -> str:
    return language.casefold().replace("_", "-").split("-")[0]


@lru_cache(maxsize=len(_RULES))
def _patterns(tongue: str) -> list[tuple[re.Pattern[str], Made]]:
    """The rules, then the names of days and months."""
    named = import_module("babel.dates")
    days: dict[int, str] = named.get_day_names("wide", locale=tongue)
    months: dict[int, str] = named.get_month_names("wide", locale=tongue)
    said = [
        *((name, WEEK[at]) for at, name in days.items()),
        *((name, MONTHS[at - 1]) for at, name in months.items()),
    ]
    names: list[tuple[str, Made]] = [
        (rf"\b{re.escape(name.lower())}\b", english) for name, english in said
    ]
    if tongue == "de":
        names.append((r"\bsonnabend\b", "saturday"))
    return [(re.compile(pattern), made) for pattern, made in (*_RULES[tongue], _SLASHED, *names)]
