"""One page asked for at its address, through the guarded client, and read in a child (SEC24, K1).

Asks with the marks of the last time (ETag, Last-Modified), so that what is unchanged is not sent
again. Whatever goes wrong comes back as a reason in words. Knows no database.
"""

import zlib
from asyncio import Lock
from http import HTTPStatus
from urllib.parse import urlsplit

from offhook.documents import MAX_BYTES, Document, Reader, Sitemap
from offhook.errors import Problem
from offhook.knowledge.rules import Fetched, Outcome, PageState, PageText
from offhook.outgoing import Answer, Call, Outgoing

REDIRECTS = 3
PAGE_S = 30.0
ACCEPT = "text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.1"
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
LOCKED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Browser:
    """Asks for pages and reads them, one document at a time in one child."""

    def __init__(self, outgoing: Outgoing, reader: Reader) -> None:
        self._outgoing = outgoing
        self._reader = reader
        self._reading = Lock()

    async def page(self, url: str, before: PageText | None = None) -> Fetched:
        """The page now; `before` is what it was, where it was read before."""
        nothing = PageText(url, before.title if before else "", PageState.SKIPPED)
        try:
            answer = await self.get(url, before)
            if answer.status == HTTPStatus.NOT_MODIFIED and before is not None:
                return Fetched(Outcome.SAME, before)
            if fault := refused(answer):
                gone = answer.status in GONE
                return Fetched(Outcome.GONE if gone else Outcome.FAILED, nothing, fault)
            document = await self._read(url, answer)
        except Problem as problem:
            return Fetched(Outcome.FAILED, nothing, problem.sentence)
        page = PageText(
            url,
            document.title,
            content=document.text,
            etag=answer.headers.get("etag", ""),
            last_modified=answer.headers.get("last-modified", ""),
        )
        if doubt := document.doubt or _elsewhere(url, answer.url):
            return Fetched(Outcome.DOUBTFUL, page, doubt)
        if not document.text.strip():
            return Fetched(Outcome.FAILED, nothing, "There is no text on it to read.")
        return Fetched(Outcome.NEW, page)

    async def get(self, url: str, before: PageText | None = None) -> Answer:
        """Raises one of outgoing's problems."""
        headers = {"accept": ACCEPT}
        if before is not None and before.content:
            headers |= {"if-none-match": before.etag} if before.etag else {}
            headers |= {"if-modified-since": before.last_modified} if before.last_modified else {}
        return await self._outgoing.send(
            Call(
                "GET",
                url,
                headers,
                redirects=REDIRECTS,
                answer_bytes=MAX_BYTES + 1,
                total_s=PAGE_S,
            )
        )

    async def sitemap(self, url: str, answer: Answer) -> Sitemap:
        """Raises one of documents' problems."""
        async with self._reading:
            return await self._reader.sitemap(url, answer.body)

    async def _read(self, url: str, answer: Answer) -> Document:
        kind = answer.headers.get("content-type", "") or "text/html"
        async with self._reading:
            return await self._reader.read(url, unpacked(answer), kind)


def refused(answer: Answer) -> str:
    """Why the answer holds no page, in a sentence; "" when it may."""
    status = answer.status
    if status in GONE:
        return f"It is not there (status {status})."
    if status in LOCKED:
        return f"The server lets nobody see it without logging in (status {status})."
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"It redirects more than {REDIRECTS} times, or to nowhere."
    if status != HTTPStatus.OK:
        return f"The server answered with status {status}."
    return ""


def unpacked(answer: Answer) -> bytes:
    """The body; some servers compress it although nobody asked for that."""
    if answer.headers.get("content-encoding", "identity").lower() not in {"gzip", "x-gzip"}:
        return answer.body
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        return stream.decompress(answer.body, MAX_BYTES + 1)
    except zlib.error:
        return answer.body


def _elsewhere(asked: str, found: str) -> str:
    """A page inside a site that now leads to its front page, or to where one logs in."""
    before, now = urlsplit(asked), urlsplit(found)
    if before.path.strip("/") and not now.path.strip("/") and not now.query:
        return "It leads to the site's front page now."
    last = now.path.strip("/").rsplit("/", 1)[-1].lower()
    if asked != found and last in {"login", "signin", "sign-in", "log-in", "anmelden"}:
        return "It leads to a page where one logs in."
    return ""
