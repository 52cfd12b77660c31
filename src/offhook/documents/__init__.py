"""Files and web pages to text, in a process of its own with bounds (K1, KN1, KN2).

    async with Reader() as reader:
        document = await reader.read("menu.pdf", data)      # document.text is Markdown

`check` says at once what is wrong with bytes; `decode` reads plain text in any encoding that can
be told. Knows no sources, no passages and no database; a parser runs in the child alone.
"""

from offhook.documents.blocks import Document
from offhook.documents.bounds import MAX_BYTES, MAX_PAGES
from offhook.documents.decoding import clean, decode
from offhook.documents.problems import (
    SourceEmpty,
    SourceLocked,
    SourceNotText,
    SourceScanned,
    SourceTooLarge,
    SourceTooSlow,
    SourceUnreadable,
)
from offhook.documents.process import Reader
from offhook.documents.reading import ENDINGS, TEXT_ENDINGS, check, ending
from offhook.documents.separated import separator_of
from offhook.documents.sitemap import Sitemap

__all__ = [
    "ENDINGS",
    "MAX_BYTES",
    "MAX_PAGES",
    "TEXT_ENDINGS",
    "Document",
    "Reader",
    "Sitemap",
    "SourceEmpty",
    "SourceLocked",
    "SourceNotText",
    "SourceScanned",
    "SourceTooLarge",
    "SourceTooSlow",
    "SourceUnreadable",
    "check",
    "clean",
    "decode",
    "ending",
    "separator_of",
]
