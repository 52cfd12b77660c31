"""The pages of a site: those its sitemap names, but for those it wishes not to be read.

The sitemap is the one whose address was given, or that robots.txt names, or /sitemap.xml. Only
pages of the same host are read, below the path that was given. Knows no database.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from offhook.documents import MAX_PAGES, Sitemap
from offhook.errors import Problem
from offhook.knowledge.fetching import Browser, refused
from offhook.knowledge.problems import SitemapMissing

AGENT = "Offhook"
MAX_SITEMAPS = 50
MAX_ROBOTS_BYTES = 500_000
PACE = re.compile(r"\s*(?:crawl-delay|request-rate)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Site:
    """`pages` are to be read; `left_out` are not, each with its reason."""

    pages: list[str]
    left_out: list[tuple[str, str]]


async def pages_of(browser: Browser, url: str) -> Site:
    """Raises SitemapMissing, or why nobody answered."""
    robots = await _robots(browser, url)
    addresses = await _addresses(browser, url, robots.site_maps() or ())
    return chosen(url, addresses, robots)


def chosen(url: str, addresses: Iterable[str], robots: RobotFileParser) -> Site:
    """The site's own pages among `addresses`, at most as many as a document may have."""
    site = Site([], [])
    host, below = _host(url), "/" if _names_sitemap(url) else urlsplit(url).path or "/"
    for address in dict.fromkeys(each.split("#", 1)[0] for each in addresses):
        if not _is_address(address):
            site.left_out.append((address, "It is no address."))
        elif _host(address) != host:
            site.left_out.append((address, "It is on another site."))
        elif not (urlsplit(address).path or "/").startswith(below):
            site.left_out.append((address, f"It is not below {below}."))
        elif not robots.can_fetch(AGENT, address):
            site.left_out.append((address, "The site's robots.txt asks not to read it."))
        elif len(site.pages) >= MAX_PAGES:
            site.left_out.append((address, f"Only the first {MAX_PAGES:,} pages are read."))
        else:
            site.pages.append(address)
    return Site(site.pages, site.left_out[:MAX_PAGES])


async def _robots(browser: Browser, url: str) -> RobotFileParser:
    """RFC 9309 2.3.1: what cannot be had forbids nothing; only a server in trouble would."""
    rules = RobotFileParser()
    answer = await browser.get(urljoin(url, "/robots.txt"))
    found = answer.status == HTTPStatus.OK
    text = answer.body[:MAX_ROBOTS_BYTES].decode("utf-8", "replace") if found else ""
    # How often is none of our questions, and is read with an error where it is no number.
    rules.parse([each for each in text.splitlines() if not PACE.match(each)])
    return rules


async def _addresses(browser: Browser, url: str, named: Iterable[str]) -> list[str]:
    waiting = [url] if _names_sitemap(url) else list(named) or [urljoin(url, "/sitemap.xml")]
    seen: set[str] = set()
    addresses: list[str] = []
    fault: Problem | None = None
    while waiting and len(seen) < MAX_SITEMAPS and len(addresses) < MAX_PAGES * 2:
        place = waiting.pop(0)
        if place in seen:
            continue
        seen.add(place)
        try:
            found = await _sitemap(browser, place)
        except Problem as problem:
            fault = fault or problem
            continue
        addresses += found.pages
        waiting += found.sitemaps
    if not addresses:
        raise fault or SitemapMissing(f"The sitemap {next(iter(seen))} names no pages.")
    return addresses


async def _sitemap(browser: Browser, place: str) -> Sitemap:
    answer = await browser.get(place)
    if fault := refused(answer):
        raise SitemapMissing(
            f"There is no sitemap at {place}. {fault}",
            remedy="Give the address of the site's sitemap, or add its pages one by one.",
        )
    return await browser.sitemap(place, answer)


def _names_sitemap(url: str) -> bool:
    return urlsplit(url).path.lower().endswith((".xml", ".xml.gz", ".txt"))


def _is_address(text: str) -> bool:
    """A sitemap is somebody's file: not all in it can be taken apart."""
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
