"""Bytes of text files and web pages to text, or a reason in words (K1, case KN1).

Text is never stored as garbage: what is not UTF-8, UTF-16 with its mark, or plainly one of the
old single-byte encodings, is refused. Pure; knows no sources and no database.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterable

from charset_normalizer import from_bytes

from offhook.documents.bounds import MAX_BYTES
from offhook.documents.problems import (
    SourceEmpty,
    SourceNotText,
    SourceTooLarge,
    SourceUnreadable,
)

MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# How files begin that are no text although some of them decode.
SIGNATURES = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\xd0\xcf\x11\xe0", "an old or a locked Office document"),
    (b"{\\rtf", "a rich text document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
    (b"RIFF", "a sound or film"),
    (b"ID3", "a sound"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
# Letters and marks that Western texts in windows-1252 use; whatever else appears inside a word
# shows that the bytes are of another encoding.
WESTERN_LETTERS = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŸŒŠŽßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœšž")
WESTERN_MARKS = frozenset("€‚„…‘’“”•–—™«»·°§©®´¡¿£¥½¼¾²³×\u00a0")
MAX_ACCENTED_SHARE = 0.3
# charset-normalizer's own measure of mess, 0 clean to 1; its default tolerates 0.2.
MAX_CHAOS = 0.1

# Names of encodings that browsers read as another one (WHATWG Encoding Standard, section 4.2).
READ_AS = {
    "iso8859-1": "windows-1252",
    "ascii": "windows-1252",
    "iso8859-9": "windows-1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}

# Control characters, byte order marks, and halves of surrogate pairs.
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")


def decode(data: bytes, name: str) -> str:
    """The text of the file called `name`, with line feeds and without control characters.

    Raises SourceEmpty, SourceTooLarge, SourceNotText or SourceUnreadable.
    """
    if len(data) > MAX_BYTES:
        raise SourceTooLarge(
            f"“{name}” has {len(data) / 1_048_576:.0f} MB; 25 MB are allowed.",
            remedy="Split it, or leave out what nobody asks about.",
        )
    text = clean(_decoded(data, name)) if data else ""
    if not text.strip():
        raise SourceEmpty(
            f"“{name}” is empty.", remedy="Check that the file was saved, and upload it again."
        )
    return text


def decode_declared(data: bytes, name: str, declared: Iterable[str]) -> str:
    """As `decode`, for bytes that come with the names of encodings they are said to be in.

    UTF-8 that reads without a fault is UTF-8 whatever was said; a name that is unknown or does
    not fit the bytes is passed over.
    """
    marked = any(data.startswith(mark) for mark, _ in MARKS)
    if not marked and not _is_utf8(data) and len(data) <= MAX_BYTES:
        for label in declared:
            text = _as_declared(data, label)
            if text is not None and text.strip():
                return clean(text)
    return decode(data, name)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return b"\x1b" not in data  # ISO-2022 writes every letter in ASCII behind escapes
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _as_declared(data: bytes, label: str) -> str | None:
    try:
        # A label is sometimes typed with a dash of the wrong kind.
        known = codecs.lookup(re.sub(r"[\u2010-\u2015]", "-", label).strip().lower()).name
        encoding = READ_AS.get(known, known)
        text = data.decode(encoding)
    except (LookupError, UnicodeError, ValueError):
        return None
    # Nearly all bytes can be read as windows-1252, so that name alone proves nothing.
    return None if encoding == "windows-1252" and not is_western(text) else text


def clean(text: str) -> str:
    """Composed, with line feeds, and without what a database or a voice cannot take."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return UNWANTED.sub("", text)


def _decoded(data: bytes, name: str) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _strict(data, encoding, name)
    for signature, kind in SIGNATURES:
        if data.startswith(signature):
            raise _not_text(name, kind)
    if b"\x00" in data:
        raise _not_text(name, "a binary file")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _old_encoding(data, name)
    if text.count("\ufffd") > len(text) // 100:
        raise _unreadable(name)
    return text


def _strict(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise _unreadable(name) from None


def _old_encoding(data: bytes, name: str) -> str:
    try:
        western = data.decode("windows-1252")
    except UnicodeDecodeError:
        western = ""
    if western and is_western(western):
        return western
    best = from_bytes(data).best()
    if best is None or best.chaos > MAX_CHAOS or (best.coherence == 0 and len(data) < 4096):  # noqa: PLR2004 - too little to judge
        raise _unreadable(name)
    return str(best)


def is_western(text: str) -> bool:
    """Whether `text` reads as a Western European language that was saved as windows-1252."""
    beyond = [each for each in text if ord(each) > 127]  # noqa: PLR2004 - ASCII
    if any(each not in WESTERN_LETTERS and each not in WESTERN_MARKS for each in beyond):
        return False
    if re.search(r"[A-Za-z][¡¿£¥½¼¾²³×°§©®][A-Za-z]", text):
        return False
    letters = sum(each.isalpha() for each in text)
    accented = sum(each in WESTERN_LETTERS for each in beyond)
    return accented <= MAX_ACCENTED_SHARE * max(letters, 1)


def _not_text(name: str, kind: str) -> SourceNotText:
    return SourceNotText(
        f"“{name}” is {kind}, which cannot be read as text.",
        remedy="Upload a PDF, DOCX, CSV, TXT or MD file under its own ending, or paste the text.",
    )


def _unreadable(name: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"The encoding of “{name}” could not be recognised.",
        remedy="Save it as UTF-8 and upload it again, or paste the text.",
    )
