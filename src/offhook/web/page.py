"""Pages: the Jinja environment of all rooms, and `render`.

A room keeps its templates in `templates/<room>/`; each extends `shell.html` and writes its parts
with the macros of `components.html`, which are there as `ui`. Knows requests and templates; knows
no domain. Who looks at the page is whatever a room above has put into `request.state.actor`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import quote

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from offhook.settings import Settings
from offhook.web import assets, csrf, filters
from offhook.web.live import LiveHub

TOAST_COOKIE = "offhook_toast"
TOAST_SECONDS = 10


class Viewer(Protocol):
    """What the shell shows of the person who is signed in."""

    @property
    def team_id(self) -> str: ...
    @property
    def team_name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def timezone(self) -> str: ...
    @property
    def is_operator(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the sidebar; shown only when a router serves its address."""

    label: str
    href: str
    icon: str


@dataclass(frozen=True, slots=True)
class Banner:
    """A line across every page: `kind` is info, warning or error."""

    kind: str
    sentence: str
    href: str = ""
    link: str = ""


NAVIGATION = (
    NavItem("Telephony", "/numbers", "phone"),
    NavItem("Inbox", "/inbox", "inbox"),
    NavItem("Contacts", "/contacts", "contact"),
    NavItem("Agents", "/agents", "bot"),
    NavItem("Calendar", "/calendars", "calendar-days"),
    NavItem("Webhooks", "/webhooks", "webhook"),
    NavItem("Usage", "/usage", "chart-column"),
    NavItem("Billing", "/billing", "credit-card"),
    NavItem("Team", "/team", "users"),
)
OPERATOR_NAVIGATION = (
    NavItem("Overview", "/operator", "gauge"),
    NavItem("Prices", "/operator/prices", "tag"),
    NavItem("Vendor rates", "/operator/rates", "receipt-text"),
    NavItem("Margin", "/operator/margin", "scale"),
    NavItem("Reconciliation", "/operator/reconciliation", "git-compare"),
    NavItem("Billing", "/operator/billing", "landmark"),
    NavItem("Audit log", "/operator/audit", "scroll-text"),
)
"""Pages of who runs the installation; the sidebar shows them to operators only."""


@dataclass(slots=True)
class Kit:
    """What the HTTP toolkit of one application consists of (`app.state.web`)."""

    settings: Settings
    secret: bytes
    templates: Environment
    live: LiveHub
    identify: Callable[[Request], Awaitable[Viewer]]
    navigation: Sequence[NavItem] = NAVIGATION
    csrf_exempt: tuple[str, ...] = ()
    banners: list[Callable[[Request], Awaitable[list[Banner]]]] = field(
        default_factory=list[Callable[[Request], Awaitable[list[Banner]]]]
    )
    shown_navigation: list[NavItem] = field(default_factory=list[NavItem])
    operator_navigation: list[NavItem] = field(default_factory=list[NavItem])


def kit(request: Request) -> Kit:
    """The toolkit of the application that serves `request`."""
    return cast("Kit", request.app.state.web)


@cache
def environment(rooms: tuple[str, ...]) -> Environment:
    """Templates of `web` and of every package named in `rooms` that has a `templates` folder;
    compiled once, however many applications use them.
    """
    folders = [Path(__file__).parent / "templates"]
    for room in rooms:
        spec = find_spec(room)
        for place in (spec.submodule_search_locations if spec else None) or ():
            folder = Path(place) / "templates"
            if folder.is_dir():
                folders.append(folder)
    jinja = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    filters.install(jinja)
    jinja.globals.update(asset=assets.url, flag=assets.flag, icon=assets.icon)  # pyright: ignore[reportArgumentType] - jinja types its globals by its own defaults
    return jinja


def render(
    request: Request,
    template: str,
    *,
    block: str = "",
    status_code: int = HTTPStatus.OK,
    **context: Any,
) -> HTMLResponse:
    """Render `template` for whoever looks at it.

    `block` renders only that `{% block %}` of the template: the fragment that a live page fetches
    again is a block of the page itself. The template sees `context`, and: `ui` (the components),
    `viewer` (or None), `zone`, `now`, `csrf_token`, `path`, `navigation`, `operator_navigation`
    (empty for whoever is no operator), `icon`, `asset`.
    """
    web = kit(request)
    viewer = cast("Viewer | None", getattr(request.state, "actor", None))
    known: dict[str, Any] = {
        "request": request,
        "path": request.url.path,
        "viewer": viewer,
        "zone": viewer.timezone if viewer else "UTC",
        "now": datetime.now(UTC),
        "csrf_token": csrf.token(request),
        "nonce": getattr(request.state, "nonce", ""),
        "navigation": web.shown_navigation,
        "operator_navigation": web.operator_navigation if viewer and viewer.is_operator else [],
        "is_htmx": request.headers.get("hx-request") == "true",
        "has_banners": bool(web.banners) and viewer is not None,
    }
    known["ui"] = web.templates.get_template("components.html").make_module(known)
    page = web.templates.get_template(template)
    if block:
        html = "".join(page.blocks[block](page.new_context(known | context)))
    else:
        html = page.render(known | context)
    return HTMLResponse(html, status_code, headers={"Cache-Control": "no-store"})


def redirect(request: Request, url: str, *, toast: str = "") -> Response:
    """Send the browser to `url` (by htmx or plainly), where `toast` is shown once."""
    response: Response
    if request.headers.get("hx-request") == "true":
        response = Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": url})
    else:
        response = RedirectResponse(url, status_code=HTTPStatus.SEE_OTHER)
    if toast:
        response.set_cookie(TOAST_COOKIE, quote(toast), max_age=TOAST_SECONDS, samesite="lax")
    return response
