"""Numbers in words made digits, as a recogniser leaves them: "twenty six", "oh", "double five".

Pure, English. The words of numbers are text2num's; what people say at telephones besides is ours.
"""

import re
from importlib import import_module
from typing import Any

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_REPEATED = {"double": 2, "triple": 3}
_OH = {"oh": "zero", "o": "zero"}
_ALIKE = {"won": "one", "to": "two", "too": "two", "for": "four", "fore": "four", "ate": "eight"}
"""Words that sound like a number and that a recogniser writes instead of it."""
_OF_US = re.compile(rf"\b({'|'.join(_ALIKE)})(?= of us\b)")
_ONLY = re.compile(rf"\W*({'|'.join(_ALIKE)})(?=\W*(?:(?:people|persons?|guests?|please)\W*)?$)")
_EACH = 0.0
"""text2num's threshold: lone small numbers are made digits too."""


def digits(text: str) -> str:
    """`text` in lower case with every number as digits.

    >>> digits("Seven thirty on the twenty-first, double five oh one")
    '7 30 on the 21st, 5 5 01'
    """
    plain = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower().replace("’", "'"))
    plain = _OF_US.sub(lambda found: _ALIKE[found[1]], plain)
    words = re.split(r"(\W+)", plain)
    spoken = "".join(_as_digits(words, at) for at in range(len(words)))
    numbers: Any = import_module("text_to_num")
    return str(numbers.alpha2digit(spoken, "en", _EACH))


def alone(text: str) -> str:
    """`digits` of an answer to “how many?”, where a lone word that sounds like a number is one.

    >>> alone("For, please.")
    '4, please.'
    """
    return digits(_ONLY.sub(lambda found: _ALIKE[found[1]], text.lower()))


def _as_digits(words: list[str], at: int) -> str:
    """One word or what stands between two: `oh` among digits is zero, `double five` is two."""
    word = words[at]
    before = words[at - 2] if at > 1 else ""
    after = words[at + 2] if at + 2 < len(words) else ""
    if word in _REPEATED and (_is_digit(after) or after in _OH):
        return " ".join([_OH.get(after, after)] * (_REPEATED[word] - 1))
    apostrophe = at + 1 < len(words) and words[at + 1].startswith("'")
    if word in _OH and not apostrophe:
        near = _is_digit(before) or _is_digit(after) or {before, after} & {*_OH, *_REPEATED}
        return "zero" if near else word
    return word


def _is_digit(word: str) -> bool:
    return word in WORDS or word.isdecimal()
