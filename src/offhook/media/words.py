"""What a few recognised words mean for turn-taking: murmur, interruption, finished or not.

Pure functions over text in any spelling. English word lists with the hums of most languages;
text in a language without a list is judged by its punctuation and by being there at all.
"""

import re
from enum import Enum
from itertools import pairwise
from typing import Final


class Verdict(Enum):
    """What words said over the agent's speech amount to (C4)."""

    NOTHING = "nothing"
    MURMUR = "murmur"
    INTERRUPTION = "interruption"


class Shape(Enum):
    """How words that were just paused after read."""

    UNKNOWN = "unknown"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"


def _list(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MURMURS: Final = _list(
    """
    mhm mhmm mm mmm mmhm mmhmm hm hmm hmmm uh uhh um umm uhhuh huh ah aha ahh oh ooh er erm eh
    yeah yea yep yup yes ok okay k right sure alright good great nice cool fine exactly indeed
    ja genau oui si claro vale
    """
)
_MURMUR_PAIRS: Final = (("uh", "huh"), ("mm", "hmm"), ("mm", "hm"), ("i", "see"), ("got", "it"))
_MURMUR_WORDS_MAX: Final = 3

_OPEN_ENDINGS: Final = _list(
    """
    a an the my your his her our their this that these those and or but so because if when while
    to of in on at for from with by about as than is are was were am be been it's i'm i we you
    he she they can could would will shall should may might do does did have has had not um uh
    er erm like well number's name's
    """
)
_DICTATED_DIGITS: Final = range(3, 10)
"""A run of this many digits at the end is a number being dictated; ten make it whole."""

_DIGIT_WORDS: Final = _list("zero oh one two three four five six seven eight nine")
_WORD: Final = re.compile(r"[\w']+")
_NOISE: Final = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*")
"""Recognisers write sounds as [BLANK_AUDIO], (coughs), *sighs*: they are no words."""


def spoken_words(text: str) -> list[str]:
    """Split `text` into lower-case words, sounds written in brackets left out."""
    return _WORD.findall(_NOISE.sub(" ", text).lower().replace("\u2019", "'").replace("-", " "))


def judge(text: str) -> Verdict:
    """Decide whether words over the agent's speech interrupt it: "no", "stop", "wait" do (C4)."""
    words = spoken_words(text)
    if not words:
        return Verdict.NOTHING
    if len(words) > _MURMUR_WORDS_MAX:
        return Verdict.INTERRUPTION
    pairs = set(pairwise(words))
    covered = {word for pair in _MURMUR_PAIRS if pair in pairs for word in pair}
    if all(word in _MURMURS or word in covered for word in words):
        return Verdict.MURMUR
    return Verdict.INTERRUPTION


def shape(text: str) -> Shape:
    """Judge whether the caller seems to have finished the sentence.

    A few digits at the end are taken for a number being dictated, which people pause in.
    """
    words = spoken_words(text)
    if not words:
        return Shape.UNKNOWN
    stripped = text.rstrip()
    if words[-1] in _OPEN_ENDINGS or stripped.endswith((",", "-", "\u2026", "...", ":")):
        return Shape.INCOMPLETE
    if _trailing_digits(stripped) in _DICTATED_DIGITS:
        return Shape.INCOMPLETE
    if stripped.endswith((".", "!", "?", "\u3002", "\uff1f")):
        return Shape.COMPLETE
    return Shape.UNKNOWN


def _trailing_digits(text: str) -> int:
    """Count the digits that `text` ends in; "10:30" and "$4.50" are no dictated digits."""
    count = 0
    for token in reversed(text.rstrip(".!?").split()):
        plain = token.strip(",").replace("-", "").replace("(", "").replace(")", "")
        if plain.isdigit():
            count += len(plain)
        elif plain.lower() in _DIGIT_WORDS:
            count += 1
        else:
            break
    return count
