"""One application out of the toolkit: middlewares, problem handlers, live streams, static files.

`app.py` calls `create_app` and includes the rooms' routers; tests do the same with the routers of
one room. Knows no room: who is signed in comes from the `identify` that it is given.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import FrameType
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Match
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from offhook.db import Busy
from offhook.errors import Invalid, Problem, Unauthorised
from offhook.settings import Settings, secret_key
from offhook.web import assets, design, openapi, problem
from offhook.web.csrf import CsrfGuard
from offhook.web.headers import Others, SecurityHeaders
from offhook.web.live import MAX_TOPICS, LiveHub
from offhook.web.page import (
    NAVIGATION,
    OPERATOR_NAVIGATION,
    Kit,
    NavItem,
    Viewer,
    environment,
    kit,
    redirect,
    render,
)

MAX_BODY = 1_000_000
"""Octets of a request (SEC26). An upload's route says `max_body_size=` for itself."""
MAX_MESSAGE = 65_536
"""Octets of a WebSocket message."""
GRACE_S = 5
KEEP_ALIVE_S = 75
"""An idle connection is closed by who asks, not by us: a request could be on its way. So this is
longer than clients (5 s) and load balancers (60 s) wait.
"""
PING = text("SELECT 1")
"""What /readyz asks the database."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class TooManyTopics(Invalid):
    code = "too_many_topics"


async def _nobody(_: Request) -> Viewer:
    raise Unauthorised("You are not signed in.", remedy="Sign in and try again.")


def create_app(
    settings: Settings,
    *,
    rooms: Sequence[str] = (),
    identify: Callable[[Request], Awaitable[Viewer]] = _nobody,
    navigation: Sequence[NavItem] = NAVIGATION,
    csrf_exempt: tuple[str, ...] = (),
    others: Others | None = None,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """An application without routes of its own but those of the toolkit.

    `rooms`: packages whose `templates/` folders are searched. `csrf_exempt`: path prefixes of
    signed callbacks, which are also answered as programs. `others`: origins besides ours that the
    pages may use (the media socket, a payment gateway's form). Set `app.state.database` before
    requests come.
    """

    @asynccontextmanager
    async def whole_life(app: FastAPI) -> AsyncGenerator[None]:
        app.state.web.shown_navigation = _served(app, navigation)
        app.state.web.operator_navigation = _served(app, OPERATOR_NAVIGATION)
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield
        finally:
            app.state.web.live.close()

    app = FastAPI(
        title="Offhook",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=whole_life,
    )
    secret = secret_key(settings)
    app.state.settings = settings
    app.state.web = Kit(
        settings=settings,
        secret=secret,
        templates=environment(tuple(rooms)),
        live=LiveHub(),
        identify=identify,
        navigation=navigation,
        csrf_exempt=csrf_exempt,
        shown_navigation=list(navigation),
        operator_navigation=list(OPERATOR_NAVIGATION),
    )
    secure = settings.web_url.startswith("https://")
    # The last one added is the outermost.
    app.add_middleware(CsrfGuard, secret=secret, exempt=csrf_exempt, secure=secure)
    app.add_middleware(problem.Incidents)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY)
    app.add_middleware(problem.TooLarge)
    app.add_middleware(SecurityHeaders, others=others or Others(), secure=secure)
    app.add_exception_handler(Problem, problem.on_problem)
    app.add_exception_handler(HTTPException, problem.on_http)
    app.add_exception_handler(RequestValidationError, problem.on_validation)
    app.add_exception_handler(DataError, problem.on_data)
    app.add_exception_handler(Busy, problem.on_busy)
    app.add_exception_handler(DBAPIError, problem.on_database)
    openapi.install(app)
    add_routes(app, router)
    if settings.environment == "development":
        add_routes(app, design.router)
    app.mount("/static", _Static(directory=assets.STATIC, check_dir=False), name="static")
    return app


def add_routes(app: FastAPI, router: APIRouter) -> None:
    """Serve the routes of `router` as they are; `include_router` would build each a second time."""
    app.router.routes.extend(router.routes)


def _served(app: FastAPI, navigation: Sequence[NavItem]) -> list[NavItem]:
    """No dead entry: only addresses that some router serves."""

    def serves(path: str) -> bool:
        scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    return [item for item in navigation if serves(item.href)]


class _Static(StaticFiles):
    """Built files carry a hash in their name and never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        fixed = path.startswith("built/") and "-" in path
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if fixed else "no-cache"
        )
        return response


router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(request: Request) -> Response:
    """The first entry of the sidebar."""
    await kit(request).identify(request)
    shown = kit(request).shown_navigation
    return redirect(request, shown[0].href if shown else problem.SIGN_IN_PATH)


@router.get("/live")
async def live(request: Request, topics: Annotated[str, Query()] = "") -> StreamingResponse:
    """The event stream of one browser: the topics (comma-separated) of all its tabs."""
    web = kit(request)
    viewer = await web.identify(request)
    wanted = {topic for topic in topics.split(",") if topic}
    if len(wanted) > MAX_TOPICS:
        raise TooManyTopics(f"{len(wanted)} topics are more than {MAX_TOPICS}.")
    return StreamingResponse(
        web.live.stream(viewer.team_id, wanted),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/banners")
async def banners(request: Request) -> HTMLResponse:
    """The lines on top of every page, asked of every room that has some."""
    web = kit(request)
    request.state.actor = await web.identify(request)
    lines = [line for provider in web.banners for line in await provider(request)]
    return render(request, "banners.html", banners=lines)


class Server(uvicorn.Server):
    """uvicorn that ends the event streams first, since it waits for open answers (decision 3)."""

    def __init__(self, config: uvicorn.Config, hub: LiveHub) -> None:
        super().__init__(config)
        self.hub = hub
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; `up` is set once the socket listens."""
        await super().startup(sockets)
        self.up.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.hub.close()
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """As a signal would, but for this server alone: one that runs inside another program."""
        self.hub.close()
        self.should_exit = True


def server(app: FastAPI, **options: Any) -> Server:
    """A server for `app`; `options` are uvicorn's (`host`, `port`, `uds`, `log_level`)."""
    options.setdefault("timeout_graceful_shutdown", GRACE_S)
    options.setdefault("timeout_keep_alive", KEEP_ALIVE_S)
    options.setdefault("access_log", False)
    options.setdefault("server_header", False)
    options.setdefault("ws_max_size", MAX_MESSAGE)
    options.setdefault("ws_per_message_deflate", False)  # audio does not get smaller
    return Server(uvicorn.Config(app, **options), app.state.web.live)
