"""What somebody says about themselves, for the attributes that the agent fills (P3).

Pure, English; the offline answerer's. Only what is plainly said of oneself is taken ("my name is",
"I work for"), never what an input of a task was answered with: a table may be for somebody else.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from offhook.agents import values
from offhook.agents.brain import Fillable, Learned
from offhook.knowledge import fold

_STOP = r"(?=[,;.!?](?:\s|$)|\s+(?:and|but|so|because|who|which|where|about|with)\s|$)"
_COMPANY = re.compile(
    r"\b(?:i work (?:for|at)|(?:i'm|i am) (?:calling )?(?:from|with)|calling (?:from|on behalf of)"
    rf"|(?:my|our) company is(?: called)?)\s+(.+?){_STOP}",
    re.IGNORECASE,
)
_FIRM = re.compile(
    r"\b(?:inc|ltd|llc|gmbh|ag|corp|company|co|bank|hotel|office|studio|group|clinic)\b",
    re.IGNORECASE,
)
_JOB = re.compile(
    r"\b(?:i work as (?:an? |the )?|my job(?: title)? is (?:an? |the )?|(?:i'm|i am) the )"
    r"([a-z][\w' -]*?)(?= (?:at|of|for|here)\b|[,;.!?]|\s+and\s|$)",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:(?:[Ii]|[Ww]e) live in|(?:[Ii]'m|[Ii] am|[Ww]e're) (?:based |located )?in)"
    rf"\s+(?:the (?:city|town) of )?([A-Z][\w' -]*?){_STOP}"
)
_OWN_EMAIL = re.compile(r"\b(?:my|our) e-?mail|\b(?:reach|email|write to|mail) me\b", re.IGNORECASE)
_NAMED = re.compile(
    r"\bmy (?:(?:first|last|full|sur) ?)?name(?:'s| is)\b|\b(?:this is|i'm|i am)\b", re.IGNORECASE
)


def learned(texts: Sequence[str], fillable: Sequence[Fillable]) -> list[Learned]:
    """What the turns say, each attribute once; the last word counts."""
    found: dict[str, str] = {}
    for text in texts:
        for each in fillable:
            if value := _value(each, text):
                found[each.key] = value
    return [Learned(key, value) for key, value in found.items()]


def _value(wanted: Fillable, text: str) -> str:
    if wanted.key in _STANDARD:
        return _STANDARD[wanted.key](text)
    said = values.called(text, fold(wanted.label))
    if wanted.choices:
        chosen = values.choice(said, wanted.choices, asked=False) if said else None
        return str(chosen.value) if chosen is not None else ""
    return said


def _full_name(text: str) -> list[str]:
    return values.own_name(text).split() if _NAMED.search(text) else []


def _first_name(text: str) -> str:
    if said := values.called(text, "first name"):
        return values.as_name(said)
    return next(iter(_full_name(text)), "")


def _last_name(text: str) -> str:
    for label in ("last name", "surname", "family name"):
        if said := values.called(text, label):
            return values.as_name(said)
    return " ".join(_full_name(text)[1:])


def _email(text: str) -> str:
    found = values.emails(text) if _OWN_EMAIL.search(text) else []
    return str(found[-1].value) if found else ""


def _company(text: str) -> str:
    match = _COMPANY.search(text)
    if match is None:
        return ""
    said = match[1].strip()
    plainly = "work" in match[0].lower() or "company" in match[0].lower() or _FIRM.search(said)
    return said if plainly or ("calling" in match[0].lower() and said[:1].isupper()) else ""


def _job_title(text: str) -> str:
    match = _JOB.search(text)
    return match[1].strip() if match else ""


def _location(text: str) -> str:
    match = _PLACE.search(text)
    return match[1].strip() if match else ""


_STANDARD: Mapping[str, Callable[[str], str]] = {
    "first_name": _first_name,
    "last_name": _last_name,
    "email": _email,
    "company": _company,
    "job_title": _job_title,
    "location": _location,
}
