"""PDF to blocks: headings by their size, paragraphs, lists, and tables with or without rulings.

PDFium reads a thousand pages in seconds and gives each letter's place (layout.py makes lines of
them); pdfplumber finds the cells of ruled tables on the pages that have rulings. Runs in the
reading process only.
"""

import ctypes
import io
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from offhook.documents.blocks import Document, Row, markdown
from offhook.documents.bounds import MAX_PAGES
from offhook.documents.layout import Box, Glyph, Page, Ruled, blocks, lines
from offhook.documents.problems import (
    SourceLocked,
    SourceScanned,
    SourceTooLarge,
    SourceUnreadable,
)

# A page with fewer words than this says nothing: a stamp, a page number.
MIN_CHARS_A_PAGE = 40
# Rulings of a table: at least a frame of four strokes.
MIN_STROKES = 4
LINE_ENDS = (10, 13)
LINE_END = Glyph("\n", Box(0, 0, 0, 0))
# pdfplumber takes 0.1 s and more for a page; what is left after this is read without rulings.
RULED_S = 25.0
PASSWORD_ERROR = 4


def read(data: bytes, name: str) -> Document:
    """Raises one of problems.py."""
    raw: Any = import_module("pypdfium2.raw")
    file = _opened(data, name)
    count = len(file)
    if count > MAX_PAGES:
        raise SourceTooLarge(
            f"“{name}” has {count:,} pages; {MAX_PAGES:,} are allowed.",
            remedy="Split it, or leave out what nobody asks about.",
        )
    ruled = _Ruled(data)
    pages = [_page(raw, file[index], index, ruled) for index in range(count)]
    written = markdown(blocks(pages))
    silent = sum(page.chars < MIN_CHARS_A_PAGE for page in pages)
    if not written or len(written) < MIN_CHARS_A_PAGE * (count if count > 1 else 0.5):
        raise SourceScanned(
            f"“{name}” has {_counted(count)} and hardly any text; it is probably scanned.",
            remedy="Upload one whose text can be selected, or paste the text.",
        )
    notes = [f"{silent} of {count} pages have no text; they are probably pictures."]
    title = str(file.get_metadata_dict().get("Title") or "").strip()
    return Document(written, title, count, notes if silent else [])


def _counted(pages: int) -> str:
    return "1 page" if pages == 1 else f"{pages} pages"


def _opened(data: bytes, name: str) -> Any:
    pdfium: Any = import_module("pypdfium2")
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as fault:
        if getattr(fault, "err_code", None) == PASSWORD_ERROR or "assword" in str(fault):
            raise SourceLocked(
                f"“{name}” is locked with a password.", remedy="Save it without, and upload that."
            ) from fault
        raise SourceUnreadable(
            f"“{name}” is damaged or not a PDF.", remedy="Save it again as PDF, and upload that."
        ) from fault


def _page(raw: Any, page: Any, index: int, ruled: "_Ruled") -> Page:
    height = page.get_height()
    strokes = sum(1 for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3))
    tables = ruled.tables(index, height) if strokes >= MIN_STROKES else []
    text = page.get_textpage()
    glyphs = list(_glyphs(raw, text))
    text.close()
    page.close()
    return Page(lines(glyphs, [each.box for each in tables]), tables)


def _glyphs(raw: Any, text: Any) -> Iterator[Glyph]:
    """The letters in the order in which they are drawn; a line's end is a line feed."""
    rect, flags, font = raw.FS_RECTF(), ctypes.c_int(), ctypes.create_string_buffer(128)
    size, bold = 0.0, False
    for index in range(raw.FPDFText_CountChars(text)):
        code = raw.FPDFText_GetUnicode(text, index)
        if code in LINE_ENDS:
            yield LINE_END
            continue
        raw.FPDFText_GetLooseCharBox(text, index, rect)
        height = rect.top - rect.bottom
        if height != size:  # asked once for each change: a font has one height
            size = height
            raw.FPDFText_GetFontInfo(text, index, font, len(font), ctypes.byref(flags))
            bold = b"bold" in font.value.lower()
        yield Glyph(chr(code), Box(rect.left, rect.bottom, rect.right, rect.top), bold)


class _Ruled:
    """Tables with rulings, as long as there is time for them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._file: Any = None
        self._until = time.monotonic() + RULED_S

    def tables(self, index: int, height: float) -> list[Ruled]:
        if time.monotonic() > self._until:
            return []
        if self._file is None:
            self._file = import_module("pdfplumber").open(io.BytesIO(self._data))
        page = self._file.pages[index]
        if page.rotation:
            return []
        found = [
            Ruled(_box(each.bbox, height), _cells(each.extract())) for each in page.find_tables()
        ]
        page.close()
        return [each for each in found if _is_table(each.rows)]


def _box(bbox: Sequence[float], height: float) -> Box:
    """From pdfplumber, which measures from the top, to PDFium, which does from the bottom."""
    left, top, right, bottom = bbox
    return Box(left, height - bottom, right, height - top)


def _cells(rows: Sequence[Sequence[str | None]]) -> list[Row]:
    return [[None if cell is None else " ".join(cell.split()) for cell in row] for row in rows]


def _is_table(rows: Sequence[Row]) -> bool:
    """At least two rows and columns, and more cells filled than not."""
    cells = [cell for row in rows for cell in row]
    columns = max((len(row) for row in rows), default=0)
    return len(rows) > 1 and columns > 1 and sum(bool(cell) for cell in cells) * 2 > len(cells)
