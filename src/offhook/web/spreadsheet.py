"""Cells of a CSV file that somebody opens in a spreadsheet (SEC8)."""

import csv
import io
import re
from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBERS = re.compile(r"\+[0-9]{1,15}( \+[0-9]{1,15})*")
"""One or several in E.164."""


def csv_cell(text: str) -> str:
    """Text that no spreadsheet runs as a formula: an apostrophe before what could be one.

    Numbers in E.164 keep their plus, which no formula can follow.
    """
    return f"'{text}" if text.startswith(FORMULA) and not NUMBERS.fullmatch(text) else text


def csv_line(cells: Iterable[str]) -> str:
    """A line of a CSV file, no cell of which a spreadsheet runs."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(map(csv_cell, cells))
    return written.getvalue()
