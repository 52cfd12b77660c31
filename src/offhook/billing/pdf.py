"""An invoice as PDF (A4): the parties, the lines, the sums, what is to be paid.

Says what the invoice's row and lines say and nothing else, so that it is the same at any time.
Roboto has Latin, Greek and Cyrillic; what it lacks is taken from the operator's own font where one
is set, and is else written in Latin letters. Knows no database.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from anyascii import anyascii
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from offhook import phone
from offhook.billing.models import Invoice, InvoiceLine
from offhook.billing.totals import InvoiceState, LineKind
from offhook.prices import Money
from offhook.web import money_text

MARGIN_MM = 18
WIDTH_MM = 210 - 2 * MARGIN_MM
LINE_MM = 5
INK, MUTED, RULE = (24, 24, 27), (113, 113, 122), (220, 220, 224)
# Description, number, units, free, price, amount.
COLUMNS_MM = (66, 36, 16, 12, 20, 24)
HEADS = ("Description", "Number", "Units", "Free", "Price", "Amount")
FONT, FALLBACK = "roboto", "fallback"


def render(
    invoice: Invoice, lines: Sequence[InvoiceLine], *, fallback_font: Path | None = None
) -> bytes:
    """The document's bytes. `fallback_font`: a TrueType font for what Roboto lacks."""
    document = _Document(invoice, fallback_font)
    document.add_page()
    document.parties()
    document.lines(lines)
    document.sums()
    document.notes()
    return bytes(document.output())


@cache
def _font(name: str) -> Path:
    return Path(str(files("font_roboto").joinpath("files", f"Roboto-{name}.ttf")))


@cache
def _letters(path: Path) -> frozenset[int]:
    """The characters that a font can show."""
    with TTFont(path, fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap() or {})


class _Document(FPDF):
    """One invoice; FPDF calls `footer` at the end of each page."""

    def __init__(self, invoice: Invoice, fallback_font: Path | None) -> None:
        super().__init__(format="A4")
        self._invoice = invoice
        self._known = _letters(_font("Regular"))
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.c_margin = 0
        self.set_auto_page_break(auto=True, margin=26)
        self.add_font(FONT, "", _font("Regular"))
        self.add_font(FONT, "B", _font("Medium"))
        if fallback_font is not None:
            self._known |= _letters(fallback_font)
            self.add_font(FALLBACK, "", fallback_font)
            self.set_fallback_fonts([FALLBACK], exact_match=False)
        self.set_title(f"Invoice {invoice.number}")
        self.set_author(str(invoice.seller.get("name", "")))
        self.set_creation_date(invoice.finalized_at)
        self.set_lang("en")

    def parties(self) -> None:
        """Who, to whom, which month, which number."""
        seller, buyer, invoice = self._invoice.seller, self._invoice.buyer, self._invoice
        self._ink(INK, 20, "B")
        self.cell(WIDTH_MM, 10, "Invoice", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(4)
        top = self.get_y()
        left = self._block("From", seller, MARGIN_MM, top)
        middle = self._block("To", buyer, MARGIN_MM + 62, top)
        zone = ZoneInfo(invoice.zone)
        facts = [
            ("Number", invoice.number),
            ("Date", _day(invoice.finalized_at, zone)),
            ("Month", _span(invoice, zone)),
            ("Time zone", invoice.zone),
        ]
        right = self._facts(facts, MARGIN_MM + 118, top)
        self.set_y(max(left, middle, right) + 8)

    def lines(self, lines: Sequence[InvoiceLine]) -> None:
        self._heads()
        for line in lines:
            if self.will_page_break(2 * LINE_MM + 3):
                self.add_page()
                self._heads()
            self._line(line)
        self.ln(3)

    def sums(self) -> None:
        """Net, tax, what was carried, what is due."""
        invoice = self._invoice
        rows = [("Net", invoice.net, False)]
        if invoice.tax.get("label"):
            rows.append((str(invoice.tax["label"]), invoice.tax_money, False))
        rows.append(("Total", invoice.total, True))
        if invoice.balance_before:
            what = (
                "Credit" if invoice.balance_before < Money(0, invoice.currency) else "Open amount"
            )
            rows.append((f"{what} from before", invoice.balance_before, False))
        if invoice.balance_after:
            rows.append(("Carried to the next invoice", -invoice.balance_after, False))
        if invoice.due != invoice.total:
            rows.append(("To pay", invoice.due, True))
        if self.will_page_break(7 * len(rows)):
            self.add_page()
        for label, amount, is_bold in rows:
            self._ink(INK, 10 if is_bold else 9, "B" if is_bold else "")
            self.set_x(MARGIN_MM + 90)
            self.cell(WIDTH_MM - 90 - 30, 6.5, self._shown(label))
            self.cell(30, 6.5, money_text(amount), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def notes(self) -> None:
        """How it is paid, what tax law wants to read, the operator's own words."""
        invoice = self._invoice
        self.ln(6)
        self._ink(INK, 9)
        note = str(invoice.tax.get("note", ""))
        for text in (_payment(invoice), note, str(invoice.seller.get("footer", ""))):
            if text:
                self.multi_cell(
                    WIDTH_MM, LINE_MM, self._shown(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT
                )
                self.ln(1.5)

    def footer(self) -> None:
        self.set_y(-16)
        self._ink(MUTED, 8)
        name = self._shown(str(self._invoice.seller.get("name", "")))
        page = f"Invoice {self._invoice.number}, page {self.page_no()} of {{nb}}"
        self.cell(WIDTH_MM / 2, 5, page)
        self.cell(WIDTH_MM / 2, 5, name, align="R")

    def _block(self, title: str, party: dict[str, str], x: float, top: float) -> float:
        """A party's name and address; the height that it reaches."""
        self.set_xy(x, top)
        self._ink(MUTED, 8)
        self.cell(56, LINE_MM, title)
        written = [
            *str(party.get("address", "")).splitlines(),
            str(party.get("country_name", "")),
            f"Tax ID {party['tax_id']}" if party.get("tax_id") else "",
            str(party.get("email", "")),
        ]
        self.set_xy(x, top + LINE_MM)
        self._ink(INK, 10, "B")
        self._wrapped(x, 56, str(party.get("name", "")) or "–")
        self._ink(INK, 9)
        for text in filter(None, written):
            self._wrapped(x, 56, text)
        return self.get_y()

    def _facts(self, facts: Sequence[tuple[str, str]], x: float, top: float) -> float:
        self.set_xy(x, top)
        for label, value in facts:
            self._ink(MUTED, 8)
            self.set_x(x)
            self.cell(18, LINE_MM, label)
            self._ink(INK, 9)
            self._wrapped(x + 18, WIDTH_MM + MARGIN_MM - x - 18, value)
        return self.get_y()

    def _heads(self) -> None:
        self._ink(MUTED, 8)
        for head, width in zip(HEADS, COLUMNS_MM, strict=True):
            self.cell(width, 6, head, align="L" if head in HEADS[:2] else "R")
        self.ln(6.5)
        self._rule()

    def _line(self, line: InvoiceLine) -> None:
        is_rent = line.kind is LineKind.RENT
        cells = (
            line.description,
            _number(line),
            "" if is_rent else f"{line.units:,}",
            f"{line.free:,}" if line.free else "",
            money_text(line.price),
            money_text(line.amount),
        )
        self._ink(INK, 9)
        top = self.get_y() + 0.5
        self.set_y(top)
        self._wrapped(MARGIN_MM, COLUMNS_MM[0] - 3, cells[0])
        bottom = self.get_y()
        self.set_xy(MARGIN_MM + COLUMNS_MM[0], top)
        self.cell(COLUMNS_MM[1], LINE_MM, self._fitting(self._shown(cells[1]), COLUMNS_MM[1] - 2))
        for text, width in zip(cells[2:], COLUMNS_MM[2:], strict=True):
            self.cell(width, LINE_MM, text, align="R")
        self.set_xy(MARGIN_MM, bottom + 0.8)
        self._rule()

    def _rule(self) -> None:
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.line(MARGIN_MM, self.get_y(), MARGIN_MM + WIDTH_MM, self.get_y())
        self.ln(0.8)

    def _wrapped(self, x: float, width: float, text: str) -> None:
        self.set_x(x)
        self.multi_cell(
            width, LINE_MM, self._shown(text), align="L", new_x=XPos.LEFT, new_y=YPos.NEXT
        )

    def _fitting(self, text: str, width: float) -> str:
        """`text`, shortened where the column is narrower."""
        if self.get_string_width(text) <= width:
            return text
        while text and self.get_string_width(text + "…") > width:
            text = text[:-1]
        return text.rstrip() + "…"

    def _shown(self, text: str) -> str:
        """`text` in letters that the fonts have; others as Latin letters, else a question mark."""
        return "".join(each if ord(each) in self._known else anyascii(each) or "?" for each in text)

    def _ink(self, colour: tuple[int, int, int], size: float, style: str = "") -> None:
        self.set_text_color(*colour)
        self.set_font(FONT, style, size)


def _number(line: InvoiceLine) -> str:
    if line.e164:
        return phone.national(phone.E164(line.e164))
    return line.number_name or line.number_id


def _payment(invoice: Invoice) -> str:
    due = money_text(invoice.due)
    if invoice.state is InvoiceState.PAID and invoice.paid_at is not None:
        return f"Paid on {_day(invoice.paid_at, ZoneInfo(invoice.zone))}. Thank you."
    if invoice.state is InvoiceState.OPEN:
        return f"{due} is charged to the card on file."
    return "Nothing is to be paid."


def _day(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def _span(invoice: Invoice, zone: ZoneInfo) -> str:
    """`1 – 31 Oct 2026`: the days in which the month's first and last instants lie."""
    first = invoice.period_start.astimezone(zone)
    last = (invoice.period_end - timedelta(seconds=1)).astimezone(zone)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} – {_day(last, zone)}"
    return f"{_day(first, zone)} – {_day(last, zone)}"
