"""The one client for addresses that users give: webhooks, tasks, knowledge pages (SEC24).

A name is resolved once per attempt, every address found must be allowed, and the connection goes
to that very address with the name as Host and in TLS. Nothing is taken from the environment, no
connection is kept. The guard is an httpx transport, so that a library which speaks HTTP through
httpx (MCP, say) passes through it too. Knows no room.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any, Self

import httpx

from offhook.outgoing.addresses import Policy, check_url, port_of
from offhook.outgoing.problems import NotPublic, NotReached, UrlRefused
from offhook.outgoing.trust import public_roots
from offhook.settings import Settings

CONNECT_S = 5.0
TOTAL_S = 15.0
ANSWER_BYTES = 64 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What may follow a redirect to another origin; whatever else was set may be a credential.
HARMLESS = frozenset({b"accept", b"accept-language", b"user-agent"})
OF_THE_HOP = frozenset({b"host", b"content-length"})
# Threads of their own: a name server that says nothing holds one for half a minute, and neither
# other names nor anything else of this process shall wait for it.
_names = ThreadPoolExecutor(128, "names")
_asked: dict[tuple[str, int], Future[list[Any]]] = {}
"""The names that are being looked up; who asks for one of them waits for the same answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `body` is sent byte for byte."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    redirects: int = 0
    """How many are followed, each through the same filter; 0: a redirect is the answer."""
    answer_bytes: int = ANSWER_BYTES
    """At most so much of the answer is read."""
    connect_s: float = CONNECT_S
    total_s: float = TOTAL_S


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes
    truncated: bool
    """There was more than `answer_bytes`."""
    url: str
    """Where it came from, after redirects."""
    elapsed_ms: int


def policy_of(settings: Settings) -> Policy:
    """What this installation's operator allows."""
    return Policy(
        http=settings.outgoing_http,
        ports=frozenset(settings.outgoing_ports),
        private_networks=tuple(map(ip_network, settings.outgoing_private_networks)),
        ca_file=settings.outgoing_ca_file,
    )


class Outgoing:
    """Asks addresses that users gave, as the operator or a policy of its own allows. One per
    process; closed with `aclose`.
    """

    def __init__(self, allowed: Settings | Policy) -> None:
        self.policy = allowed if isinstance(allowed, Policy) else policy_of(allowed)
        self._transport = GuardedTransport(self.policy)

    def check_url(self, url: str) -> str:
        """The URL, if it may be asked as far as can be told without its name. Raises UrlRefused."""
        return str(check_url(url, self.policy))

    def transport(self) -> "GuardedTransport":
        """The guard, for a library that takes an httpx transport; whoever takes it closes it."""
        return GuardedTransport(self.policy)

    async def send(self, call: Call) -> Answer:
        """Ask once. Raises UrlRefused, NotPublic, NotReached; any status is an answer."""
        check_url(call.url, self.policy)
        began = time.perf_counter()
        try:
            async with asyncio.timeout(call.total_s):
                return await self._send(call, began)
        except TimeoutError as error:
            raise _too_slow(call.url, call.total_s) from error

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _send(self, call: Call, began: float) -> Answer:
        request = _request(call)
        for left in range(call.redirects, -1, -1):
            response = await self._transport.handle_async_request(request)
            response.request = request
            try:
                target = _target(response) if left else None
                if target is None:
                    body, truncated = await _read(response, call.answer_bytes)
                    elapsed_ms = round((time.perf_counter() - began) * 1000)
                    return Answer(
                        response.status_code,
                        response.headers,
                        body,
                        truncated,
                        str(request.url),
                        elapsed_ms,
                    )
            finally:
                await response.aclose()
            request = _next_request(request, response.status_code, target)
        raise AssertionError("the last round returns")


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends each request to an allowed address of its host, over a connection of its own.

    Raises UrlRefused, NotPublic and NotReached, also in the middle of an answer's body.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        # No connection is kept: one made for a name must not serve another name of its address.
        self._inner = httpx.AsyncHTTPTransport(
            verify=_trusted(policy),
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        check_url(str(url), self._policy)
        addresses = await _resolve(url.host, port_of(url), _connect_s(request))
        for address in addresses:
            if not self._policy.allows(address):
                raise NotPublic(
                    f"“{url.host}” leads to {address}, which is no public address.",
                    remedy="Use an address on the internet. An operator may allow a private "
                    "network with OFFHOOK_OUTGOING_PRIVATE_NETWORKS.",
                )
        return await self._connect(request, addresses)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _connect(self, request: httpx.Request, addresses: Sequence[str]) -> httpx.Response:
        """The answer of the first address that takes the connection."""
        url = request.url
        content = await request.aread()
        refused: httpx.TransportError | None = None
        for address in addresses:
            pinned = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=_with_host(request),
                content=content,
                extensions={**request.extensions, "sni_hostname": url.raw_host.decode("ascii")},
            )
            try:
                response = await self._inner.handle_async_request(pinned)
            except httpx.ConnectError as error:
                refused = error
                continue
            except httpx.TransportError as error:
                raise _not_reached(str(url), error) from error
            stream = _Body(str(url), response.stream)
            return httpx.Response(
                response.status_code,
                headers=response.headers,
                stream=stream,
                extensions=response.extensions,
            )
        raise _not_reached(str(url), refused) from refused


class _Body(httpx.AsyncByteStream):
    """An answer's body whose failures are ours."""

    def __init__(self, url: str, inner: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        assert isinstance(inner, httpx.AsyncByteStream)  # noqa: S101 - what an async transport gives
        self._url = url
        self._inner = inner

    async def __aiter__(self):  # noqa: ANN204 - an async generator, typed by its base
        try:
            async for chunk in self._inner:
                yield chunk
        except httpx.TransportError as error:
            raise _not_reached(self._url, error) from error

    async def aclose(self) -> None:
        await self._inner.aclose()


def _trusted(policy: Policy) -> ssl.SSLContext:
    if not policy.ca_file:
        return public_roots()
    context = httpx.create_ssl_context(trust_env=False)
    context.load_verify_locations(policy.ca_file)
    return context


def _request(call: Call) -> httpx.Request:
    given = {"user-agent": "Offhook", "accept-encoding": "identity", **call.headers}
    # As bytes: what somebody else's header said is no ASCII (RFC 9110, 5.5).
    headers = [(name.encode(), value.encode()) for name, value in given.items()]
    timeout = httpx.Timeout(call.total_s, connect=call.connect_s).as_dict()
    return httpx.Request(
        call.method,
        call.url,
        headers=headers,
        content=call.body or None,
        extensions={"timeout": timeout},
    )


def _with_host(request: httpx.Request) -> httpx.Headers:
    headers = httpx.Headers(request.headers)
    headers["host"] = request.url.netloc.decode("ascii")
    headers.pop("transfer-encoding", None)  # the whole body is at hand: its length is told
    return headers


async def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """Every address of `host`, in the resolver's order. Raises NotReached."""
    try:
        async with asyncio.timeout(seconds):
            # Shielded: others may wait for it longer.
            found = await asyncio.shield(asyncio.wrap_future(_looked_up(host, port)))
    except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
        raise NotReached(
            f"The name “{host}” was not found.", remedy="Check the address.", sent=False
        ) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _looked_up(host: str, port: int) -> Future[list[Any]]:
    place = (host, port)
    if (answer := _asked.get(place)) is None:
        answer = _names.submit(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        _asked[place] = answer
        answer.add_done_callback(lambda _: _asked.pop(place, None))
    return answer


def _connect_s(request: httpx.Request) -> float:
    return request.extensions.get("timeout", {}).get("connect") or CONNECT_S


async def _read(response: httpx.Response, most: int) -> tuple[bytes, bool]:
    """The body as sent, up to `most` bytes, and whether there was more."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            return bytes(body[:most]), True
    return bytes(body), False


def _target(response: httpx.Response) -> str | None:
    if response.status_code not in REDIRECTS:
        return None
    return response.headers.get("location")


def _next_request(request: httpx.Request, status: int, target: str | None) -> httpx.Request:
    """The request of the next hop; never with credentials to another host (webhooks.md)."""
    assert target is not None  # noqa: S101 - the caller follows only what leads somewhere
    try:
        url = request.url.join(target.split("#", 1)[0])
    except httpx.InvalidURL as error:
        raise UrlRefused(
            f"“{request.url.host}” redirects to “{target[:120]}”, which is no URL."
        ) from error
    same = (url.scheme, url.host, url.port) == (
        request.url.scheme,
        request.url.host,
        request.url.port,
    )
    headers = [
        (name, value)
        for name, value in request.headers.raw
        if (plain := name.lower()) not in OF_THE_HOP and (same or plain in HARMLESS)
    ]
    keeps = status in {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
    method = request.method if keeps or request.method == "HEAD" else "GET"
    content = request.content if keeps and same else None
    return httpx.Request(
        method, url, headers=headers, content=content, extensions=request.extensions
    )


def _not_reached(url: str, error: httpx.TransportError | None) -> NotReached:
    host = httpx.URL(url).host
    if isinstance(error, httpx.TimeoutException):
        why = "did not answer in time"
    elif isinstance(error, httpx.ConnectError):
        certificate = isinstance(_root(error), ssl.SSLError)
        why = "has no valid certificate" if certificate else "took no connection"
    else:
        why = "broke the connection off"
    unsent = error is None or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    return NotReached(
        f"“{host}” {why}.", remedy="Check that the server is up and reachable.", sent=not unsent
    )


def _too_slow(url: str, seconds: float) -> NotReached:
    return NotReached(
        f"“{httpx.URL(url).host}” took longer than {seconds:g} s.",
        remedy="Let it answer at once and work afterwards.",
    )


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
