"""Sitemaps (sitemaps.org): the pages that a site names, and the sitemaps that an index names.

Read in the reading process: a sitemap is XML from anybody, and may come compressed.
"""

import zlib
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from offhook.documents.bounds import MAX_UNPACKED_BYTES
from offhook.documents.problems import SourceTooLarge, SourceUnreadable

# sitemaps.org: a sitemap has at most 50,000 addresses.
MAX_ADDRESSES = 50_000
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Sitemap:
    pages: list[str] = field(default_factory=list[str])
    sitemaps: list[str] = field(default_factory=list[str])


def read(data: bytes, name: str) -> Sitemap:
    """Raises SourceUnreadable for what is no sitemap, SourceTooLarge for what unpacks to much."""
    if data.startswith(GZIP):
        data = _unpacked(data, name)
    if not data.lstrip().startswith(b"<"):
        return Sitemap([line.strip() for line in _lines(data, name)][:MAX_ADDRESSES])
    etree: Any = import_module("lxml.etree")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root: Any = etree.fromstring(data, parser)
    if root is None or (kind := etree.QName(root).localname) not in {"urlset", "sitemapindex"}:
        raise _none(name)
    found = [
        (place.text or "").strip()
        for place in root.iterfind("./{*}*/{*}loc")
        if place.text and place.text.strip()
    ]
    unique = list(dict.fromkeys(found))[:MAX_ADDRESSES]
    return Sitemap(pages=unique) if kind == "urlset" else Sitemap(sitemaps=unique)


def _lines(data: bytes, name: str) -> list[str]:
    """A sitemap may be a plain list of addresses."""
    lines = data.decode("utf-8", "replace").split()
    if not lines or not all(line.startswith(("http://", "https://")) for line in lines):
        raise _none(name)
    return lines


def _unpacked(data: bytes, name: str) -> bytes:
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = stream.decompress(data, MAX_UNPACKED_BYTES)
    except zlib.error as fault:
        raise _none(name) from fault
    if stream.unconsumed_tail:
        raise SourceTooLarge(f"“{name}” unpacks to more than 200 MB.", remedy="Split the sitemap.")
    return unpacked


def _none(name: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"“{name}” is no sitemap.", remedy="Give the address of the site's sitemap.xml."
    )
