"""Reactions: a telephone's "Loved “See you at six”", which is a mark on our message, no text (S9).

Telephones that share no chat service send a reaction as a text that quotes the message. iOS writes
`Loved “…”` and `Removed a heart from “…”`, Google's Messages `👍 to “…”`, in the language of the
telephone. What the words say is known for English and for signs; in any other language it is a
reaction when a word or four are followed by nothing but the whole of a message of ours. Pure.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from offhook.messages.wishes import wish_to_stop

VERBS = {
    "loved": "❤️",
    "liked": "👍",
    "disliked": "👎",
    "laughed at": "😂",
    "emphasized": "‼️",
    "emphasised": "‼️",
    "questioned": "❓",
}
REMOVALS = ("removed a", "removed an", "removed")
MAX_SIGN = 24
_QUOTED = re.compile(r"(?P<before>[^“„«\"‘]{1,60}?)\s*[“„«\"‘](?P<quoted>.+)[”“»\"’]", re.DOTALL)
_REACTED = re.compile(r"(?:reacted\s+)?(?P<sign>\S{1,24})(?:\s+to)?", re.IGNORECASE)
_CUT = ("…", "...")
_SHORTEST_CUT = 12
_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Reaction:
    """`sign` is what is shown beside our message; "" takes back what was shown. `known`: we know
    the words for it, so that a shortened quotation will do.
    """

    sign: str
    quoted: str
    known: bool

    def is_of(self, message: str) -> bool:
        """Whether it quotes this text of ours."""
        ours, theirs = _bare(message), _bare(self.quoted)
        if ours == theirs:
            return True
        cut = next((theirs.removesuffix(each).rstrip() for each in _CUT if each in theirs[-3:]), "")
        return self.known and len(cut) >= _SHORTEST_CUT and ours.startswith(cut)


def reaction(text: str) -> Reaction | None:
    """The reaction that `text` has the form of; whether it quotes us is seen by `is_of`."""
    found = _QUOTED.fullmatch(_visible(text).strip())
    if found is None:
        return None
    before, quoted = " ".join(found["before"].split()), found["quoted"].strip()
    said = before.casefold()
    if said in VERBS:
        return Reaction(VERBS[said], quoted, known=True)
    if said.startswith(REMOVALS) and said.endswith(" from"):
        return Reaction("", quoted, known=True)
    shown = _REACTED.fullmatch(before)
    if shown is not None and _is_sign(shown["sign"]):
        return Reaction(shown["sign"], quoted, known=True)
    if len(before.split()) > _MOST_WORDS or not before[-1].isalpha() or wish_to_stop(before):
        return None
    return Reaction(before[:MAX_SIGN], quoted, known=False)


def reacts_to(found: Reaction, ours: Iterable[tuple[str, str]]) -> str:
    """The id of the first of `ours` (id, text) that it quotes; "" if it is none of them."""
    return next((key for key, text in ours if found.is_of(text)), "")


def _is_sign(word: str) -> bool:
    """Whether it is written in signs alone, such as an emoji."""
    return all(unicodedata.category(each)[0] in "SMC" for each in word)


def _visible(text: str) -> str:
    """Without the hair spaces and zero widths that Google's Messages writes around both parts."""
    return text.translate(dict.fromkeys(map(ord, "\u200a\u200b\u2009\u2068\u2069"), None))


def _bare(text: str) -> str:
    """A text as telephones quote it: spaces and kinds of quotation marks do not count."""
    folded = unicodedata.normalize("NFKC", text).translate(
        dict.fromkeys(map(ord, "“”„«»\"'‘’"), "")
    )
    return " ".join(_visible(folded).split()).casefold()
