"""Refusals and errors as answers: problem+json for programs, a message for people.

The only place that turns an exception into an HTTP answer (RFC 9457). A path below `/api/` or a
carrier's callback gets `application/problem+json`; an htmx request gets a message that the browser
puts beside the form, which keeps its input; a plain page request gets a page. What nobody foresaw
is logged under an incident id, and only that id leaves the process.
"""

import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, cast
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offhook.db import Busy, is_away
from offhook.errors import Invalid, Problem, Unauthorised, Unavailable
from offhook.web.page import kit, render

log = logging.getLogger(__name__)

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
PROBLEM_JSON = "application/problem+json"
SIGN_IN_PATH = "/sign-in"
RETRY_AFTER_S = 5
_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

_SENTENCES: dict[int, tuple[str, str, str]] = {
    # status: (code, sentence, remedy); {path} and {method} are filled in
    400: ("bad_request", "The request could not be read.", "Check its body and its content type."),
    401: ("unauthorised", "You are not signed in.", "Sign in and try again."),
    403: ("forbidden", "This is not allowed.", ""),
    404: ("not_found", "There is nothing at {path}.", "Check the address."),
    405: ("method_not_allowed", "{path} does not accept {method}.", "Check the method."),
    413: ("too_large", "What was sent is too large.", "Send less, or a smaller file."),
    415: ("unsupported_media_type", "This content type is not accepted.", "Send JSON."),
    503: ("unavailable", "This is not available at the moment.", "Try again in a moment."),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said about one refusal, before it is known to whom."""

    status: int
    code: str
    sentence: str
    remedy: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def body(self) -> dict[str, Any]:
        """The members of RFC 9457, and ours: `code`, `remedy`, `errors`, `details`."""
        return {
            "type": f"urn:offhook:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.sentence,
            "code": self.code,
            "remedy": self.remedy,
            "errors": self.errors,
            "details": self.details,
        }


def of_problem(problem: Problem) -> Answer:
    """A domain's refusal. `errors=[{"field", "sentence"}]` and `retry_after_s` are understood."""
    details = dict(problem.details)
    errors = cast("list[dict[str, Any]]", details.pop("errors", []))
    headers: dict[str, str] = {}
    if (retry := details.get("retry_after_s")) is not None:
        headers["Retry-After"] = str(retry)
    if isinstance(problem, Unauthorised):
        headers["WWW-Authenticate"] = "Bearer"
    return Answer(
        problem.status, problem.code, problem.sentence, problem.remedy, errors, details, headers
    )


def of_http(error: HTTPException, request: Request) -> Answer:
    """What the framework itself refuses: unknown addresses, methods, sizes."""
    code, sentence, remedy = _SENTENCES.get(
        error.status_code,
        (f"http_{error.status_code}", f"{HTTPStatus(error.status_code).phrase}.", ""),
    )
    path = request.url.path[:200]
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request))
    return Answer(
        error.status_code,
        code,
        sentence.format(path=path, method=request.method),
        remedy,
        headers=headers,
    )


def _allowed(request: Request) -> list[str]:
    """Every method of this address (RFC 9110 section 10.2.1): of all routes that are written as the
    first that serves it is, since each knows its own; `/agents/{id}` says nothing of
    `/agents/tests`.
    """
    routes = [
        route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE
    ]
    written = [getattr(route, "path", "") for route in routes]
    alike = [route for route, path in zip(routes, written, strict=True) if path == written[0]]
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in alike
        )
    ]


def of_validation(error: RequestValidationError) -> Answer:
    """Every bad field at once. What was sent is not repeated: it may be a password."""
    if any(item["type"] == "json_invalid" for item in error.errors()):
        return Answer(400, "bad_request", "The body is not JSON.", "Check its syntax.")
    errors = [
        {
            "field": ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]),
            "code": str(item["type"]),
            "sentence": _sentence(str(item["msg"])),
        }
        for item in error.errors()
    ]
    first = errors[0] if errors else {"field": "input", "sentence": "It cannot be read."}
    sentence = (
        f"{first['field']}: {first['sentence']}"
        if len(errors) == 1
        else f"{len(errors)} fields cannot be used as they are."
    )
    remedy = "Correct what is marked and send it again."
    return Answer(422, "validation_failed", sentence, remedy, errors)


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ").strip()
    text = "This is required." if text == "Field required" else text
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def audience(request: Request) -> Literal["program", "htmx", "person"]:
    """Who reads the answer to this request."""
    path = request.url.path
    if path.startswith(("/api/", *kit(request).csrf_exempt)):
        return "program"
    return "htmx" if request.headers.get("hx-request") == "true" else "person"


async def answer(request: Request, what: Answer) -> Response:
    """The HTTP answer in the form that its reader can use."""
    reader = audience(request)
    if reader == "program":
        return JSONResponse(what.body(), what.status, headers=what.headers, media_type=PROBLEM_JSON)
    if what.status == HTTPStatus.UNAUTHORIZED and request.url.path != SIGN_IN_PATH:
        return _to_sign_in(request, reader)
    if reader == "htmx":
        # The browser side (frontend/problems.js) puts this into the nearest message area and marks
        # the fields; nothing else on the page is swapped, so the form keeps its input.
        response = render(request, "problem_message.html", status_code=what.status, problem=what)
        response.headers["HX-Problem"] = what.code
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Retarget"] = "#messages"
    else:
        if what.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            with suppress(Problem):  # somebody who is signed in keeps the sidebar
                request.state.actor = await kit(request).identify(request)
        response = render(request, "problem_page.html", status_code=what.status, problem=what)
    response.headers.update(what.headers)
    return response


def _to_sign_in(request: Request, reader: Literal["htmx", "person"]) -> Response:
    if reader == "htmx":
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": SIGN_IN_PATH})
    url = request.url.path if request.method == "GET" else "/"
    if url != "/" and request.url.query:
        url += f"?{request.url.query}"
    target = SIGN_IN_PATH if url == "/" else f"{SIGN_IN_PATH}?next={quote(url)}"
    return RedirectResponse(target, status_code=HTTPStatus.SEE_OTHER)


async def on_problem(request: Request, error: Exception) -> Response:
    return await answer(request, of_problem(cast("Problem", error)))


async def on_http(request: Request, error: Exception) -> Response:
    return await answer(request, of_http(cast("HTTPException", error), request))


async def on_validation(request: Request, error: Exception) -> Response:
    return await answer(request, of_validation(cast("RequestValidationError", error)))


class TextUnusable(Invalid):
    """A character or a figure that the database has no place for, such as a zero byte."""

    code = "text_unusable"


async def on_data(request: Request, error: Exception) -> Response:
    """What the database refuses as data is the sender's, not ours (SEC8)."""
    log.info("refused as data: %s", error)
    refusal = TextUnusable(
        "The request has a character or a figure that cannot be stored.",
        remedy="Leave out control characters, and keep numbers within reason.",
    )
    return await answer(request, of_problem(refusal))


class Overloaded(Unavailable):
    """More is asked than there are connections to the database for."""

    code = "overloaded"


async def on_busy(request: Request, error: Exception) -> Response:
    """The transaction was not begun: a browser, a program and a carrier may all ask again."""
    log.warning("turned away: %s %s: %s", request.method, request.url.path, cast("Busy", error))
    refusal = Overloaded(
        "More is asked at the moment than this installation can answer.",
        remedy="Try again in a few seconds.",
        retry_after_s=RETRY_AFTER_S,
    )
    return await answer(request, of_problem(refusal))


class DatabaseAway(Unavailable):
    """The database was stopped or cut off, perhaps in the middle."""

    code = "database_away"


async def on_database(request: Request, error: Exception) -> Response:
    """A server that is not there passes; a statement that it refuses is an incident."""
    if not is_away(cast("DBAPIError", error)):
        raise error
    log.warning("database away: %s %s: %s", request.method, request.url.path, error)
    refusal = DatabaseAway(
        "The database cannot be reached at the moment.",
        remedy="Try again in a few seconds, and look first whether it was done all the same.",
        retry_after_s=RETRY_AFTER_S,
    )
    return await answer(request, of_problem(refusal))


class Incidents:
    """ASGI middleware: an unforeseen error is logged with an id; the reader gets the id alone.

    A refusal by an inner middleware is answered here too, as the routes' own are.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Problem as problem:  # raised by a middleware, such as the CSRF guard
            response = await answer(Request(scope, receive), of_problem(problem))
            await response(scope, receive, send)
        except HTTPException:
            raise  # the body limit, answered by the framework's outer layer
        except Exception as error:
            incident = secrets.token_hex(6)
            log.exception("incident %s: %s %s", incident, scope["method"], scope["path"])
            if started:
                raise
            response = await answer(Request(scope, receive), of_incident(incident, error))
            await response(scope, receive, send)


class TooLarge:
    """ASGI middleware: makes a problem of the plain 413 that the framework sends past handlers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def watch(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                kind = Headers(raw=message["headers"]).get("content-type", "")
                replaced = message["status"] == _TOO_LARGE and kind.startswith("text/plain")
            if not replaced:
                await send(message)

        await self.app(scope, receive, watch)
        if replaced:
            request = Request(scope, receive)
            what = of_http(HTTPException(_TOO_LARGE), request)
            await (await answer(request, what))(scope, receive, send)


def of_incident(incident: str, error: Exception) -> Answer:
    """Nothing of `error` is told: its text may hold data of others."""
    del error
    return Answer(
        500,
        "internal_error",
        f"Something went wrong on our side (incident {incident}).",
        "Try again. If it stays, give the incident number to whoever runs this installation.",
        details={"incident": incident},
    )
