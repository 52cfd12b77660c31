"""Web pages to blocks: what a visitor reads, without navigation, scripts and consent banners.

BeautifulSoup on lxml's parser. The encoding is that of the bytes where they are UTF-8, else what
the answer's head or the page itself says, as far as it fits (KN1). Runs in the reading process.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bs4 import BeautifulSoup
from bs4.element import CData, NavigableString, PageElement, Tag

from offhook.documents import walls
from offhook.documents.blocks import Block, Document, Heading, Item, Paragraph, Row, Table, markdown
from offhook.documents.decoding import decode_declared

SILENT = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "nav", "select", "button",
     "head", "object", "canvas", "video", "audio", "map"}
)  # fmt: skip
INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font",
     "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong",
     "sub", "sup", "time", "tt", "u", "var", "wbr"}
)  # fmt: skip
ASIDE_ROLES = frozenset({"navigation", "dialog", "alertdialog", "menu", "menubar", "search"})
BANNER = re.compile(r"cookie|consent|gdpr", re.IGNORECASE)
HIDDEN = re.compile(r"display:\s*none|visibility:\s*hidden", re.IGNORECASE)
META_CHARSET = re.compile(rb"<meta[^>]+?charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
XML_CHARSET = re.compile(rb"<\?xml[^>]+?encoding\s*=\s*[\"']([^\"']+)", re.IGNORECASE)
HEAD_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';]+)", re.IGNORECASE)
# HTML Standard 4.2.5.5: an encoding is declared within the first 1024 bytes; many pages are late.
DECLARED_WITHIN = 4096


def read(data: bytes, name: str, content_type: str) -> Document:
    """`doubt` says why the text may not be what a visitor came for. Raises one of problems.py."""
    page = BeautifulSoup(decode_declared(data, name, _declared(data, content_type)), "lxml")
    title = _title(page)
    gathered = _Gathered()
    gathered.walk(page.body or page)
    gathered.end()
    blocks = gathered.blocks
    if title and not any(isinstance(each, Heading) and each.level == 1 for each in blocks):
        blocks.insert(0, Heading(1, title))
    doubt = walls.doubt(
        walls.Seen(
            title=title,
            told=markdown(gathered.blocks),
            everything=_words(page),
            password=page.find("input", type="password") is not None,
            scripts=len(page.find_all("script")),
        )
    )
    return Document(markdown(blocks), title=title, doubt=doubt)


def _title(page: BeautifulSoup) -> str:
    named = page.title or page.find("h1")
    return _words(named) if named else ""


def _declared(data: bytes, content_type: str) -> Iterator[str]:
    if told := HEAD_CHARSET.search(content_type):
        yield told[1]
    for pattern in (META_CHARSET, XML_CHARSET):
        if found := pattern.search(data[:DECLARED_WITHIN]):
            yield found[1].decode("utf-8", "ignore")


def _words(element: Tag) -> str:
    """All the text inside, on one line."""
    return " ".join(element.get_text(" ").split())


@dataclass(slots=True)
class _Gathered:
    """Blocks as they are met; words between two of them make a paragraph."""

    blocks: list[Block] = field(default_factory=list[Block])
    _words: list[str] = field(default_factory=list[str])

    def end(self) -> None:
        text = "\n".join(" ".join(line.split()) for line in "".join(self._words).split("\n"))
        self._words = []
        if text.strip():
            self.blocks.append(Paragraph(text.strip()))

    def walk(self, element: PageElement) -> None:
        if isinstance(element, NavigableString):
            if type(element) in (NavigableString, CData):  # no comments, no declarations
                self._words.append(re.sub(r"\s+", " ", element))
        elif isinstance(element, Tag) and not _is_silent(element):
            self._tag(element)

    def _tag(self, tag: Tag) -> None:
        if tag.name == "br":
            self._words.append("\n")
        elif tag.name in INLINE:
            for child in tag.children:
                self.walk(child)
        elif block := _block(tag):
            self.end()
            self.blocks += block
        else:
            self.end()
            for child in tag.children:
                self.walk(child)
            self.end()


def _block(tag: Tag) -> list[Block]:
    """What is one thing, whatever is inside of it; empty for what only holds others."""
    if re.fullmatch(r"h[1-6]", tag.name):
        return [Heading(int(tag.name[1]), _words(tag))]
    if tag.name == "summary":
        return [Heading(6, _words(tag))]
    if tag.name == "table" and not tag.find("table"):
        return list(_table(tag))
    if tag.name == "dl":
        return list(_definitions(tag))
    if tag.name == "li" and not tag.find(["ul", "ol", "table", "p", "div", "h2", "h3", "h4"]):
        return [Item(_words(tag))] if _words(tag) else []
    return []


def _definitions(tag: Tag) -> Iterator[Block]:
    """`Monday` with `9 to 17` as one entry: apart they say nothing."""
    term = ""
    for each in tag.find_all(["dt", "dd"]):
        if each.name == "dt":
            term = _words(each).rstrip(":")
        elif words := _words(each):
            yield Item(f"{term}: {words}" if term else words)


def _table(tag: Tag) -> Iterator[Block]:
    if tag.caption:
        yield Paragraph(_words(tag.caption).rstrip(":") + ":")
    rows = tag.find_all("tr")
    heads = 0
    for row in rows:
        if not row.find("th") or row.find("td"):
            break
        heads += 1
    yield Table(_cells(rows), heads or None)


def _cells(rows: list[Tag]) -> list[Row]:
    """Cells by column; a cell over several rows is told in each, over several columns once."""
    table: list[Row] = []
    below: dict[int, tuple[str, int]] = {}
    for row in rows:
        cells: list[str | None] = []
        for cell in row.find_all(["td", "th"]):
            _from_above(cells, below)
            text, across, down = _words(cell), _span(cell, "colspan"), _span(cell, "rowspan")
            for offset in range(across):
                if down > 1:
                    below[len(cells)] = (text, down - 1)
                cells.append(None if offset else text)
        _from_above(cells, below)
        table.append(cells)
    return table


def _from_above(cells: list[str | None], below: dict[int, tuple[str, int]]) -> None:
    while (at := len(cells)) in below:
        text, left = below.pop(at)
        cells.append(text)
        if left > 1:
            below[at] = (text, left - 1)


def _span(cell: Tag, name: str) -> int:
    told = str(cell.get(name, "1"))
    return min(max(int(told), 1), 50) if told.isdecimal() else 1


def _is_silent(tag: Tag) -> bool:
    """What a visitor does not read as the page's own words."""
    if tag.name in SILENT or tag.has_attr("hidden") or tag.get("aria-hidden") == "true":
        return True
    if HIDDEN.search(str(tag.get("style", ""))) or tag.get("role") in ASIDE_ROLES:
        return True
    names = f"{tag.get('id', '')} {' '.join(str(each) for each in tag.get_attribute_list('class'))}"
    return tag.name not in {"html", "body", "main"} and bool(BANNER.search(names))
