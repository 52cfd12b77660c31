"""HTTP requests as templates: rendering one, and reading the answer. Pure.

What is sent is made here from the owner's template and the checked inputs; the owner alone writes
scheme, host and port, so no input chooses whom a request goes to (SEC9).
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from offhook.tasks import templating
from offhook.tasks.rules import Effect
from offhook.tasks.templating import TemplateError

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
SAFE = frozenset({"GET", "HEAD"})
IDEMPOTENT = SAFE | {"PUT", "DELETE"}  # RFC 9110, section 9.2.2
AUTHORITY = re.compile(r"[a-z]+://[^/?#{}]+(?=[/?#]|$)", re.IGNORECASE)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110, field names
OURS = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "idempotency-key",
        "te",
        "upgrade",
        "trailer",
        "expect",
        "proxy-authorization",
        "accept-encoding",
    }
)
MAX_BODY_BYTES = 64_000
MAX_DEPTH = 12
MAX_ANSWER_DEPTH = 100
MAX_TOLD = 2_000
"""Characters of an answer that are told to a brain where no sentence is configured."""


class Pair(BaseModel):
    """A query parameter or header."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    value: str = Field(max_length=4_000)


def sendable(headers: list[Pair]) -> list[Pair]:
    """The headers, if they may be sent. Raises ValueError, for a pydantic model."""
    for each in headers:
        if not TOKEN.fullmatch(each.name):
            raise ValueError(f"“{each.name}” cannot name a header")
        if each.name.casefold() in OURS:
            raise ValueError(f"the header {each.name} is set by us")
    return headers


class RequestConfig(BaseModel):
    """A request to the owner's own system. Every text may hold `{{input}}` and `{{secret:NAME}}`,
    the host excepted.
    """

    model_config = ConfigDict(extra="forbid")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "POST"
    url: str = Field(
        min_length=1, max_length=2_000, examples=["https://example.com/orders/{{order}}"]
    )
    query: list[Pair] = Field(default=[], max_length=40)
    headers: list[Pair] = Field(default=[], max_length=40)
    body: JsonValue = Field(
        default=None,
        description="JSON, nested as you like; a text that is one {{input}} alone keeps its type.",
    )
    form: bool = Field(default=False, description="Send the body's members as a form.")
    reads_only: bool = Field(
        default=False, description="Changes nothing, whatever its method: needs no confirmation."
    )
    repeatable: bool = Field(
        default=False,
        description="The receiver honours Idempotency-Key: sending twice is harmless.",
    )
    answer: str = Field(
        default="",
        max_length=1_000,
        description="What the agent says, with {{answer.path.to.value}}; empty: it is told the "
        "answer as data.",
    )
    failure: str = Field(
        default="", max_length=400, description="What it says when the request failed."
    )

    @field_validator("url")
    @classmethod
    def _fixed_host(cls, url: str) -> str:
        if not AUTHORITY.match(url.strip()):
            raise ValueError("write it as https://example.com/path, the host without {{…}}")
        return url.strip()

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: list[Pair]) -> list[Pair]:
        return sendable(headers)

    @field_validator("body")
    @classmethod
    def _bounded(cls, body: JsonValue) -> JsonValue:
        if _depth(body) > MAX_DEPTH:
            raise ValueError(f"the body is nested deeper than {MAX_DEPTH}")
        if len(json.dumps(body)) > MAX_BODY_BYTES:
            raise ValueError(f"the body is longer than {MAX_BODY_BYTES:,} bytes")
        return body

    @model_validator(mode="after")
    def _fits(self) -> "RequestConfig":
        if self.form and self.body is not None and not isinstance(self.body, dict):
            raise ValueError("a form has named members: write the body as a JSON object")
        if self.method in SAFE and self.body is not None:
            raise ValueError(f"{self.method} has no body")
        return self

    @property
    def effect(self) -> Effect:
        return Effect.READ if self.reads_only or self.method in SAFE else Effect.ACT

    @property
    def may_repeat(self) -> bool:
        return self.repeatable or self.reads_only or self.method in IDEMPOTENT

    def asks_for(self) -> frozenset[str]:
        """The names in its templates but for those of the answer's sentence."""
        parts: list[Any] = [self.url, self.body]
        parts += [[pair.name, pair.value] for pair in (*self.query, *self.headers)]
        return frozenset(templating.names(parts))

    def secrets(self) -> frozenset[str]:
        marker = templating.SECRET
        return frozenset(
            name.removeprefix(marker) for name in self.asks_for() if name.startswith(marker)
        )


class Rendered(BaseModel):
    """A request as it goes out; `body` is byte for byte what is sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: str = ""


def render(config: RequestConfig, values: Mapping[str, Any], key: str) -> Rendered:
    """The request with `values` (inputs, `run.id`, `secret:NAME` …) in their places.

    Raises TemplateError where a value is missing or does not fit.
    """

    def lookup(name: str) -> Any:
        if name in values:
            return values[name]
        if name.startswith(templating.SECRET):
            raise TemplateError(f"there is no secret “{name.removeprefix(templating.SECRET)}”")
        return None  # an optional input that was not given

    headers = {"Idempotency-Key": key, "Accept": "application/json"}
    for pair in config.headers:
        headers[pair.name] = templating.header(pair.value, lookup)
    content = ""
    if config.body is not None:
        filled = templating.structure(config.body, lookup)
        if config.form:
            members: list[tuple[str, Any]] = list(filled.items())
            content = urlencode([(name, templating.as_text(value)) for name, value in members])
            kind = "application/x-www-form-urlencoded"
        else:
            content = json.dumps(filled, ensure_ascii=False)
            kind = "application/json"
        if not any(name.casefold() == "content-type" for name in headers):
            headers["Content-Type"] = kind
        if len(content.encode("utf-8", "replace")) > MAX_BODY_BYTES:
            raise TemplateError("the request has grown too long")
    return Rendered(method=config.method, url=_url(config, lookup), headers=headers, body=content)


def _url(config: RequestConfig, lookup: templating.Lookup) -> str:
    where, marked, written = config.url.partition("?")
    authority = AUTHORITY.match(where)
    assert authority is not None  # noqa: S101 - validated
    origin, rest = where[: authority.end()], where[authority.end() :]
    pairs = [(name, value) for name, value in parse_qsl(written, keep_blank_values=True)]
    pairs += [(pair.name, pair.value) for pair in config.query]
    # An optional input that was not given leaves its parameter out.
    filled = [
        (templating.text(name, lookup), templating.text(value, lookup))
        for name, value in pairs
        if not (only := templating.PLACE.fullmatch(value.strip())) or lookup(only[1]) is not None
    ]
    query = f"?{urlencode(filled)}" if filled else "?" if marked and written == "" else ""
    url = origin + templating.path(rest, lookup) + query
    if urlsplit(url).netloc != urlsplit(origin).netloc:
        raise TemplateError("the address leads to another host")
    return url


def read_answer(body: bytes, content_type: str) -> Any:
    """JSON where it is JSON, else the text."""
    text = body.decode("utf-8", "replace")
    if "json" in content_type or text.lstrip()[:1] in {"{", "["}:
        try:
            data = json.loads(text)
            return data if _depth(data) <= MAX_ANSWER_DEPTH else text
        except (ValueError, RecursionError):
            return text
    return text


def told(template: str, values: Mapping[str, Any], data: Any) -> str:
    """The sentence for what succeeded; `{{answer…}}` is of the other system's answer."""

    def lookup(name: str) -> Any:
        if name == templating.ANSWER or name.startswith(templating.ANSWER + "."):
            return templating.spoken(templating.reach(data, name.partition(".")[2]))
        return templating.spoken(values.get(name))

    return templating.text(template, lookup) if template else "That is done."


def bounded(data: Any) -> Any:
    """An answer that a brain may read in one piece; a longer one as its beginning."""
    text = templating.as_text(data)
    return data if len(text) <= MAX_TOLD else text[:MAX_TOLD] + "…"


def _depth(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + max((_depth(each) for each in value.values()), default=0)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] - any JSON
    if isinstance(value, list):
        return 1 + max((_depth(each) for each in value), default=0)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] - any JSON
    return 0
