"""Letters with their places on a page to lines, and lines to headings, paragraphs and tables. Pure.

A PDF knows no words, rows or columns. Letters are taken in the order in which they are drawn,
which follows columns of text; cells are told apart by a gap wider than any space between words,
and a table is a run of lines that have such gaps. Lengths are in points, upwards from the bottom.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from statistics import median

from offhook.documents.blocks import Block, Heading, Item, Paragraph, Row, Table

# In heights of the letters: words stand up to 0.8 apart in justified text, cells further.
CELL_GAP = 1.2
WORD_GAP = 0.18
# Lines of one paragraph stand closer than this, in heights.
PARAGRAPH_GAP = 0.6
HEADING_SIZE = 1.15
MAX_HEADING_CHARS = 120
MAX_BOLD_HEADING_CHARS = 80
MAX_HEADING_LEVEL = 4
# A line that ends before this share of the text's width was ended on purpose.
FULL_LINE = 0.75
# Cells of a table are short; longer ones are columns of prose.
MAX_CELL_CHARS = 40
# Running heads: on this share of the pages, of at least MANY_PAGES.
RUNNING_SHARE = 0.6
MANY_PAGES = 4
HYPHENS = "\u00ad\u0002\ufffe-"
BULLET = re.compile(r"(?:[•▪●○◦‣·–*-]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    bottom: float
    right: float
    top: float

    def holds(self, other: "Box") -> bool:
        """Whether the middle of `other` is inside."""
        x, y = (other.left + other.right) / 2, (other.bottom + other.top) / 2
        return self.left <= x <= self.right and self.bottom <= y <= self.top


@dataclass(frozen=True, slots=True)
class Glyph:
    """A letter in the box of its font: as high as the font, as wide as itself."""

    char: str
    box: Box
    bold: bool = False


@dataclass(slots=True)
class Cell:
    """Words without a wide gap."""

    text: str
    left: float
    right: float


@dataclass(slots=True)
class Line:
    cells: list[Cell]
    bottom: float
    top: float
    bold: bool

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def text(self) -> str:
        return " ".join(cell.text for cell in self.cells)

    @property
    def right(self) -> float:
        return max(cell.right for cell in self.cells)

    def level_with(self, other: "Line") -> bool:
        """On one base line."""
        return abs(self.bottom - other.bottom) < 0.3 * min(self.height, other.height)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A table that was found by its rulings."""

    box: Box
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Page:
    lines: Sequence[Line]
    tables: Sequence[Ruled] = ()

    @property
    def chars(self) -> int:
        return sum(len(line.text) for line in self.lines) + sum(
            len(cell or "") for table in self.tables for row in table.rows for cell in row
        )


def lines(glyphs: Iterable[Glyph], tables: Sequence[Box] = ()) -> list[Line]:
    """The lines outside `tables`, cells that were drawn column by column put side by side."""
    made = _Lines()
    for glyph in glyphs:
        if glyph.char == "\n":
            made.end()
        elif not any(box.holds(glyph.box) for box in tables):
            made.add(glyph)
    made.end()
    return _side_by_side(made.found)


@dataclass(slots=True)
class _Lines:
    """Letters gathered into cells, cells into lines."""

    found: list[Line] = field(default_factory=list[Line])
    _line: Line | None = None
    _space: bool = False

    def add(self, glyph: Glyph) -> None:
        if not glyph.char.strip():
            self._space = True
            return
        box = glyph.box
        line = self._line
        if line is not None and not line.bottom < (box.bottom + box.top) / 2 < line.top:
            self.end()
            line = None
        if line is None:
            self._line = Line(
                [Cell(glyph.char, box.left, box.right)], box.bottom, box.top, glyph.bold
            )
        else:
            self._join(line, glyph)
        self._space = False

    def _join(self, line: Line, glyph: Glyph) -> None:
        box, cell = glyph.box, line.cells[-1]
        gap = box.left - cell.right
        line.bold = line.bold and glyph.bold
        if gap > CELL_GAP * line.height or gap < -2 * line.height:
            line.cells.append(Cell(glyph.char, box.left, box.right))
            return
        cell.text += (" " if self._space or gap > WORD_GAP * line.height else "") + glyph.char
        cell.right = max(cell.right, box.right)
        line.bottom, line.top = min(line.bottom, box.bottom), max(line.top, box.top)

    def end(self) -> None:
        if self._line is not None:
            self._line.cells.sort(key=lambda cell: cell.left)
            self.found.append(self._line)
        self._line, self._space = None, False


def _side_by_side(found: list[Line]) -> list[Line]:
    """Short lines that share a base line are one row, however far apart they were drawn."""
    rows: list[list[int]] = []
    for index in sorted(range(len(found)), key=lambda index: found[index].bottom):
        if rows and found[index].level_with(found[rows[-1][-1]]):
            rows[-1].append(index)
        else:
            rows.append([index])
    rows = [row for row in rows if len(row) > 1]
    texts = [len(found[index].text) for row in rows for index in row]
    if len(rows) < 2 or median(texts) > MAX_CELL_CHARS * 0.75:  # noqa: PLR2004 - one is chance
        return found
    joined: set[int] = set()
    for row in rows:
        first, *others = sorted(row)
        cells = [cell for index in row for cell in found[index].cells]
        found[first].cells = sorted(cells, key=lambda cell: cell.left)
        joined.update(others)
    return [line for index, line in enumerate(found) if index not in joined]


def blocks(pages: Sequence[Page]) -> list[Block]:
    """The document in its order; running heads and feet said once."""
    style = _style(pages)
    once: set[str] = set()
    made: list[Block] = []
    for page in pages:
        kept: list[Line] = []
        for line in page.lines:
            key = _running(line.text)
            if key not in style.running or key not in once:
                kept.append(line)
            once.add(key)
        _append(made, list(_page_blocks(kept, page.tables, style)))
    return made


@dataclass(frozen=True, slots=True)
class _Style:
    body: float
    headings: Sequence[float]
    running: frozenset[str]


def _style(pages: Sequence[Page]) -> _Style:
    heights, seen = Counter[float](), Counter[str]()
    for page in pages:
        seen.update({_running(line.text) for line in page.lines})
        for line in page.lines:
            heights[round(line.height, 0)] += len(line.text)
    body = heights.most_common(1)[0][0] if heights else 0.0
    larger = sorted((each for each in heights if each > HEADING_SIZE * body), reverse=True)
    often = max(MANY_PAGES, RUNNING_SHARE * len(pages))
    running = frozenset(text for text, times in seen.items() if times >= often)
    return _Style(body, larger[: MAX_HEADING_LEVEL - 1], running)


def _running(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _append(made: list[Block], more: list[Block]) -> None:
    """A table that goes on after a page's end goes on under its heads."""
    if made and more and isinstance(last := made[-1], Table) and isinstance(more[0], Table):
        above, below = list(last.rows), list(more[0].rows)
        if len(above[0]) == len(below[0]):
            repeated = list(below[0]) == list(above[0])
            if repeated or any(re.search(r"\d", cell or "") for cell in below[0][1:]):
                made[-1] = Table([*above, *(below[1:] if repeated else below)])
                more = more[1:]
    made += more


def _page_blocks(page: Sequence[Line], tables: Sequence[Ruled], style: _Style) -> Iterator[Block]:
    waiting = sorted(tables, key=lambda each: -each.box.top)
    width = max((line.right for line in page), default=0.0)
    run: list[Line] = []
    for line in page:
        while waiting and line.top < waiting[0].box.top:
            yield from _runs(run, style, width)
            run = []
            yield Table(waiting.pop(0).rows)
        run.append(line)
    yield from _runs(run, style, width)
    yield from (Table(each.rows) for each in waiting)


def _runs(page: Sequence[Line], style: _Style, width: float) -> Iterator[Block]:
    for tabular, grouped in groupby(page, key=lambda line: len(line.cells) > 1):
        found = list(grouped)
        if tabular:
            yield from _tabular(found)
        else:
            yield from _text(found, style, width)


def _tabular(rows: Sequence[Line]) -> Iterator[Block]:
    if len(rows) == 1:
        cells = [cell.text for cell in rows[0].cells]
        told = len(cells) == 2 and re.search(r"\d", cells[1])  # noqa: PLR2004 - a name and its figure
        yield Paragraph(": ".join(cells) if told else " ".join(cells))
        return
    columns = _columns(rows)
    table = [_by_column(row, columns) for row in rows]
    if median(len(cell) for row in table for cell in row if cell) > MAX_CELL_CHARS:
        yield from (
            Paragraph(" ".join(filter(None, column))) for column in zip(*table, strict=True)
        )
    else:
        yield Table(table)


def _columns(rows: Sequence[Line]) -> list[tuple[float, float]]:
    """Where the columns stand, by the rows with the usual number of cells."""
    usual = Counter(len(row.cells) for row in rows).most_common(1)[0][0]
    columns: list[tuple[float, float]] = []
    for cell in sorted(
        (cell for row in rows if len(row.cells) == usual for cell in row.cells),
        key=lambda cell: cell.left,
    ):
        if columns and cell.left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], cell.right))
        else:
            columns.append((cell.left, cell.right))
    return columns


def _by_column(row: Line, columns: Sequence[tuple[float, float]]) -> list[str]:
    cells = [""] * len(columns)
    for cell in row.cells:
        shared = [min(cell.right, right) - max(cell.left, left) for left, right in columns]
        index = shared.index(max(shared))
        cells[index] = f"{cells[index]} {cell.text}".strip()
    return cells


def _text(found: Sequence[Line], style: _Style, width: float) -> Iterator[Block]:
    block: list[Line] = []
    for line in found:
        if block and not _goes_on(block[-1], line):
            yield from _paragraph(block, style, width)
            block = []
        block.append(line)
    if block:
        yield from _paragraph(block, style, width)


def _goes_on(above: Line, below: Line) -> bool:
    same = abs(above.height - below.height) < 0.1 * above.height and above.bold == below.bold
    return same and -below.height < above.bottom - below.top < PARAGRAPH_GAP * below.height


def _paragraph(block: Sequence[Line], style: _Style, width: float) -> Iterator[Block]:
    words = _joined(line.text for line in block)
    if level := _heading(block, words, style):
        yield Heading(level, words)
        return
    told: list[str] = [block[0].text]
    for above, line in pairwise(block):
        if BULLET.match(line.text) or above.right < FULL_LINE * width:
            told.append(line.text)
        else:
            told[-1] = _joined((told[-1], line.text))
    for bullet, entries in groupby(told, key=lambda text: bool(BULLET.match(text))):
        if bullet:
            yield from (Item(BULLET.sub("", entry, count=1)) for entry in entries)
        else:
            yield Paragraph("\n".join(entries))


def _heading(block: Sequence[Line], words: str, style: _Style) -> int:
    """1 and more for a heading, the larger the letters the higher; 0 for none."""
    height = round(block[0].height, 0)
    if len(words) <= MAX_HEADING_CHARS and height > HEADING_SIZE * style.body:
        return style.headings.index(height) + 1 if height in style.headings else MAX_HEADING_LEVEL
    short = len(words) <= MAX_BOLD_HEADING_CHARS and not re.search(r"[.!,;]$", words)
    return MAX_HEADING_LEVEL if short and len(block) == 1 and block[0].bold else 0


def _joined(texts: Iterable[str]) -> str:
    """Lines as one; a word that was divided at a line's end is whole again."""
    words = ""
    for text in texts:
        divided = re.search(f"[^\\W\\d_][{HYPHENS}]$", words) and text[:1].islower()
        words = words[:-1] + text if divided else f"{words} {text}".strip()
    return words
