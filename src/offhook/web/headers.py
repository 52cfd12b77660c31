"""Security headers of every answer.

A content security policy without `unsafe-inline`: scripts come from our own files only, but for a
payment gateway's own (`Others`), and a style element needs the request's nonce (the waveform's
shadow root has one); a route may bring a stricter one. Nothing may frame us. Knows no route.
"""

import secrets
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FIXED = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "microphone=(self), camera=(), geolocation=()"),
)


@dataclass(frozen=True, slots=True)
class Others:
    """Origins besides ours: whom a page may connect to, whose scripts run, whose frames it has."""

    connect: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()


def policy(nonce: str, others: Others) -> str:
    """The content security policy."""
    frames = " ".join(others.frames) or "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_ours_and(others.scripts)}",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src {_ours_and(others.connect)}",
            f"frame-src {frames}",
            "media-src 'self' blob:",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _ours_and(origins: tuple[str, ...]) -> str:
    return " ".join(("'self'", *origins))


class SecurityHeaders:
    """ASGI middleware; the outermost, so that errors carry the headers too."""

    def __init__(self, app: ASGIApp, *, others: Others, secure: bool) -> None:
        self.app = app
        self.others = others
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", policy(nonce, self.others))
                for name, value in _FIXED:
                    headers[name] = value
                if self.secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, with_headers)
