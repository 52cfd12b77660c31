"""Which reader a document is for, by its bytes first and its name second. Runs in the child."""

from importlib import import_module

from offhook.documents.blocks import Document
from offhook.documents.bounds import MAX_BYTES
from offhook.documents.decoding import decode
from offhook.documents.problems import SourceEmpty, SourceNotText, SourceTooLarge

TEXT_ENDINGS = (".txt", ".md", ".markdown", ".text")
READERS = {".pdf": "pdf", ".docx": "word", ".csv": "separated", ".tsv": "separated"}
ENDINGS = (*TEXT_ENDINGS, *READERS)
BY_TYPE = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
ZIP = b"PK\x03\x04"


def ending(name: str) -> str:
    """`.pdf` of `Menu.PDF`; "" where there is none."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot >= 0 else ""


def type_of(content_type: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def check(name: str, data: bytes, content_type: str = "") -> str:
    """The ending under which the document is read; by its type where it has one (a web page).

    Raises what can be said without reading it: SourceEmpty, SourceTooLarge, SourceNotText.
    """
    if not data:
        raise SourceEmpty(
            f"“{name}” is empty.", remedy="Check that the file was saved, and upload it again."
        )
    if len(data) > MAX_BYTES:
        raise SourceTooLarge(
            f"“{name}” has {len(data) / 1_048_576:.0f} MB; 25 MB are allowed.",
            remedy="Split it, or leave out what nobody asks about.",
        )
    if data[:1024].lstrip().startswith(b"%PDF"):
        return ".pdf"
    kind = BY_TYPE.get(type_of(content_type), "") if content_type else ending(name)
    if fault := _not_what_it_says(kind, data):
        raise SourceNotText(f"“{name}” {fault[0]}", remedy=fault[1])
    return kind


def _not_what_it_says(kind: str, data: bytes) -> tuple[str, str] | None:
    if data.startswith(OLD_OFFICE):
        return (
            "is an old Office document, or one that is locked with a password.",
            "Open it, save it as DOCX without a password, and upload that.",
        )
    if kind == ".docx" and not data.startswith(ZIP):
        return (
            "is not a Word document, whatever its name says.",
            "Open it in Word, save it as DOCX, and upload that.",
        )
    if kind == ".pdf":
        return ("is not a PDF, whatever its name says.", "Save it as PDF, and upload that.")
    if kind not in ENDINGS and kind != ".html":
        return (
            "is not a PDF, DOCX, CSV, TXT or MD file.",
            "Save it as one of these, or paste the text.",
        )
    return None


def read(name: str, data: bytes, content_type: str = "") -> Document:
    """The document as Markdown. Raises one of problems.py."""
    kind = check(name, data, content_type)
    if kind == ".html":
        return import_module("offhook.documents.web").read(data, name, content_type)
    if kind in TEXT_ENDINGS:
        return Document(decode(data, name))
    return import_module(f"offhook.documents.{READERS[kind]}").read(data, name)
