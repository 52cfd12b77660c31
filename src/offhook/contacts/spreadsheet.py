"""CSV files as spreadsheets write them: encoding, separator, head, what a cell means (P7). Pure.

What can be known is found (byte order marks, valid UTF-8, the separator); what
cannot is proposed, and the person who imports sees the first rows and may choose otherwise. A cell
that a spreadsheet has spoilt is refused with its reason, never guessed (P6).
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from offhook import documents, phone
from offhook.contacts import rules
from offhook.contacts.rules import NAME, Attribute, ValueInvalid
from offhook.errors import Invalid
from offhook.phone import PhoneNumberInvalid, Written

MAX_BYTES = 10_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 200
SAMPLE_ROWS = 20
MIN_NUMBER_DIGITS = 7
NUMBER = "number"
"""The meaning of the column that holds the telephone number."""
SEPARATORS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ENCODINGS: Mapping[str, str] = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16-le": "Unicode (UTF-16, as “Unicode text”)",
    "utf-16-be": "Unicode (UTF-16, big endian)",
    "cp1252": "Western European (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp932": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "cp949": "Korean (Windows-949)",
}
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)
ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*[eE]\s*\+?\d+")
HEADS: Mapping[str, str] = {
    **dict.fromkeys(
        ("phone", "phone number", "number", "mobile", "mobile phone", "telephone", "tel", "cell"),
        NUMBER,
    ),
    **dict.fromkeys(("telefon", "telefonnummer", "handy", "téléphone", "teléfono"), NUMBER),
    **dict.fromkeys(("phone 1 - value", "primary phone", "caller"), NUMBER),
    **dict.fromkeys(("name", "full name", "contact", "contact name", "nom", "nombre"), NAME),
    **dict.fromkeys(("first name", "given name", "firstname", "vorname"), rules.FIRST_NAME),
    **dict.fromkeys(("last name", "family name", "surname", "nachname"), rules.LAST_NAME),
    **dict.fromkeys(("email", "e-mail", "email address", "mail"), rules.EMAIL),
    **dict.fromkeys(("company", "organisation", "organization", "firma"), rules.COMPANY),
    **dict.fromkeys(("job title", "title", "position"), "job_title"),
    **dict.fromkeys(("location", "city", "place", "ort"), "location"),
}


class FileUnusable(Invalid):
    """The file is no CSV, or cannot be read the way that was chosen."""

    code = "import_file_unusable"


@dataclass(frozen=True, slots=True)
class Way:
    """How a file is read."""

    encoding: str
    separator: str


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where the row begins in the file, from 1, as an editor counts."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    head: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Meant:
    """What a row says."""

    line: int
    number: Written
    values: Mapping[str, str]


def detect(data: bytes) -> Way:
    """How the file is most likely to be read. Raises FileUnusable for what is no CSV."""
    _refuse_others(data)
    encoding = _encoding(data)
    text = decoded(data, encoding)
    if named := SEP_LINE.match(text):
        return Way(encoding, named[1])
    return Way(encoding, documents.separator_of(text))


def decoded(data: bytes, encoding: str) -> str:
    """The text without its byte order mark. Raises FileUnusable."""
    if encoding not in ENCODINGS:
        raise FileUnusable(
            f"“{encoding[:40]}” is no encoding that can be chosen.",
            remedy=f"Use one of: {', '.join(ENCODINGS)}.",
        )
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise FileUnusable(
            f"Byte {error.start + 1} of the file is not {ENCODINGS[encoding]}.",
            remedy="Choose another encoding, or save the file as CSV UTF-8.",
        ) from None


def read(data: bytes, way: Way) -> Sheet:
    """The whole file. Raises FileUnusable: too many rows or columns, no row, a broken quote."""
    named = SEP_LINE.match(decoded(data, way.encoding))
    if way.separator not in {*SEPARATORS, *(named.groups() if named else ())}:
        raise FileUnusable(
            f"“{way.separator[:10]}” is no separator that can be chosen.",
            remedy=f"Use a {', '.join(SEPARATORS.values())}.",
        )
    rows = list(islice(_rows(data, way), MAX_ROWS + 2))
    if len(rows) > MAX_ROWS + 1:
        raise FileUnusable(
            f"The file has more than {MAX_ROWS:,} rows.", remedy="Split it into several files."
        )
    if rows and max(len(row.cells) for row in rows) > MAX_COLUMNS:
        raise FileUnusable(
            f"A row has more than {MAX_COLUMNS} columns.", remedy="Choose another separator."
        )
    has_head = bool(rows) and not any(_looks_like_a_number(cell) for cell in rows[0].cells)
    below = rows[1:] if has_head else rows
    if not below:
        raise FileUnusable(
            "The file has no rows below its head.", remedy="Export it again with its rows."
        )
    width = max(len(row.cells) for row in rows)
    given = [rules.tidy(cell) for cell in rows[0].cells] if has_head else []
    head = [
        given[index] if index < len(given) and given[index] else f"Column {index + 1}"
        for index in range(width)
    ]
    return Sheet(head, below)


def guess(sheet: Sheet, attributes: Sequence[Attribute]) -> list[str]:
    """What each column means, by its head, each meaning once; "" for what is left out."""
    known = dict(HEADS)
    known |= {each.label.casefold(): each.key for each in attributes}
    known |= {each.key: each.key for each in attributes}
    meant: list[str] = []
    for name in sheet.head:
        meaning = known.get(name.casefold(), "")
        meant.append("" if meaning in meant else meaning)
    if NUMBER not in meant and (column := _column_of_numbers(sheet)) is not None:
        meant[column] = NUMBER
    return meant


def row_meaning(
    row: Row, columns: Sequence[str], attributes: Mapping[str, Attribute], country: str
) -> Meant:
    """Raises PhoneNumberInvalid or ValueInvalid with the reason why a row cannot be taken."""
    cells = dict(zip(columns, row.cells, strict=False))
    values: dict[str, str] = {}
    for key, cell in cells.items():
        if key == NAME:
            values[key] = _name(cell)
        elif key in attributes:
            values[key] = rules.read_value(attributes[key], _bare(cell), country)
    return Meant(
        row.line,
        read_number(cells.get(NUMBER, ""), country),
        {key: text for key, text in values.items() if text},
    )


def read_number(cell: str, country: str) -> Written:
    """A number as a spreadsheet holds it. Raises PhoneNumberInvalid."""
    text = _bare(cell)
    if not text:
        raise PhoneNumberInvalid("There is no number.", remedy="Fill it in.")
    if ROUNDED.fullmatch(text):
        raise PhoneNumberInvalid(
            f"“{text[:40]}” was rounded by the spreadsheet, its last digits are lost.",
            remedy="Give the column the format Text, and enter the number again.",
        )
    if text.startswith("="):
        raise PhoneNumberInvalid(f"“{text[:40]}” is a formula.", remedy="Write the number itself.")
    digits = re.sub(r"[^\d+]", "", text)
    if digits and phone.is_hidden(digits):
        raise PhoneNumberInvalid(
            f"“{text[:40]}” stands for callers who hide their number.", remedy="Leave it out."
        )
    return phone.read(text, country)


def _bare(cell: str) -> str:
    """Without the apostrophe by which a spreadsheet marks text."""
    return rules.tidy(cell).removeprefix("'").strip()


def _name(cell: str) -> str:
    name = _bare(cell)
    if len(name) > rules.MAX_NAME_CHARACTERS:
        raise ValueInvalid(
            f"The name has {len(name)} characters.",
            remedy=f"Use at most {rules.MAX_NAME_CHARACTERS}.",
        )
    return name


def _refuse_others(data: bytes) -> None:
    start = data[:1_024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not data.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise FileUnusable("The file is empty.", remedy="Export it again.")
    if len(data) > MAX_BYTES:
        raise FileUnusable(
            f"The file has {len(data):,} bytes.", remedy=f"Use at most {MAX_BYTES:,}."
        )
    if start.startswith((b"pk\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileUnusable("This is an Excel workbook.", remedy="Save it as CSV UTF-8 in Excel.")
    if start.startswith((b"<!doctype", b"<html", b"<table", b"<?xml", b"<meta", b"<head")):
        raise FileUnusable(
            "This is a web page, although it may be named .csv.",
            remedy="Open it in a spreadsheet and save it as CSV UTF-8.",
        )
    if start.startswith((b"%pdf", b"{\\rtf")):
        raise FileUnusable("This is a document, not a table.", remedy="Save the table as CSV.")


def _encoding(data: bytes) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return encoding
    sample = data[:4_096]
    if len(sample) > 1 and sample.count(0) > len(sample) // 4:  # ASCII in 16 bits
        return "utf-16-le" if sample[1] == 0 else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _rows(data: bytes, way: Way) -> Iterator[Row]:
    text = decoded(data, way.encoding)
    skipped = 0
    if named := SEP_LINE.match(text):
        text, skipped = text[named.end() :], 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=way.separator, strict=True)
    line = skipped + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(line, cells)
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise FileUnusable(
            f"Line {line} cannot be read ({error}).",
            remedy="Choose another separator, or mend the quotes of that line.",
        ) from None


def _looks_like_a_number(cell: str) -> bool:
    bare = _bare(cell)
    digits = sum(map(str.isdigit, bare))
    return digits >= MIN_NUMBER_DIGITS and not re.search(r"[A-DF-Za-df-z]", bare)


def _column_of_numbers(sheet: Sheet) -> int | None:
    """The column most of whose first cells look like numbers."""
    sample = sheet.rows[:SAMPLE_ROWS]
    counts = [
        sum(index < len(row.cells) and _looks_like_a_number(row.cells[index]) for row in sample)
        for index in range(len(sheet.head))
    ]
    best = max(range(len(counts)), key=counts.__getitem__, default=None)
    return best if best is not None and counts[best] * 2 > len(sample) else None
