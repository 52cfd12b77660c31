"""Every page of the dashboard, found as people find it: by following links and what pages load.

`routes()` are the GET routes of all rooms; `crawl(client)` follows the links of the pages that it
finds, one example of each, and tells what is a whole page, what is not, and what led nowhere.
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from http import HTTPStatus
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import parse_qs, urlsplit

import httpx
from starlette.routing import Route

from offhook.schema import ROOMS

LINK = re.compile(r'\b(?:href|hx-get)="(/[^"#]*)')
STREAM = "/live"
VIEWS = ("section", "kind", "pane")
"""Parameters of the query that make another page of the same route."""
SEGMENTS = ("slug",)
"""Parts of a path that do, while an id does not."""


@dataclass(slots=True)
class Map:
    """What was found: `pages` and `parts` by route, and links that are not answered."""

    pages: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    parts: dict[str, str] = field(default_factory=dict[str, str])
    dead: list[str] = field(default_factory=list[str])

    @property
    def addresses(self) -> list[str]:
        return [each for found in self.pages.values() for each in found]


def routes() -> Iterator[Route]:
    """Where a browser can go: every GET route that is not REST."""
    for room in ROOMS:
        name = f"offhook.{room}.routes"
        if find_spec(name) is not None:
            for router in import_module(name).routers:
                yield from (each for each in router.routes if _is_page(each))
    for module in ("offhook.web.kit", "offhook.web.design"):
        yield from (each for each in import_module(module).router.routes if _is_page(each))


def _is_page(route: object) -> bool:
    return (
        isinstance(route, Route)
        and "GET" in (route.methods or ())
        and not route.path.startswith("/api/")
        and route.path != STREAM
    )


def crawl(client: httpx.Client, also: Sequence[str] = (), skip: Container[str] = ()) -> Map:
    """Follow every link from the addresses that need no id, and from those of `also`, which nothing
    leads to any more; not from the routes of `skip`.
    """
    known = list(routes())
    found = Map()
    begin = [each.path for each in known if "{" not in each.path and each.path not in skip]
    waiting = [*also, *begin]
    seen: set[str] = set()
    while waiting:
        address = waiting.pop(0)
        route = _route(known, address)
        key = _key(route, address) if route and address not in also else address
        if key in seen:
            continue
        seen.add(key)
        answer = client.get(address, follow_redirects=False)
        kind = answer.headers.get("content-type", "")
        if answer.is_redirect:
            waiting.append(urlsplit(answer.headers["location"]).path)
        elif not answer.is_success and not _asks_for_more(answer):
            found.dead.append(f"{answer.status_code} {address}")
        if route is None or not answer.is_success or not kind.startswith("text/html"):
            if route is not None:
                found.parts.setdefault(route.path, address)
            continue
        if answer.text.lstrip().startswith("<!doctype html>"):
            found.pages.setdefault(route.path, []).append(address)
        else:
            found.parts.setdefault(route.path, address)
        waiting += [unescape(each) for each in LINK.findall(answer.text)]
    return found


def _asks_for_more(answer: httpx.Response) -> bool:
    """A part that is asked for with the fields of a form."""
    return answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def _route(known: list[Route], address: str) -> Route | None:
    path = urlsplit(address).path
    return next((each for each in known if each.path_regex.match(path)), None)


def _key(route: Route, address: str) -> str:
    """The same for two addresses of one page, whatever its ids."""
    parts = urlsplit(address)
    matched = route.path_regex.match(parts.path)
    given = matched.groupdict() if matched else {}
    query = parse_qs(parts.query)
    which = [given[name] for name in SEGMENTS if name in given]
    which += [f"{name}={query[name][0]}" for name in VIEWS if name in query]
    return " ".join((route.path, *which))
