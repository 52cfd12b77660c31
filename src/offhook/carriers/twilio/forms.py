"""Form bodies of callbacks: from raw bytes to fields, and from fields to text that can be stored.

A genuine signature covers the bytes that the carrier sent, also where they are no UTF-8 (case
SM8), so fields are decoded with `surrogateescape`: nothing is lost until the signature has been
checked, and `readable` makes storable text afterwards. Pure; no I/O.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

MAX_FIELDS = 200
MAX_BODY_BYTES = 1_000_000  # SEC26

# Embeddings, overrides and isolates turn the text around them; U+202E hides a file name's end.
_BIDI_CONTROLS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
# Lone surrogates that stand for no byte: half an emoji, decoded by somebody else.
_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_KEPT_CONTROLS = frozenset("\t\n\r")
_FIRST_PRINTABLE = 0x20
_DELETE_TO_C1 = range(0x7F, 0xA0)


class FormError(ValueError):
    """The body is no form that a carrier would send: too large, or too many fields."""


def read_form(body: bytes) -> list[tuple[str, str]]:
    """Fields of an `application/x-www-form-urlencoded` body, in order, repeats and all.

    Bytes that are no UTF-8 stay in the text as lone surrogates (`surrogateescape`), so that
    `to_bytes` gives them back. Raises FormError; total otherwise.
    """
    if len(body) > MAX_BODY_BYTES:
        raise FormError(f"The form has {len(body):,} bytes, more than {MAX_BODY_BYTES:,}.")
    pieces = [piece for piece in body.split(b"&") if piece]
    if len(pieces) > MAX_FIELDS:
        raise FormError(f"The form has {len(pieces):,} fields, more than {MAX_FIELDS}.")
    return [_field(piece) for piece in pieces]


def _field(piece: bytes) -> tuple[str, str]:
    name, _, value = piece.partition(b"=")
    return _decode(name), _decode(value)


def _decode(quoted: bytes) -> str:
    return unquote_to_bytes(quoted.replace(b"+", b" ")).decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """The bytes that `read_form` read; total, also for text of any other origin."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def repeated_names(fields: Iterable[tuple[str, str]]) -> set[str]:
    seen: set[str] = set()
    return {name for name, _ in fields if name in seen or seen.add(name)}


def readable(text: str) -> str:
    """Text that a database stores and a person can read; total (SM8).

    Broken UTF-8, zero bytes and other control characters become U+FFFD; controls that reverse
    the direction of writing are dropped.
    """
    mended = to_bytes(_HALVES.sub("\N{REPLACEMENT CHARACTER}", text)).decode("utf-8", "replace")
    return "".join(map(_readable_character, mended))


def _readable_character(character: str) -> str:
    if character in _BIDI_CONTROLS:
        return ""
    code = ord(character)
    if character not in _KEPT_CONTROLS and (code < _FIRST_PRINTABLE or code in _DELETE_TO_C1):
        return "\N{REPLACEMENT CHARACTER}"
    return character
