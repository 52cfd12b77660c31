"""A web site on loopback whose pages a test changes while it runs."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from offhook.settings import Settings


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    cut_at: int | None = None
    """The connection ends after so many bytes of the body."""


@dataclass
class WebSite:
    """`pages` by path; `asked` lists each request's path with its headers."""

    port: int
    pages: dict[str, Reply] = field(default_factory=dict[str, Reply])
    asked: list[tuple[str, dict[str, str]]] = field(
        default_factory=list[tuple[str, dict[str, str]]]
    )
    before_answer: Callable[[str], object] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> Settings:
        """Settings under which this site may be read."""
        return Settings(
            outgoing_http=True,
            outgoing_ports=[self.port],
            outgoing_private_networks=["127.0.0.0/8"],
        )

    def say(self, path: str, body: str, **headers: str) -> None:
        """A page of HTML, in UTF-8; `etag` and other heads by name."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        told = {"content-type": "text/html; charset=utf-8", **named}
        self.pages[path] = Reply(f"<html><body>{body}</body></html>".encode(), headers=told)

    def sitemap(self, *paths: str) -> None:
        places = "".join(f"<url><loc>{self.url}{path}</loc></url>" for path in paths)
        self.pages["/sitemap.xml"] = Reply(
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</urlset>'.encode(),
            headers={"content-type": "application/xml"},
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split(" ")[1]
        lines = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in lines}
        self.asked.append((path, headers))
        if self.before_answer is not None:
            self.before_answer(path)
        reply = self.pages.get(path, Reply(b"<h1>Not found</h1>", 404))
        etag = reply.headers.get("etag")
        if etag and headers.get("if-none-match") == etag:
            reply = Reply(b"", 304, {"etag": etag})
        named = {**reply.headers, "content-length": str(len(reply.body)), "connection": "close"}
        lines = [f"HTTP/1.1 {reply.status} x", *(f"{key}: {value}" for key, value in named.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body[: reply.cut_at])
        await writer.drain()
        writer.close()


@asynccontextmanager
async def web_site() -> AsyncGenerator[WebSite]:
    site = WebSite(0)
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site
