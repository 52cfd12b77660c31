"""Documents of every kind, made for the tests."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import docx
from docx.oxml import parse_xml
from fpdf import FPDF
from fpdf.enums import AccessPermission

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PRICES = (
    ("Rye sourdough", "1 kg", "6.40"),
    ("Country white", "750 g", "4.20"),
    ("Wholemeal spelt", "500 g", "5.80"),
    ("Baguette", "250 g", "1.90"),
    ("Olive focaccia", "400 g", "4.60"),
    ("Butter croissant", "80 g", "1.80"),
    ("Almond croissant", "100 g", "2.60"),
    ("Cinnamon roll", "110 g", "2.90"),
    ("Carrot cake", "130 g", "4.10"),
    ("Chocolate torte", "1.2 kg", "38.00"),
    ("Plum tart", "150 g", "3.70"),
    ("Seeded roll", "90 g", "0.95"),
)
PROSE = (
    "We bake every day but Sunday. The oven is lit at four in the morning, and the first loaves "
    "are on the shelf at seven, when the door opens and the neighbourhood wakes up."
)


def pdf(draw: Callable[[FPDF], None], **options: Any) -> bytes:
    """A PDF that `draw` fills, one page begun."""
    file = FPDF()
    file.set_font("helvetica", size=11)
    file.add_page()
    if options:
        file.set_encryption(**options)
    draw(file)
    return bytes(file.output())


def say(file: FPDF, text: str, *, size: float = 11, style: str = "") -> None:
    file.set_font("helvetica", style, size)  # pyright: ignore[reportArgumentType] - "" and "B"
    file.multi_cell(0, size / 2, text, new_x="LMARGIN", new_y="NEXT")
    file.ln(size / 3)
    file.set_font("helvetica", size=11)


def aligned(file: FPDF, rows: Sequence[Sequence[str]]) -> None:
    """A table without rulings: columns are told by their places alone."""
    for row in rows:
        for index, cell in enumerate(row):
            file.cell(60, 7, cell, align="L" if index == 0 else "R")
        file.ln()


def ruled(file: FPDF, rows: Sequence[Sequence[str]]) -> None:
    with file.table() as table:
        for row in rows:
            table.row(row)


def by_column(file: FPDF, rows: Sequence[Sequence[str]]) -> None:
    """A table that is drawn column by column, as layout programs do."""
    top = file.get_y()
    for index in range(len(rows[0])):
        file.set_y(top)
        for row in rows:
            file.set_x(20 + 50 * index)
            file.cell(40, 7, row[index], new_x="LMARGIN", new_y="NEXT")


def word(fill: Callable[[Any], None]) -> bytes:
    file = docx.Document()
    fill(file)
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def text_box(file: Any, *lines: str) -> None:
    """A text box as Word writes it: once for itself, once more for programs before 2010."""
    inside = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines)
    box = f"<w:txbxContent>{inside}</w:txbxContent>"
    file.add_paragraph()._p.append(
        parse_xml(
            f'<w:r {W} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
            'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
            'xmlns:v="urn:schemas-microsoft-com:vml"><mc:AlternateContent>'
            f'<mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx>{box}</wps:txbx></wps:wsp>'
            f"</w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict>"
            "</mc:Fallback></mc:AlternateContent></w:r>"
        )
    )


def table(file: Any, rows: Sequence[Sequence[str]]) -> Any:
    made = file.add_table(len(rows), len(rows[0]))
    for row, cells in zip(made.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    return made


def with_part(package: bytes, name: str, data: bytes) -> bytes:
    """The package with one more part in it."""
    import zipfile

    out = io.BytesIO(package)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return out.getvalue()


def footnotes(*texts: str) -> bytes:
    notes = "".join(
        f'<w:footnote w:id="{number}"><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:footnote>'
        for number, text in enumerate(texts, 2)
    )
    return f"<w:footnotes {W}>{notes}</w:footnotes>".encode()


LOCKED = {
    "owner_password": "owner",
    "user_password": "secret",
    "permissions": AccessPermission.none(),
}
"""Needs a password to be read; without `user_password` only to be changed."""
