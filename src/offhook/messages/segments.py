"""How a text travels: its encoding, how many segments carriers count, and how it is kept short.

GSM-7 and its extension table: 3GPP TS 23.038, 6.2.1. A message of one segment holds 160 septets
or 70 UTF-16 units; of several each holds 153 or 67, the rest being the header that joins them
(TS 23.040, 9.2.3.24.1). An extension character (two septets) and a surrogate pair (two units) are
never split between two segments, so a segment may go out one short (SM5). Pure; no I/O.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
MAX_CHARACTERS = 1_600
"""What a carrier takes as one message (SEC26)."""
ELLIPSIS = "..."

_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_FIRST_ASTRAL = 0x10000
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_SKIN_TONES = range(0x1F3FB, 0x1F400)

# K3: what word processors and language models write, and what a keyboard writes.
_FOLDED = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′‹›´`", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008", " "),
        **dict.fromkeys("\u2009\u200a\u202f\u205f\u3000\t", " "),
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
        **dict.fromkeys("•‣▪●·", "-"),
        "…": "...",
        "\u2028": "\n",
        "\u2029": "\n",
    }
)


class Encoding(StrEnum):
    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Size:
    """`units` are septets or UTF-16 units, without the headers."""

    encoding: Encoding
    units: int
    segments: int


SINGLE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
JOINED = {Encoding.GSM7: 153, Encoding.UCS2: 67}


def encoding_of(text: str) -> Encoding:
    """GSM-7 where every character is in its tables, else UCS-2 for the whole message."""
    gsm = all(each in BASIC or each in EXTENSION for each in text)
    return Encoding.GSM7 if gsm else Encoding.UCS2


def not_gsm(text: str) -> str:
    """The characters, each once, that keep `text` from GSM-7."""
    odd = (each for each in text if each not in BASIC and each not in EXTENSION)
    return "".join(dict.fromkeys(odd))


def size(text: str) -> Size:
    """What a carrier counts for `text`; an empty text (a picture alone) is one segment."""
    encoding = encoding_of(text)
    widths = [_width(each, encoding) for each in text]
    units = sum(widths)
    if units <= SINGLE[encoding]:
        return Size(encoding, units, 1)
    room = JOINED[encoding]
    segments, used = 1, 0
    for width in widths:
        if used + width > room:
            segments, used = segments + 1, 0
        used += width
    return Size(encoding, units, segments)


def _width(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if character in EXTENSION else 1
    return 2 if ord(character) >= _FIRST_ASTRAL else 1


def fold(text: str) -> str:
    """Typographic quotes, dashes and spaces as a keyboard writes them, where that saves a segment
    or may: only if the whole text then is GSM-7 (K3). Otherwise `text` itself.
    """
    folded = text.translate(_FOLDED)
    return folded if encoding_of(folded) is Encoding.GSM7 else text


def shorten(text: str, *, segments: int) -> str:
    """`text` in at most `segments` segments, cut between words and marked with "..." (S5).

    Never cut inside a URL, a surrogate pair, or a letter with its accents. A single word that is
    too long is cut between characters; a URL that is too long is left out.
    """
    if _fits(text, segments):
        return text
    ends = _ends(text)
    low, high = 0, len(ends)
    while low < high:  # the longest beginning that fits; sizes grow with length
        middle = (low + high + 1) // 2
        if _fits(_cut(text, ends[middle - 1]), segments):
            low = middle
        else:
            high = middle - 1
    if low:
        return _cut(text, ends[low - 1])
    return _cut(text, _longest_inside_a_word(text, segments))


def _fits(text: str, segments: int) -> bool:
    return len(text) <= MAX_CHARACTERS and size(text).segments <= segments


def _cut(text: str, end: int) -> str:
    kept = text[:end].rstrip()
    return f"{kept} {ELLIPSIS}" if kept else ELLIPSIS


def _ends(text: str) -> list[int]:
    """Where a word ends. A URL has no space in it, so it is a word."""
    return [match.end() for match in re.finditer(r"\S+", text)]


def _longest_inside_a_word(text: str, segments: int) -> int:
    """Where to cut the first word, which does not fit; 0 if it is a URL."""
    start = len(text) - len(text.lstrip())
    if _URL.match(text, start):
        return 0
    first_url = _URL.search(text)
    limit = min(len(text), MAX_CHARACTERS)
    limit = min(limit, first_url.start()) if first_url else limit
    for end in range(limit, start, -1):
        if _between_characters(text, end) and _fits(_cut(text, end), segments):
            return end
    return 0


def _between_characters(text: str, index: int) -> bool:
    """Whether no accent, joiner or skin tone binds `text[index]` to what stands before it."""
    if index >= len(text):
        return True
    after, before = text[index], text[index - 1]
    bound = unicodedata.combining(after) or after in _JOINERS or ord(after) in _SKIN_TONES
    return not bound and before != "\u200d"
