"""Cells of a CSV file that somebody opens in a spreadsheet (SEC8)."""

import re

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
E164 = re.compile(r"\+[0-9]{1,15}")


def csv_cell(text: str) -> str:
    """Text that no spreadsheet runs as a formula: an apostrophe before what could be one.

    A number in E.164 keeps its plus, which no formula can follow.
    """
    return f"'{text}" if text.startswith(FORMULA) and not E164.fullmatch(text) else text
