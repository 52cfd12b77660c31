"""The official Twilio client's way to the network: asynchronous, over httpx.

Rewrites scheme and host where the carrier is the simulated one, sets the time-outs, and turns
every failure of the network into `Unreachable`, saying whether the request may have been carried
out. Takes nothing from the environment: no proxy, no .netrc. The place for failure injection is
the `transport` argument. Knows no resource.
"""

import json
import logging
from base64 import b64encode
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import httpx
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from offhook.carriers.port import Refused, Unreachable
from offhook.outgoing import (
    Answer,
    Call,
    NotReached,
    Outgoing,
    OutgoingProblem,
    Policy,
    public_roots,
)

CONNECT_S = 3.0
DOWNLOAD_S = 30.0
MEDIA_REDIRECTS = 3
HTTP_PORT = 80
READ_S = 15.0
_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429
_READS = frozenset({"GET", "HEAD"})


class HttpxTransport(AsyncHttpClient):
    """`origin` (scheme://host:port) replaces that of every request; empty: Twilio's own hosts."""

    def __init__(
        self, *, origin: str = "", transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._origin = origin.rstrip("/")
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            trust_env=False,
            verify=public_roots(),
            transport=transport,
            follow_redirects=False,
        )
        self._guarded: Outgoing | None = None

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's signature
        allow_redirects: bool = False,
    ) -> Response:
        """One request. Raises Unreachable; refusals (4xx) are the client's to raise."""
        writes = method.upper() not in _READS
        options: dict[str, Any] = {"timeout": timeout} if timeout else {}
        try:
            answer = await self._client.request(
                method,
                self._rewritten(uri),
                params=_present(params),
                data=_present(data),
                headers=headers,
                auth=auth,
                **options,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(
                f"The carrier cannot be reached ({type(error).__name__}).", outcome_unknown=False
            ) from error
        except httpx.HTTPError as error:
            raise Unreachable(
                f"The carrier did not answer ({type(error).__name__}).", outcome_unknown=writes
            ) from error
        _check(answer, writes=writes)
        return Response(answer.status_code, answer.text, answer.headers)

    async def download(self, url: str, *, auth: tuple[str, str], most_bytes: int) -> Answer:
        """A file, through the filter for addresses that others give: it leads on to a store of
        files, which must not see the credentials. Raises Unreachable, Refused.
        """
        token = b64encode(":".join(auth).encode()).decode()
        call = Call(
            "GET",
            self._rewritten(url),
            headers={"authorization": f"Basic {token}", "accept": "*/*"},
            redirects=MEDIA_REDIRECTS,
            answer_bytes=most_bytes,
            connect_s=CONNECT_S,
            total_s=DOWNLOAD_S,
        )
        self._guarded = self._guarded or Outgoing(_policy(self._origin))
        try:
            return await self._guarded.send(call)
        except NotReached as problem:
            raise Unreachable(problem.sentence, outcome_unknown=False) from problem
        except OutgoingProblem as problem:
            raise Refused(problem.sentence) from problem

    async def aclose(self) -> None:
        await self._client.aclose()
        if self._guarded is not None:
            await self._guarded.aclose()

    def _rewritten(self, url: str) -> str:
        if not self._origin:
            return url
        parts = urlsplit(url)
        return self._origin + parts.path + (f"?{parts.query}" if parts.query else "")


def _policy(origin: str) -> Policy:
    """Where files may come from: the internet; or the server that stands in for Twilio, and where
    that leads on its own port.
    """
    if not origin:
        return Policy()
    anywhere = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    port = urlsplit(origin).port or HTTP_PORT
    return Policy(http=True, ports=frozenset({port}), private_networks=anywhere)


def _check(answer: httpx.Response, *, writes: bool) -> None:
    if answer.status_code == _TOO_MANY_REQUESTS:
        raise Unreachable("The carrier asks us to slow down (429).", outcome_unknown=False)
    if answer.status_code >= _SERVER_ERROR:
        raise Unreachable(
            f"The carrier answered with an error of its own ({answer.status_code}).",
            outcome_unknown=writes,
        )
    if not answer.content:
        return
    try:
        json.loads(answer.text)
    except ValueError:
        raise Unreachable(
            "The carrier's answer could not be read.", outcome_unknown=writes
        ) from None


def _present(values: dict[str, object] | None) -> dict[str, Any] | None:
    """What the client left unset does not travel; booleans travel as the API spells them."""
    if values is None:
        return None
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in values.items()
        if value is not None
    }
