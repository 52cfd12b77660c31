"""Answering a server that wants a password without being told it (HTTP Digest, RFC 7616).

The arithmetic is httpx's; what is sent goes through the one client.
"""

import httpx

from offhook.outgoing.client import Answer, Call


def digest(call: Call, answer: Answer, username: str, password: str) -> str | None:
    """The `Authorization` for the same call once more; None where `answer` makes no challenge that
    can be met.
    """
    request = httpx.Request(call.method, call.url)
    flow = httpx.DigestAuth(username, password).auth_flow(request)
    next(flow)
    challenged = httpx.Response(answer.status, headers=answer.headers, request=request)
    try:
        return flow.send(challenged).headers["Authorization"]
    except (StopIteration, httpx.ProtocolError, KeyError, NotImplementedError):
        return None  # none, malformed, an unknown algorithm, a quality of protection nobody uses
