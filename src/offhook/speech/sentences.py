"""Where a text may be cut: into sentences as a model writes it, into pieces as a voice says it.

The first words of a reply are to be heard while the rest is still being written, so a sentence is
given away as soon as it is certain to be one. Pure.
"""

import re
from collections.abc import Iterator

LONGEST = 240
"""Characters after which a sentence without an end is cut all the same, at the best place."""

_NEVER_END = frozenset(
    re.split(
        " ",
        "mr mrs ms dr prof st mt ft sr jr rev gen col capt lt sgt gov sen rep no nos vs e.g i.e cf "
        "approx est dept tel ext fig vol ca bzw z.b d.h u.a nr str hr fr bspw inkl zzgl abs",
    )
)
_MAY_END = frozenset({"a.m", "p.m", "etc", "inc", "ltd", "co", "corp", "u.s", "u.k", "ave", "usw"})
_END = re.compile(r"""[.!?…]+["'”’»)\]]*(?=\s)|[。！？]+|\n+""")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘«]*$")
_CUTS = (
    re.compile(r"[;:](?=\s)"),
    re.compile(r",(?=\s)|\s[–—-](?=\s)"),
    re.compile(r"\s(?=(?:and|or|but|because|which|that|und|oder|aber|weil)\s)"),
    re.compile(r"\s"),
)


class Sentences:
    """Cuts a text that arrives in deltas.

    >>> sentences = Sentences()
    >>> sentences.feed("We open at 9 a.m. on Mon")
    []
    >>> sentences.feed("day. Bread is 3.50. And")
    ['We open at 9 a.m. on Monday.', 'Bread is 3.50.']
    >>> sentences.flush()
    ['And']
    """

    def __init__(self, language: str = "en") -> None:
        self._language = language.split("-", maxsplit=1)[0].lower()
        self._text = ""

    def feed(self, delta: str) -> list[str]:
        """The sentences that `delta` completes, trimmed, none of them empty."""
        self._text += delta
        return self._take(final=False)

    def flush(self) -> list[str]:
        """What is left when the text is over."""
        return self._take(final=True)

    def _take(self, *, final: bool) -> list[str]:
        found: list[str] = []
        while (end := self._end(final=final)) is not None:
            found.append(self._text[:end].strip())
            self._text = self._text[end:]
        if final:
            found.append(self._text.strip())
            self._text = ""
        return [sentence for sentence in found if sentence]

    def _end(self, *, final: bool) -> int | None:
        for match in _END.finditer(self._text):
            if match.start() > LONGEST:
                break
            certain = self._ends_sentence(match, final=final)
            if certain is None:
                return None
            if certain:
                return match.end()
        return best_cut(self._text, LONGEST) if len(self._text) > LONGEST else None

    def _ends_sentence(self, match: re.Match[str], *, final: bool) -> bool | None:
        """None: it depends on what has not arrived yet."""
        mark = match[0]
        if mark[0] != "." or mark.startswith(".."):
            return True
        before = self._text[: match.start()]
        word = _LAST_WORD.search(before)
        last = word[0].lower() if word else ""
        if last in _NEVER_END or self._is_initial(last) or self._is_ordinal(before, last):
            return False
        if last not in _MAY_END:
            return True
        following = self._text[match.end() :].lstrip()
        if not following:
            return True if final else None
        return following[0].isupper()

    @staticmethod
    def _is_initial(last: str) -> bool:
        """The J of "J. Smith"; "I" may end a sentence."""
        return len(last) == 1 and last.isalpha() and last != "i"

    def _is_ordinal(self, before: str, last: str) -> bool:
        """The number of a list's line, and in German that of a day ("am 3. März")."""
        if not last.isdigit() or len(last) > 2:  # noqa: PLR2004 - a day of a month, a line of a list
            return False
        line_start = before.rfind("\n") + 1
        return self._language == "de" or before[line_start:].strip() == last


def best_cut(text: str, longest: int) -> int:
    """Where to cut `text` within its first `longest` characters: clause, comma, "and", space."""
    for pattern in _CUTS:
        ends = [m.end() for m in pattern.finditer(text, longest // 3, longest)]
        if ends:
            return ends[-1]
    return min(longest, len(text))


def pieces(text: str, *, first: int = 60, most: int = 200) -> Iterator[str]:
    """Parts that a voice says in one breath; the first is short, so that it is heard early."""
    sentences = Sentences()
    longest = first
    for sentence in [*sentences.feed(text), *sentences.flush()]:
        rest = sentence
        while rest:
            cut = len(rest) if len(rest) <= longest else _breath(rest, longest, most)
            piece, rest = rest[:cut].strip(), rest[cut:].strip()
            if piece:
                yield piece
            longest = most


def _breath(text: str, longest: int, most: int) -> int:
    """A cut at a clause or comma is worth a short piece; one between any two words is not."""
    for pattern in _CUTS[:2]:
        if match := pattern.search(text, 12, longest):
            return match.end()
    return best_cut(text, most) if len(text) > most else len(text)
