"""Sitemaps: pages, indexes, lists, compressed ones, and what is none."""

import gzip

import pytest

from offhook.documents import Reader, SourceUnreadable, sitemap

XMLNS = "http://www.sitemaps.org/schemas/sitemap/0.9"
PAGES = (
    f'<?xml version="1.0"?><urlset xmlns="{XMLNS}"><url><loc> https://a.example/1 </loc></url>'
    "<url><loc>https://a.example/2?a=1&amp;b=2</loc></url></urlset>"
).encode()
INDEX = (
    f'<sitemapindex xmlns="{XMLNS}"><sitemap><loc>https://a.example/s1.xml</loc></sitemap>'
    "</sitemapindex>"
).encode()
ADDRESSES = ["https://a.example/1", "https://a.example/2?a=1&b=2"]


def test_pages_and_sitemaps_are_told_apart() -> None:
    assert sitemap.read(PAGES, "s").pages == ADDRESSES
    assert sitemap.read(INDEX, "s").sitemaps == ["https://a.example/s1.xml"]
    assert sitemap.read(gzip.compress(PAGES), "s").pages == ADDRESSES
    assert sitemap.read("\n".join(ADDRESSES).encode(), "s").pages == ADDRESSES


@pytest.mark.parametrize(
    "data", [b"<html><body>Not found</body></html>", b"hello", b"", b"\x1f\x8bnone"]
)
def test_what_is_no_sitemap_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(SourceUnreadable):
        sitemap.read(data, "https://a.example/sitemap.xml")


async def test_entities_that_multiply_are_not_followed() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = (
        f'<!DOCTYPE x [<!ENTITY e0 "{"x" * 1000}">{entities}]>'
        "<urlset><url><loc>&e11;</loc></url></urlset>"
    )
    async with Reader() as reader:
        found = await reader.sitemap("https://a.example/sitemap.xml", bomb.encode())
    assert found.pages == []
