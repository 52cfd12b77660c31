"""How words are read for the search: the same way in what was said and in what is asked (I3). Pure.

Case, accents and points do not count, every mark is a gap. Scripts that write no spaces (Chinese,
Japanese, Thai, Lao, Khmer, Burmese) are read sign by sign, so that any part of a sentence is found.
PostgreSQL gets words of letters and digits only, and its parser has nothing left to interpret.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_ASCII = re.compile(r"[a-z0-9]+")
_ASKED = re.compile(r'(-?)"([^"]*)"?|(\S+)')
# Accents of Latin, Greek and Cyrillic; points of Hebrew; vowel marks of Arabic.
_DROPPED = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640\u00ad]")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_PREFIX_FROM = 2
"""Shorter words are only found whole: half the inbox begins with an "a"."""
MAX_PHRASES = 20
BEFORE, AFTER = 30, 110
"""Characters around the first place of a passage that was found."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is compared, and where in the text it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand beside each other. `begins`: longer words that begin so count too."""

    words: tuple[str, ...]
    begins: bool = True
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `found`: it is what was searched for."""

    text: str
    found: bool = False


def words_of(text: str) -> list[Word]:
    """The words of `text`, in order; several may stand in one character (`㋀` is `1月`)."""
    if text.isascii():
        return [Word(each.group(), *each.span()) for each in _ASCII.finditer(text.lower())]
    words: list[Word] = []
    letters, start, end = "", 0, 0
    for index, sign in ((at, each) for at, one in enumerate(text) for each in _folded(one)):
        begins = bool(_UNSPACED.match(sign)) and not _is_mark(sign)
        ends_before = begins or sign == " " or (letters and _stands_alone(letters, sign))
        if ends_before and letters:
            words.append(Word(letters, start, end))
            letters = ""
        if sign == " " or (not letters and _is_mark(sign)):
            continue
        if not letters:
            start = index
        letters, end = letters + sign, index + 1
    if letters:
        words.append(Word(letters, start, end))
    return words


@lru_cache(maxsize=10_000)
def _folded(character: str) -> str:
    """Its letters as they are compared; "" for what is left out, " " for what divides."""
    plain = _DROPPED.sub("", unicodedata.normalize("NFKD", character)).casefold()
    if not plain:
        return ""
    kept = "".join(each for each in plain if each.isalnum() or _is_mark(each))
    return kept or " "


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _stands_alone(letters: str, character: str) -> bool:
    """Whether the sign before was of a script without spaces, and this one is not its mark."""
    return bool(_UNSPACED.match(letters[0])) and not _is_mark(character)


def folded(text: str) -> str:
    """What PostgreSQL is given to index."""
    return " ".join(word.text for word in words_of(text))


def asked(text: str) -> list[Phrase]:
    """What somebody searches for: words, `"a phrase"`, `-without`. All of it must be there."""
    phrases: list[Phrase] = []
    for match in _ASKED.finditer(text):
        minus, quoted, word = match.groups()
        absent = minus == "-" or (word or "").startswith("-")
        read = tuple(each.text for each in words_of(quoted if word is None else word))
        if read:
            begins = word is not None and len("".join(read)) >= _PREFIX_FROM
            phrases.append(Phrase(read, begins, absent))
    if all(each.absent for each in phrases):  # nothing but "-x" asks for x
        phrases = [Phrase(each.words, each.begins) for each in phrases]
    return phrases[:MAX_PHRASES]


def tsquery(phrases: Sequence[Phrase]) -> str:
    """For `to_tsquery('simple', …)`; its words are letters and digits, so quoting is enough."""
    return " & ".join(
        f"{'!' if each.absent else ''}'{' '.join(each.words)}'{':*' if each.begins else ''}"
        for each in phrases
    )


def marked(text: str, phrases: Sequence[Phrase]) -> list[Piece]:
    """`text` in pieces, those that were searched for marked; the pieces join to `text`."""
    cuts = [0, *(place for span in _places(text, phrases) for place in span), len(text)]
    pieces = [
        Piece(text[start:end], found=bool(index % 2))
        for index, (start, end) in enumerate(pairwise(cuts))
    ]
    return [each for each in pieces if each.text]


def passage(text: str, phrases: Sequence[Phrase]) -> list[Piece]:
    """A line of `text` around the first place that was found, marked."""
    line = " ".join(text.split())
    places = _places(line, phrases)
    first = places[0][0] if places else 0
    start = max(0, first - BEFORE)
    start = line.find(" ", start, first) + 1 or start if start else 0
    end = start + AFTER
    cut = ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
    return marked(cut, phrases)


def _places(text: str, phrases: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Where the phrases stand, in order and without overlaps."""
    words = words_of(text)
    spans = sorted(
        (words[at].start, words[at + len(phrase.words) - 1].end)
        for phrase in phrases
        if not phrase.absent
        for at in range(len(words) - len(phrase.words) + 1)
        if _is_at(words, at, phrase)
    )
    places: list[tuple[int, int]] = []
    for start, end in spans:
        if places and start < places[-1][1]:
            places[-1] = (places[-1][0], max(end, places[-1][1]))
        else:
            places.append((start, end))
    return places


def _is_at(words: Sequence[Word], at: int, phrase: Phrase) -> bool:
    beside = zip(words[at : at + len(phrase.words)], phrase.words, strict=True)
    if phrase.begins:
        return all(word.text.startswith(asked_for) for word, asked_for in beside)
    return all(word.text == asked_for for word, asked_for in beside)
