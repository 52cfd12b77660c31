"""The price list as CSV: written with what is in force and to come, read back with the same checks.

A cell that a spreadsheet could take for a formula is led by an apostrophe (SEC8). Reading is all or
nothing: every fault of every line is named.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from offhook.prices import drafts
from offhook.prices.rules import Price
from offhook.prices.service import Listed
from offhook.web import csv_line

MAX_ROWS = 2000


def written(listed: Sequence[Listed]) -> str:
    """One line for each version in force and each to come, times in UTC."""
    lines = [csv_line(drafts.FIELDS)]
    for each in listed:
        now = (each.in_force,) if each.in_force else ()
        lines += [csv_line(_row(price)) for price in (*now, *each.scheduled)]
    return "".join(lines)


def read(
    text: str, *, zone: str, present: datetime, known: Sequence[Price] = ()
) -> tuple[list[Price], int]:
    """The versions that `text` adds, and how many of its lines are on the list already.

    A line equal to one of `known` changes nothing, so that an exported file can be edited and sent
    back whole. Raises PriceInvalid with the line of each fault.
    """
    # With `newline=""` as the csv module wants it: lines of a spreadsheet may end in any way.
    lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        return _read(lines, zone=zone, present=present, known=known)
    except csv.Error:
        raise _invalid([_fault(lines.line_num, "", "This cannot be read as CSV.")]) from None


def _read(
    lines: "csv.DictReader[str]", *, zone: str, present: datetime, known: Sequence[Price]
) -> tuple[list[Price], int]:
    missing = [name for name in drafts.FIELDS if name not in (lines.fieldnames or ())]
    if missing:
        raise _invalid([_fault(1, "", f"The columns {', '.join(missing)} are missing.")])
    found: list[Price] = []
    unchanged, faults = 0, list[dict[str, str | int]]()
    seen: dict[tuple[object, ...], int] = {_key(price): 0 for price in known}
    same = {_row(price) for price in known}
    for row in lines:
        at = lines.line_num
        if at > MAX_ROWS:
            raise _invalid([_fault(at, "", f"More than {MAX_ROWS:,} lines.")])
        fields = {name: (row.get(name) or "").removeprefix("'") for name in drafts.FIELDS}
        try:
            price = drafts.read(fields, zone=zone)
        except drafts.PriceInvalid as fault:
            faults += [_fault(at, e["field"], e["sentence"]) for e in fault.details["errors"]]
            continue
        if _row(price) in same:
            unchanged += 1
            continue
        try:
            drafts.check_start(price.valid_from, present)
        except drafts.PriceInPast as fault:
            faults.append(_fault(at, "valid_from", fault.sentence))
            continue
        if _key(price) in seen:
            other = seen[_key(price)]
            where = f"line {other}" if other else "a version on the list"
            faults.append(_fault(at, "valid_from", f"It begins at the same instant as {where}."))
            continue
        seen[_key(price)] = at
        found.append(price)
    if faults:
        raise _invalid(faults)
    return found, unchanged


def _key(price: Price) -> tuple[object, ...]:
    return (*price.kind, price.valid_from)


def _row(price: Price) -> tuple[str, ...]:
    amounts = (getattr(price, name).amount for name in drafts.AMOUNTS)
    return (*price.kind, *amounts, price.valid_from.isoformat())


def _fault(line: int, field: str, sentence: str) -> dict[str, str | int]:
    return {"line": line, "field": field, "sentence": f"Line {line}: {sentence}"}


def _invalid(faults: list[dict[str, str | int]]) -> drafts.PriceInvalid:
    first = " ".join(str(fault["sentence"]) for fault in faults[:5])
    more = f" And {len(faults) - 5} more." if len(faults) > 5 else ""  # noqa: PLR2004 - as above
    return drafts.PriceInvalid(
        first + more, remedy="Nothing was added: correct the file and send it again.", errors=faults
    )
