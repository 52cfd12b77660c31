"""The guard for the MCP library, which speaks HTTP through httpx2.

Each request is handed to the guarded transport as it is; no redirect is followed, and an answer
has bounds. What went wrong is kept in `failure`, since the library tells it in its own words.
Imported by whoever speaks MCP alone: httpx2 is not loaded otherwise.
"""

from collections.abc import AsyncIterator, Mapping

import httpx
import httpx2

from offhook.outgoing.client import GuardedTransport, Outgoing
from offhook.outgoing.problems import NotReached, OutgoingProblem

ANSWER_BYTES = 1_000_000


def client(outgoing: Outgoing, headers: Mapping[str, str], seconds: float) -> "McpClient":
    """A client for the MCP library, guarded; used as a context manager."""
    return McpClient(outgoing.transport(), headers, seconds)


class McpClient(httpx2.AsyncClient):
    """httpx2's client over the guard. `failure`: why the last request got no answer."""

    def __init__(self, guard: GuardedTransport, headers: Mapping[str, str], seconds: float) -> None:
        self._guarded = _Transport(guard)
        super().__init__(
            transport=self._guarded,
            headers={"user-agent": "Offhook", "accept-encoding": "identity", **headers},
            timeout=seconds,
            trust_env=False,
        )

    @property
    def failure(self) -> OutgoingProblem | None:
        return self._guarded.failure


class _Transport(httpx2.AsyncBaseTransport):
    def __init__(self, guard: GuardedTransport) -> None:
        self._guard = guard
        self.failure: OutgoingProblem | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = httpx.Request(
            request.method,
            str(request.url),
            headers=request.headers.raw,
            content=await request.aread(),
            extensions={"timeout": request.extensions.get("timeout", {})},
        )
        try:
            answer = await self._guard.handle_async_request(asked)
        except OutgoingProblem as problem:
            self.failure = problem
            raise httpx2.ConnectError(problem.sentence, request=request) from problem
        if answer.is_redirect:
            await answer.aclose()
            self.failure = NotReached(
                f"“{request.url.host}” leads to another address.",
                remedy="Give the address that it leads to.",
            )
            raise httpx2.ConnectError(self.failure.sentence, request=request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)  # noqa: S101 - what the guard gives
        return httpx2.Response(
            answer.status_code, headers=answer.headers.raw, stream=_Body(answer.stream, self)
        )

    async def aclose(self) -> None:
        await self._guard.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, transport: _Transport) -> None:
        self._inner = inner
        self._transport = transport

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = ANSWER_BYTES
        try:
            async for chunk in self._inner:
                left -= len(chunk)
                if left < 0:
                    raise NotReached(
                        f"The answer is longer than {ANSWER_BYTES:,} bytes.",
                        remedy="Let the tool answer shorter.",
                    )
                yield chunk
        except OutgoingProblem as problem:
            self._transport.failure = problem
            raise httpx2.ReadError(problem.sentence) from problem

    async def aclose(self) -> None:
        await self._inner.aclose()
