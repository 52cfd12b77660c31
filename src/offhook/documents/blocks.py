"""Headings, paragraphs, lists and tables of any document, and their Markdown.

Every reader of a format makes blocks; `markdown` writes them as the text that people see and
that is cut into passages. A table's price stays with its product because each row is written
under its heads (K1). Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from offhook.documents.bounds import MAX_TEXT_CHARS
from offhook.documents.decoding import clean
from offhook.documents.problems import SourceTooLarge

Row = Sequence[str | None]
"""A row of cells; None continues the merged cell on its left."""

MAX_HEADING_LEVEL = 6
MAX_HEAD_CHARS = 60


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Its lines are set apart on purpose: an address, hours day by day."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """`head_rows` None: it is guessed whether the first rows are heads."""

    rows: Sequence[Row]
    head_rows: int | None = None


Block = Heading | Paragraph | Item | Table


@dataclass(frozen=True, slots=True)
class Document:
    """What was read: Markdown, its own title, its pages, and what a person should know.

    `doubt` says of a web page why it may not be the one that was asked for (walls.py).
    """

    text: str
    title: str = ""
    pages: int = 1
    notes: list[str] = field(default_factory=list[str])
    doubt: str = ""


def markdown(blocks: Iterable[Block]) -> str:
    """The blocks as text, a blank line between them but not between a list's entries.

    Raises SourceTooLarge when it grows beyond what is kept.
    """
    parts: list[str] = []
    size, last = 0, None
    for block in blocks:
        written = _written(block)
        if not written:
            continue
        joined = "\n" if isinstance(block, Item) and isinstance(last, Item) else "\n\n"
        parts += [joined, written] if parts else [written]
        last = block
        size += len(written)
        if size > MAX_TEXT_CHARS:
            raise SourceTooLarge(
                f"It has more than {MAX_TEXT_CHARS // 1_000_000} million characters of text.",
                remedy="Split it, or leave out what nobody asks about.",
            )
    return clean("".join(parts))


def _written(block: Block) -> str:
    if isinstance(block, Table):
        return table(block.rows, block.head_rows)
    if isinstance(block, Paragraph):
        return "\n".join(filter(None, map(line, block.text.split("\n"))))
    text = line(block.text)
    if not text:
        return ""
    if isinstance(block, Heading):
        return f"{'#' * min(block.level, MAX_HEADING_LEVEL)} {text}"
    return f"- {text}"


def line(text: str) -> str:
    """On one line, single spaces."""
    return " ".join(text.split())


def table(rows: Sequence[Row], head_rows: int | None = None) -> str:
    """A Markdown table; a first row that is one cell over all columns becomes a line above it."""
    kept = [row for row in rows if any(cell and cell.strip() for cell in row)]
    title = ""
    if len(kept) > 1 and _is_title(kept[0]):
        title, kept = line(kept[0][0] or ""), kept[1:]
        head_rows = head_rows - 1 if head_rows else None
    if not kept:
        return title
    count = _head_rows(kept) if head_rows is None else min(head_rows, len(kept) - 1)
    width = max(len(row) for row in kept)
    body = [_filled(row, width) for row in kept[count:]]
    head = _heads([_filled(row, width) for row in kept[:count]], width)
    used = [index for index in range(width) if any(row[index] for row in body)]
    lines = [_row([cells[index] for index in used]) for cells in (head, *body)]
    lines.insert(1, _row(["---"] * len(used)))
    written = "\n".join(lines)
    return f"{title}:\n\n{written}" if title else written


def _is_title(row: Row) -> bool:
    return len(row) > 1 and bool(row[0]) and all(cell is None for cell in row[1:])


def _head_rows(rows: Sequence[Row]) -> int:
    """Two when the first row merges cells of the second, none when the first has figures."""
    first = rows[0]
    if len(rows) == 1 or any(re.search(r"\d", cell or "") for cell in first[1:]):
        return 0
    if any(len(cell or "") > MAX_HEAD_CHARS for cell in first):
        return 0
    merged = any(cell is None for cell in first[1:])
    return 2 if merged and len(rows) > 2 and not _has_amounts(rows[1]) else 1  # noqa: PLR2004 - two heads and a row


def _has_amounts(row: Row) -> bool:
    return any(re.search(r"\d[.,:]\d\d\b|[€$£]", cell or "") for cell in row[1:])


def _filled(row: Row, width: int) -> list[str]:
    """Each cell's text, that of a merged one in all its columns."""
    cells: list[str] = []
    for cell in row:
        text = cells[-1] if cell is None and cells else _cell(cell or "")
        cells.append(text)
    return cells + [""] * (width - len(cells))


def _heads(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    return [
        " ".join(dict.fromkeys(row[index] for row in rows if row[index])) for index in range(width)
    ]


def _cell(text: str) -> str:
    return line(text).replace("|", "/")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
