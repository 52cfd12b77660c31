"""A page of knowledge cut into passages that each hold one thing one can ask for.

A passage knows its headings, so that "Sunday" under "Opening hours" is understood; a table's row
knows the heads of its columns, so that each price stays with its product (K1). Reads Markdown and
plain text alike. Pure: knows no database and no embedding.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

MAX_PASSAGE_CHARS = 260
MAX_HEADING_CHARS = 60
MAX_LABEL_CHARS = 60

Cells = tuple[tuple[str, str], ...]


class Kind(StrEnum):
    PROSE = "prose"
    ITEM = "item"
    ROW = "row"
    PAIR = "pair"


@dataclass(frozen=True, slots=True)
class Cut:
    """One passage. `cells` are (column head, value), the first being the row's subject; `url` is
    the web page that it is from.
    """

    kind: Kind
    text: str
    headings: tuple[str, ...] = ()
    cells: Cells = ()
    url: str = ""


@dataclass(slots=True)
class _Page:
    """The headings above the line being read."""

    headings: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def open(self, level: int, title: str) -> None:
        while self.headings and self.headings[-1][0] >= level:
            self.headings.pop()
        self.headings.append((level, title))

    def path(self, lead: str = "") -> tuple[str, ...]:
        titles = tuple(title for _, title in self.headings)
        return (*titles, lead) if lead else titles


def cut(text: str) -> list[Cut]:
    """The passages of a text in its order; empty when there is nothing to read."""
    page, found = _Page(), list[Cut]()
    alone: Cut | None = None
    for block in _blocks(text):
        above = page.path()
        cuts = _read(block, page)
        if alone and not cuts:
            found.append(alone)  # it looked like a heading and has nothing below it
        guessed = not cuts and len(block) == 1 and not block[0].startswith("#")
        alone = Cut(Kind.PROSE, plain(block[0]), above) if guessed else None
        found += cuts
    found += [alone] if alone else []
    # What is said twice under one heading is one passage.
    return [each for each in dict.fromkeys(found) if re.search(r"\w", each.text)]


def pair(question: str, answer: str) -> Cut:
    """A question with its answer: searched by both, answered by the answer."""
    return Cut(Kind.PAIR, plain(answer), (plain(question),))


def plain(text: str) -> str:
    """Without Markdown and HTML marks: what a person would read aloud or text."""
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\[([^\]]+)\]\((\S+?)\)", r"\1 (\2)", text)
    text = re.sub(r"</?[A-Za-z][^>]*>", " ", text)
    text = re.sub(r"(\*\*|__|~~|`+)", "", text)
    text = re.sub(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])", r"\1", text)
    text = re.sub(r"(?<![\w_])_(?=\S)([^_\n]+)(?<=\S)_(?![\w_])", r"\1", text)
    return re.sub(r"\s+", " ", text).strip()


def sentences(text: str) -> list[str]:
    """Sentences of a paragraph; numbers, initials and common abbreviations end none."""
    ends = re.compile(
        r"(?<!\bDr)(?<!\bMr)(?<!\bMrs)(?<!\bSt)(?<!\bNo)(?<!\be\.g)(?<!\bi\.e)(?<!\b[A-Z])"
        r"(?<=[.!?…])[\"”’)]?\s+(?=[\"“(]?[A-ZÀ-Þ0-9])"
    )
    return [each.strip() for each in ends.split(text) if each.strip()]


def _blocks(text: str) -> Iterator[list[str]]:
    """Runs of lines between blank lines; a heading line closes the run before it."""
    block: list[str] = []
    for raw in text.expandtabs(4).split("\n") if "\t" not in text else text.split("\n"):
        line = raw.rstrip()
        if not line.strip() or re.match(r"#{1,6}\s", line):
            if block:
                yield block
            block = []
        if line.strip():
            block.append(line)
            if re.match(r"#{1,6}\s", line):
                yield block
                block = []
    if block:
        yield block


def _read(block: list[str], page: _Page) -> list[Cut]:
    first = block[0].strip()
    if mark := re.match(r"(#{1,6})\s+(.*?)\s*#*$", first):
        page.open(len(mark[1]), plain(mark[2]))
        return []
    if len(block) > 1 and re.fullmatch(r"=+|-{3,}", block[1].strip()):
        page.open(1 if block[1].strip()[0] == "=" else 2, plain(first))
        return _read(block[2:], page) if block[2:] else []
    if len(block) == 1 and _stands_alone_as_heading(first, page):
        page.open(1, plain(first))
        return []
    if len(block) > 1 and _is_heading(first) and not _is_row(first):
        page.open(2, plain(first).rstrip(":"))
        return _read(block[1:], page)
    if _is_table(block):
        return _rows(block, page)
    return _lines(block, page)


def _is_heading(line: str) -> bool:
    return (
        len(line) <= MAX_HEADING_CHARS
        and not re.search(r"[.!,;]$", line)
        and not _item(line)
        and "|" not in line
        and "\t" not in line
        and not _label(line)
        and len(line.split()) <= 8  # noqa: PLR2004 - longer lines are sentences
    )


def _stands_alone_as_heading(line: str, page: _Page) -> bool:
    capital = line.isupper() or line.istitle() or line.endswith(("?", ":"))
    return _is_heading(line) and (capital or not page.headings)


def _is_row(line: str) -> bool:
    return line.startswith("|") or "\t" in line


def _is_table(block: list[str]) -> bool:
    piped = sum(line.count("|") >= 1 for line in block)
    tabbed = sum("\t" in line.strip() for line in block)
    return len(block) > 1 and max(piped, tabbed) == len(block)


def _rows(block: list[str], page: _Page) -> list[Cut]:
    table = [_cells(line) for line in block]
    ruled = [index for index, row in enumerate(table) if _is_rule(row)]
    heads = table[0] if ruled == [1] or not _has_figures(table[0]) else []
    body = [row for index, row in enumerate(table) if index not in ruled and row is not heads]
    found: list[Cut] = []
    for row in body:
        padded = [*heads, *[""] * len(row)]
        cells = tuple((head, value) for head, value in zip(padded, row, strict=False) if value)
        found.append(Cut(Kind.ROW, row_text(cells), page.path(), cells))
    return found


def row_text(cells: Cells) -> str:
    """A row as a line that reads: `Rye: weight 1 kg, price 6.40`."""
    subject = cells[0][1] if cells else ""
    rest = ", ".join(f"{head.lower()} {value}".strip() for head, value in cells[1:])
    return f"{subject}: {rest}" if rest else subject


def _cells(line: str) -> list[str]:
    bare = line.strip()
    parts = bare.strip("|").split("|") if "|" in bare else bare.split("\t")
    return [plain(part) for part in parts]


def _is_rule(row: list[str]) -> bool:
    return bool(row) and all(re.fullmatch(r":?-{2,}:?|", each) for each in row)


def _has_figures(row: list[str]) -> bool:
    return any(re.search(r"\d", each) for each in row[1:])


def _item(line: str) -> str:
    mark = re.match(r"\s*(?:[-*+•–]|\d{1,2}[.)])\s+(.*)", line)
    return mark[1] if mark else ""


def _label(line: str) -> tuple[str, str] | None:
    """`Cleaning: 95` as its two parts; a clock time's colon and a sentence's are none."""
    mark = re.match(r"([^:|.!?]{2,60}?)\s*(?::\s+|\s+(?:[–—]|\.{3,})\s+)(\S.*)$", line.strip())
    if not mark or len(mark[1].split()) > 7:  # noqa: PLR2004 - longer ones are sentences
        return None
    return plain(mark[1]), plain(mark[2])


def _lines(block: list[str], page: _Page) -> list[Cut]:
    """Lists, labelled lines and paragraphs; a line that ends in a colon leads what follows."""
    found: list[Cut] = []
    prose: list[str] = []
    lead = ""
    labelled = len(block) > 1 and sum(_label(_item(x) or x) is not None for x in block) * 2 > len(
        block
    )
    for line in block:
        text = _item(line)
        label = _label(text or line) if labelled or text else None
        if not text and label is None:
            prose.append(line.strip())
            continue
        found += _prose(prose, page, lead)
        lead = _lead(prose) or lead
        prose = []
        if label is None:
            found += [Cut(Kind.ITEM, part, page.path(lead)) for part in _parts(plain(text))]
        else:
            cells = (("", label[0]), ("", label[1]))
            found.append(Cut(Kind.ROW, row_text(cells), page.path(lead), cells))
    return [*found, *_prose(prose, page, lead)]


def _lead(prose: list[str]) -> str:
    return plain(prose[-1]).rstrip(":") if prose and prose[-1].endswith(":") else ""


def _prose(lines: list[str], page: _Page, lead: str) -> list[Cut]:
    if not lines or (len(lines) == 1 and _lead(lines)):
        return []
    return [Cut(Kind.PROSE, part, page.path(lead)) for part in _parts(plain(" ".join(lines)))]


def _parts(text: str) -> list[str]:
    """Sentences gathered up to MAX_PASSAGE_CHARS; a longer sentence is cut between words."""
    parts: list[str] = []
    for sentence in sentences(text):
        if parts and len(parts[-1]) + len(sentence) < MAX_PASSAGE_CHARS:
            parts[-1] += " " + sentence
        else:
            parts += _bounded(sentence)
    return parts


def _bounded(sentence: str) -> list[str]:
    pieces: list[str] = []
    while len(sentence) > 2 * MAX_PASSAGE_CHARS:
        at = sentence.rfind(" ", 0, 2 * MAX_PASSAGE_CHARS)
        at = at if at > 0 else 2 * MAX_PASSAGE_CHARS
        pieces.append(sentence[:at].strip())
        sentence = sentence[at:].strip()
    return [*pieces, sentence] if sentence else pieces
