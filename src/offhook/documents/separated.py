"""CSV files to one table: the separator is found, never assumed (K1, case CI1).

Pure; the encoding is decoding.py's.
"""

import csv
import re
from collections import Counter

from offhook.documents.blocks import Document, Table, markdown
from offhook.documents.decoding import decode
from offhook.documents.problems import SourceEmpty, SourceUnreadable

SEPARATORS = ",;\t|"
SAMPLE_ROWS = 200
MAX_COLUMNS = 200


def read(data: bytes, name: str) -> Document:
    """Raises one of problems.py; a file with heads alone has nothing to tell."""
    rows = rows_of(decode(data, name), name)
    if len(rows) < 2:  # noqa: PLR2004 - heads and a row
        raise SourceEmpty(
            f"“{name}” has no rows below its heads.", remedy="Check what was exported."
        )
    widest = max(map(len, rows))
    if widest > MAX_COLUMNS:
        raise SourceUnreadable(
            f"“{name}” has a row of {widest:,} columns; {MAX_COLUMNS} are read.",
            remedy="Check that it is a CSV file, and leave out columns that nobody asks about.",
        )
    return Document(markdown([Table(rows, 1 if _has_heads(rows) else 0)]))


def rows_of(text: str, name: str) -> list[list[str]]:
    """The rows that hold anything, each cell trimmed."""
    text, separator = _said(text)
    separator = separator or separator_of(text)
    csv.field_size_limit(1_000_000)
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=separator))
    except csv.Error as fault:
        raise SourceUnreadable(
            f"“{name}” is not a CSV file that can be read: {fault}.",
            remedy="Export it again as CSV in UTF-8.",
        ) from fault
    trimmed = [[cell.strip() for cell in row] for row in rows]
    return [row for row in trimmed if any(row)]


def separator_of(text: str) -> str:
    """The separator under which most rows have the same number of columns, more than one."""
    sample = text.splitlines(keepends=True)[: SAMPLE_ROWS * 2]
    return max(SEPARATORS, key=lambda each: _fit(sample, each))


def _said(text: str) -> tuple[str, str]:
    """Spreadsheets write `sep=;` on a line of its own before the heads."""
    mark = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    return (text[mark.end() :], mark[1]) if mark else (text, "")


def _fit(sample: list[str], separator: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(sample, delimiter=separator) if row]
    except csv.Error:
        return (0.0, 0)
    if not widths:
        return (0.0, 0)
    width, times = Counter(widths[:SAMPLE_ROWS]).most_common(1)[0]
    return (times / len(widths[:SAMPLE_ROWS]), width) if width > 1 else (0.0, 0)


def _has_heads(rows: list[list[str]]) -> bool:
    """Heads are words: filled, all different, and not figures where the rows below have them."""
    first = [cell for cell in rows[0] if cell]
    figures = sum(bool(re.fullmatch(r"[\W\d]*\d[\W\d]*", cell)) for cell in first)
    return len(set(first)) == len(first) and not figures
