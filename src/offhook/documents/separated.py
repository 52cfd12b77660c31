"""CSV files to one table: the separator is found, never assumed (K1, case CI1).

Pure; the encoding is decoding.py's.
"""

import csv
import re

from offhook.documents.blocks import Document, Table, markdown
from offhook.documents.decoding import decode
from offhook.documents.problems import SourceEmpty, SourceUnreadable

SEPARATORS = ",;\t|"
SAMPLE_CHARACTERS = 8_000
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
    """The separator that makes the most regular table of the text's beginning; a comma for none."""
    import clevercsv  # noqa: PLC0415 - on first use: it imports its own C parser

    try:
        found = clevercsv.Sniffer().sniff(text[:SAMPLE_CHARACTERS], delimiters=SEPARATORS)
    except clevercsv.Error:
        return ","
    separator = str(found.delimiter) if found is not None else ""
    return separator if separator and separator in SEPARATORS else ","


def _said(text: str) -> tuple[str, str]:
    """Spreadsheets write `sep=;` on a line of its own before the heads."""
    mark = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    return (text[mark.end() :], mark[1]) if mark else (text, "")


def _has_heads(rows: list[list[str]]) -> bool:
    """Heads are words: filled, all different, and not figures where the rows below have them."""
    first = [cell for cell in rows[0] if cell]
    figures = sum(bool(re.fullmatch(r"[\W\d]*\d[\W\d]*", cell)) for cell in first)
    return len(set(first)) == len(first) and not figures
