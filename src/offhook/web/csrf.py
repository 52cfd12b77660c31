"""Cross-site requests are refused: every unsafe page request proves that our page sent it.

The token is an HMAC over a random cookie and the session's cookie, so it changes at sign-in and
cannot be planted by a neighbouring host. htmx sends it as a header, a plain form as a field.
Requests with a key in `Authorization` carry no cookie's authority and need none; carriers'
callbacks are exempt by prefix, since they are signed (SEC1). Knows no session beyond its cookie's
name.
"""

import hmac
import secrets
from hashlib import sha256
from typing import cast
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offhook.errors import Forbidden

SESSION_COOKIE = "offhook_session"
SEED_COOKIE = "offhook_seed"
FIELD = "csrf_token"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FORM = "application/x-www-form-urlencoded"
_SEED_BYTES = 16


class CrossSite(Forbidden):
    code = "cross_site"


def token(request: Request) -> str:
    """The token that this browser's forms carry; asking for it also sets the seed cookie."""
    seed = getattr(request.state, "csrf_seed", "")
    if not seed:
        return ""
    request.state.csrf_asked = True
    return sign(_secret(request), seed, request.cookies.get(SESSION_COOKIE, ""))


def sign(secret: bytes, seed: str, session: str) -> str:
    return hmac.new(secret, f"csrf\n{seed}\n{session}".encode(), sha256).hexdigest()


def _secret(request: Request) -> bytes:
    return cast("bytes", request.app.state.web.secret)


class CsrfGuard:
    """ASGI middleware that holds the rule for every route, so that none can forget it."""

    def __init__(
        self, app: ASGIApp, *, secret: bytes, exempt: tuple[str, ...], secure: bool
    ) -> None:
        self.app = app
        self.secret = secret
        self.exempt = exempt
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self.exempt or "\n"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = cookie_parser(headers.get("cookie", ""))
        known = cookies.get(SEED_COOKIE, "")
        state = scope.setdefault("state", {})
        state["csrf_seed"] = known or secrets.token_urlsafe(_SEED_BYTES)
        unsafe = scope["method"] not in SAFE_METHODS
        if unsafe and not _has_key(headers) and not _is_nobody(scope, cookies):
            receive = await self._check(headers, cookies, receive)

        async def with_seed(message: Message) -> None:
            if message["type"] == "http.response.start" and not known and state.get("csrf_asked"):
                MutableHeaders(scope=message).append("Set-Cookie", self._cookie(state["csrf_seed"]))
            await send(message)

        await self.app(scope, receive, with_seed)

    async def _check(self, headers: Headers, cookies: dict[str, str], receive: Receive) -> Receive:
        """Raise CrossSite unless the token is right; give back a `receive` that can be read."""
        site = headers.get("sec-fetch-site", "same-origin")
        origin = headers.get("origin", "")
        sent = headers.get(HEADER, "")
        if not sent and headers.get("content-type", "").startswith(FORM):
            body, receive = await _read(receive)
            sent = parse_qs(body.decode("latin-1")).get(FIELD, [""])[0]
        expected = sign(self.secret, cookies.get(SEED_COOKIE, ""), cookies.get(SESSION_COOKIE, ""))
        foreign = site in {"cross-site", "same-site"} or (
            origin not in {"", "null"} and origin.split("://")[-1] != headers.get("host", "")
        )
        right = hmac.compare_digest(sent.encode(), expected.encode())
        if foreign or SEED_COOKIE not in cookies or not right:
            raise CrossSite(
                "This request did not come from a current page of this installation.",
                remedy="Reload the page and try again. Programs use an API key.",
            )
        return receive

    def _cookie(self, seed: str) -> str:
        secure = "; Secure" if self.secure else ""
        return f"{SEED_COOKIE}={seed}; Path=/; HttpOnly; SameSite=Lax{secure}"


def _has_key(headers: Headers) -> bool:
    """Whether a program sent its key; `Basic` is what a browser adds for a proxy in front of us."""
    scheme = headers.get("authorization", "").partition(" ")[0].lower()
    return scheme not in {"", "basic"}


def _is_nobody(scope: Scope, cookies: dict[str, str]) -> bool:
    """A program without any credential: it is told so (401), and can do nothing in a name."""
    return scope["path"].startswith("/api/") and SESSION_COOKIE not in cookies


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The whole body (its size is bounded by the outer limit), and a `receive` that repeats it."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    repeated = False

    async def again() -> Message:
        nonlocal repeated
        if repeated:
            return await receive()
        repeated = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again
