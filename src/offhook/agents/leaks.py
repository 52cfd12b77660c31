"""A reply that begins to recite what the model was told is cut (SEC9). Pure but for the mark.

A model is taken to be in somebody else's hands. What it is told carries a mark that no reply has
a reason to hold, and rules that none has a reason to repeat: the mark, also spelled, backwards or
in base64, hex or rot13, or RECITED words of the rules in a row give it away. What owners write of
their business is not guarded, since agents are there to tell it; secrets never come to a model.
"""

import base64
import codecs
import re
import secrets
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

MARK = secrets.token_hex(6)
"""Of this process, so nothing that was ever said or stored holds it."""
RECITED = 8
HELD_CHARS = 32
"""An unfinished word is held back up to this length: longer than the mark in any of its forms."""
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
BETWEEN_WORDS = re.compile(r"[^\w'’]|_")
NO_LETTER = re.compile(r"[\W_]+")


class Recital(Exception):  # noqa: N818 - nothing failed: the reply goes no further
    """What the model says is what it was told."""


def forms(mark: str) -> frozenset[str]:
    """The mark as it may be said, without what is no letter or digit, in small letters."""
    octets = mark.encode()
    within = {  # where it stands within something longer, base64 begins at one of three places
        base64.b64encode(b"\0" * before + octets).decode()[4 if before else 0 : -4]
        for before in range(3)
    }
    plain = {mark, mark[::-1], octets.hex(), codecs.encode(mark, "rot13")}
    return frozenset(_bare(each) for each in (*plain, *within))


def shingles(rules: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Every RECITED words in a row."""
    return frozenset(
        tuple(words[at : at + RECITED])
        for words in map(_words, rules)
        for at in range(len(words) - RECITED + 1)
    )


class Guard:
    """Listens to one reply. `rules`: shingles of the text that is not to be recited."""

    def __init__(self, rules: frozenset[tuple[str, ...]], mark: str = MARK) -> None:
        self._rules = rules
        self._forms = forms(mark)
        self._longest = max(map(len, self._forms))
        self._held = ""
        self._bare = ""
        self._last: deque[str] = deque(maxlen=RECITED)

    def say(self, delta: str) -> str:
        """What may be said now, up to the last whole word. Raises Recital."""
        text = self._held + delta
        ends = [each.end() for each in BETWEEN_WORDS.finditer(text)]
        end = max(*ends[-1:], 0, len(text) - HELD_CHARS)
        self._held = text[end:]
        return self._checked(text[:end])

    def rest(self) -> str:
        """The last word, when the reply ends or something else comes. Raises Recital."""
        text, self._held = self._held, ""
        return self._checked(text)

    def holds(self, value: Any) -> bool:
        """Whether a value that the model hands to a tool gives it away."""
        return any(self._given_away(each) for each in _texts(value))

    def _checked(self, text: str) -> str:
        self._bare = (self._bare + _bare(text))[-2 * self._longest - len(text) :]
        if any(each in self._bare for each in self._forms):
            raise Recital
        for word in _words(text):
            self._last.append(word)
            if tuple(self._last) in self._rules:
                raise Recital
        return text

    def _given_away(self, text: str) -> bool:
        words, bare = _words(text), _bare(text)
        return any(each in bare for each in self._forms) or any(
            tuple(words[at : at + RECITED]) in self._rules for at in range(len(words))
        )


def _words(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


def _bare(text: str) -> str:
    return NO_LETTER.sub("", text).casefold()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        members = cast("Mapping[Any, Any]", value)
        return [text for pair in members.items() for each in pair for text in _texts(each)]
    if isinstance(value, Sequence):
        return [text for each in cast("Sequence[Any]", value) for text in _texts(each)]
    return []
