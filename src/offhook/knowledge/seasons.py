"""The months that a text names, by themselves, as a span or as a season. Pure, English.

"In January" asks for what is said of the winter, "in the summer" for "from May to September".
Seasons are those of the northern half; where question and page both name the season it does not
matter which half they are in.
"""

import re

from offhook.knowledge.words import fold

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
SEASONS = {
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "autumn|in (?:the )?fall": (9, 10, 11),
    "winter": (12, 1, 2),
}
_NAME = "|".join((*MONTHS, *(each[:3] for each in MONTHS), "sept"))
_SPAN = rf"\b({_NAME})\b\.?\s*(?:-|–|—|to|till|until|through|thru)\s*(?:the end of )?({_NAME})\b"
# May and March are also verbs: they are months behind such a word, or before a figure.
_BEFORE = r"(?:in|from|of|until|till|through|to|since|by|before|after|early|late|mid|and|or|every)"
_VERBS = rf"\b{_BEFORE}[ -](may|march)\b|\b(may|march) \d|\d(?:st|nd|rd|th)?\.? (may|march)\b"
_PLAIN = rf"\b({'|'.join(each for each in MONTHS if each not in ('may', 'march'))})\b"


def months_in(text: str) -> frozenset[int]:
    """January is 1."""
    folded = fold(text)
    found: set[int] = set()
    for first, last in re.findall(_SPAN, folded):
        start, end = _number(first), _number(last)
        found |= {(start - 1 + step) % 12 + 1 for step in range((end - start) % 12 + 1)}
    for names in re.findall(rf"{_VERBS}|{_PLAIN}", folded):
        found.add(_number("".join(names)))
    for season, months in SEASONS.items():
        if re.search(rf"\b(?:{season})(?:time)?s?\b", folded):
            found |= set(months)
    return frozenset(found)


def _number(name: str) -> int:
    return next(at for at, month in enumerate(MONTHS, 1) if month.startswith(name[:3]))
