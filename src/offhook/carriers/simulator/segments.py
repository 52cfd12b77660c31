"""How many segments the carrier counts for a text (3GPP TS 23.038, 23.040). Pure.

GSM-7: 160 septets alone, 153 in a chain; a pair (escape and character) is not cut. UCS-2: 70 and
67 units; a surrogate pair is not cut.
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_PAIRS = frozenset("\f^{}\\[~]|€")
_FIRST_SUPPLEMENTARY = 0x10000


def segments(text: str) -> int:
    """At least 1, also for an empty text."""
    if all(character in _BASIC or character in _PAIRS for character in text):
        widths = [2 if character in _PAIRS else 1 for character in text]
        return _chained(widths, alone=160, chained=153)
    widths = [2 if ord(character) >= _FIRST_SUPPLEMENTARY else 1 for character in text]
    return _chained(widths, alone=70, chained=67)


def _chained(widths: list[int], *, alone: int, chained: int) -> int:
    if sum(widths) <= alone:
        return 1
    count, used = 1, 0
    for width in widths:
        if used + width > chained:
            count, used = count + 1, 0
        used += width
    return count
