"""What a file is, by its first bytes; what is not in the table is a file to download. Pure.

Signatures: WHATWG MIME Sniffing, 6; RFC 4867 (AMR); ISO 14496-12 (the `ftyp` box); RFC 6350.
"""

UNKNOWN = "application/octet-stream"
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS\x00", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"%PDF-", "application/pdf"),
    (b"BEGIN:VCARD", "text/vcard"),
    (b"BEGIN:VCALENDAR", "text/calendar"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS: tuple[tuple[bytes, str], ...] = (
    (b"3g", "video/3gpp"),
    (b"M4A", "audio/mp4"),
    (b"qt", "video/quicktime"),
    (b"heic", "image/heic"),
    (b"mif1", "image/heic"),
    (b"", "video/mp4"),
)
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
SOUNDS = frozenset({"audio/ogg", "audio/mpeg", "audio/wav", "audio/mp4"})
FILMS = frozenset({"video/mp4", "video/3gpp", "video/quicktime"})
SHOWN = PICTURES | SOUNDS | FILMS
"""What every browser shows by itself, without running anything in it."""
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
    "audio/amr": "amr",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "video/quicktime": "mov",
    "application/pdf": "pdf",
    "text/vcard": "vcf",
    "text/calendar": "ics",
    UNKNOWN: "bin",
}


def kind_of(content: bytes) -> str:
    """The media type of `content`; UNKNOWN for everything else, HTML and SVG among it."""
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12], UNKNOWN)
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        return next(kind for beginning, kind in _BRANDS if brand.startswith(beginning))
    return UNKNOWN


def word_for(kind: str) -> str:
    """What a person calls it."""
    if kind.startswith("image/"):
        return "a picture"
    if kind.startswith("audio/"):
        return "a recording"
    if kind.startswith("video/"):
        return "a video"
    return {"text/vcard": "a contact card", "text/calendar": "an appointment"}.get(kind, "a file")
