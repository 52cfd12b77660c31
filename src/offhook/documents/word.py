"""DOCX to blocks: paragraphs, lists, tables, text boxes, heads and feet of pages, footnotes (K1).

python-docx gives paragraphs and tables in their order; what it leaves out (text boxes, footnotes)
is read from the XML of ECMA-376 (WordprocessingML). Runs in the reading process only.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import docx
from docx.oxml.ns import qn
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph as WordParagraph

from offhook.documents.blocks import Block, Document, Heading, Item, Paragraph, Row, Table, markdown
from offhook.documents.bounds import MAX_UNPACKED_BYTES
from offhook.documents.problems import SourceNotText, SourceTooLarge, SourceUnreadable

TEXT_BOX = qn("w:txbxContent")
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
NOTES = ("word/footnotes.xml", "word/endnotes.xml")


def read(data: bytes, name: str) -> Document:
    """Raises one of problems.py."""
    notes = _checked(data, name)
    try:
        file = docx.Document(io.BytesIO(data))
        blocks = [*_body(file), *_margins(file), *_notes(notes)]
    except (KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as fault:
        raise _damaged(name) from fault
    return Document(markdown(blocks), title=(file.core_properties.title or "").strip())


def _checked(data: bytes, name: str) -> list[bytes]:
    """The parts with notes of a package that is safe to unpack."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            # zipfile unpacks no more of a part than its entry says.
            unpacked = sum(entry.file_size for entry in package.infolist())
            if unpacked > MAX_UNPACKED_BYTES:
                raise SourceTooLarge(
                    f"“{name}” unpacks to {unpacked / 1_048_576:,.0f} MB; 200 MB are allowed.",
                    remedy="Take out its pictures, or split it.",
                )
            names = set(package.namelist())
            if "word/document.xml" not in names:
                raise SourceNotText(
                    f"“{name}” is a ZIP archive, not a Word document.",
                    remedy="Save it as DOCX, PDF or plain text.",
                )
            return [package.read(part) for part in NOTES if part in names]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as fault:
        raise _damaged(name) from fault


def _damaged(name: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"“{name}” is damaged or not a Word document.",
        remedy="Open it in Word, save it again as DOCX, and upload that.",
    )


def _body(container: Any) -> Iterator[Block]:
    for each in container.iter_inner_content():
        if isinstance(each, WordTable):
            yield Table(_rows(each), _head_rows(each))
            yield from _boxes(_xml(each))
        else:
            yield from _paragraph(each)
            yield from _boxes(_xml(each))


def _paragraph(paragraph: WordParagraph) -> Iterator[Block]:
    text = paragraph.text.strip()
    if not text:
        return
    style = (paragraph.style.name if paragraph.style else "") or ""
    if level := re.fullmatch(r"Heading (\d)|Title", style):
        yield Heading(int(level[1] or 0) + 1, text)
    elif style.startswith("List") or _is_numbered(paragraph):
        yield Item(text)
    else:
        yield Paragraph(text)


def _is_numbered(paragraph: WordParagraph) -> bool:
    return bool(_xml(paragraph).xpath("./w:pPr/w:numPr"))


def _xml(part: Any) -> Any:
    return part._element  # noqa: SLF001 - python-docx offers no other way to what it leaves out


def _rows(table: WordTable) -> list[Row]:
    """Cells by column; None where a cell is merged with the one on its left."""
    rows: list[Row] = []
    for row in table.rows:
        before, cells = None, list[str | None]()
        for cell in row.cells:
            cells.append(None if _xml(cell) is before else " ".join(_texts(cell)))
            before = _xml(cell)
        rows.append(cells)
    return rows


def _texts(cell: Any) -> Iterator[str]:
    """What a cell says; a table inside it is read row by row."""
    for each in cell.iter_inner_content():
        if isinstance(each, WordTable):
            yield from ("; ".join(filter(None, row)) for row in _rows(each))
        else:
            yield each.text


def _head_rows(table: WordTable) -> int | None:
    """Rows that repeat on each page are heads (17.4.78 tblHeader); None when none is marked."""
    marked = _xml(table).xpath("./w:tr[w:trPr/w:tblHeader]")
    return len(marked) or None


def _boxes(element: Any) -> Iterator[Block]:
    """Text boxes; each stands twice in the file, the second time for old programs."""
    for box in element.iter(TEXT_BOX):
        if any(each.tag == FALLBACK for each in box.iterancestors()):
            continue
        for each in box:
            if each.tag == qn("w:p"):
                yield from _plain(each)
            elif each.tag == qn("w:tbl"):
                yield Table([[_text(cell) for cell in row.findall(qn("w:tc"))]
                             for row in each.findall(qn("w:tr"))])  # fmt: skip


def _plain(paragraph: Any) -> Iterator[Block]:
    if text := _text(paragraph):
        yield Paragraph(text)


def _text(element: Any) -> str:
    words = {qn("w:t"): None, qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n"}
    found = (
        each.text if each.tag == qn("w:t") else words[each.tag] for each in element.iter(*words)
    )
    return "".join(each or "" for each in found).strip()


def _margins(file: Any) -> Iterator[Block]:
    """Heads and feet of pages, each said once: a shop's address often stands nowhere else."""
    said: set[str] = set()
    for section in file.sections:
        for margin in (section.header, section.footer):
            for paragraph in margin.paragraphs:
                text = paragraph.text.strip()
                if re.search(r"[^\W\d_]{4}", text) and text not in said:
                    said.add(text)
                    yield Paragraph(text)


def _notes(parts: list[bytes]) -> Iterator[Block]:
    etree: Any = import_module("lxml.etree")
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for part in parts:
        for note in etree.fromstring(part, parser):
            if text := _text(note):
                yield Paragraph(text)
