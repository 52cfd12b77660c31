"""`offhook listen`: prints a team's deliveries on a laptop, and passes them on to a local server.

Talks to an installation by its REST alone, so nothing has to reach the laptop. What the local
server answers is the delivery's outcome; without one each is printed and taken.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx

from offhook.errors import Problem

LISTENERS = "/api/v1/webhooks/listeners"
WAIT_S = 20.0
SLACK_S = 10.0
AGAIN_S = 2.0
FORWARD_S = 15.0
ANSWER_KEPT = 1024
TRANSIENT = frozenset({502, 503, 504})


class ListenRefused(Problem):
    """The installation does not let this program listen."""

    code = "listen_refused"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to listen to, and where to pass it on; an empty `forward` prints only."""

    events: Sequence[str]
    with_text: bool
    forward: str
    brief: bool


async def listen(url: str, key: str, wanted: Wanted, say: Callable[[str], None]) -> None:
    """Until cancelled. Raises ListenRefused; an installation that is away is waited for."""
    headers = {"Authorization": f"Bearer {key}"}
    timeout = httpx.Timeout(WAIT_S + SLACK_S)
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout) as home,
        httpx.AsyncClient(timeout=FORWARD_S, trust_env=False) as local,
    ):
        given = {"events": list(wanted.events), "with_text": wanted.with_text}
        endpoint = _told(await home.post(LISTENERS, json=given))
        say(f"Listening to {', '.join(endpoint['events'])} of {url}. Ctrl-C ends it.")
        say(f"Signing secret: {endpoint['secret']}")
        try:
            while True:
                try:
                    await _round(home, local, endpoint["id"], wanted, say)
                except httpx.TransportError:
                    await asyncio.sleep(AGAIN_S)
        finally:
            with suppress(httpx.TransportError):
                await asyncio.shield(home.delete(f"{LISTENERS}/{endpoint['id']}"))


async def _round(
    home: httpx.AsyncClient,
    local: httpx.AsyncClient,
    endpoint_id: str,
    wanted: Wanted,
    say: Callable[[str], None],
) -> None:
    """Ask once, and report what became of it."""
    response = await home.post(f"{LISTENERS}/{endpoint_id}/next", params={"wait_s": WAIT_S})
    if response.status_code in TRANSIENT:
        await asyncio.sleep(AGAIN_S)
        return
    handed = _told(response)
    results = await asyncio.gather(*(_pass_on(local, each, wanted.forward) for each in handed))
    for each, result in zip(handed, results, strict=True):
        say(_line(each, result, wanted.forward))
        if not wanted.brief:
            say(json.dumps(json.loads(each["body"]), indent=2, ensure_ascii=False))
    while results and not await _reported(home, endpoint_id, results):  # noqa: ASYNC110 - it is away
        await asyncio.sleep(AGAIN_S)


async def _reported(
    home: httpx.AsyncClient, endpoint_id: str, results: Sequence[dict[str, Any]]
) -> bool:
    """Whether the installation has taken the results; False: it is to be asked again."""
    response = await home.post(f"{LISTENERS}/{endpoint_id}/results", json=results)
    if response.status_code in TRANSIENT:
        return False
    _told(response)
    return True


async def _pass_on(local: httpx.AsyncClient, handed: Any, forward: str) -> dict[str, Any]:
    """The delivery's result; without a server to pass it on to it is taken."""
    result: dict[str, Any] = {
        "delivery_id": handed["delivery_id"],
        "lease": handed["lease"],
        "headers": handed["headers"],
        "latency_ms": 0,
        "status": int(HTTPStatus.OK),
    }
    if not forward:
        return result
    began = time.perf_counter()
    try:
        answer = await local.post(
            forward, content=handed["body"].encode(), headers=handed["headers"]
        )
        result |= {"status": answer.status_code, "answer": answer.text[:ANSWER_KEPT]}
    except httpx.HTTPError as error:
        result |= {"status": None, "error": f"{type(error).__name__}: {error}"[:300]}
    result["latency_ms"] = round((time.perf_counter() - began) * 1000)
    return result


def _line(handed: Any, result: dict[str, Any], forward: str) -> str:
    at = f"{datetime.now(UTC).astimezone():%H:%M:%S}"
    outcome = ""
    if forward:
        answer = result["status"] or result["error"]
        outcome = f" → {answer} in {result['latency_ms']} ms"
    return f"{at}  {handed['event']}  {handed['headers']['webhook-id']}{outcome}"


def _told(response: httpx.Response) -> Any:
    """The answer's JSON. Raises ListenRefused with the installation's own words."""
    if response.is_success:
        return response.json() if response.content else None
    try:
        problem = response.json()
        sentence, remedy = problem["detail"], problem["remedy"]
    except (ValueError, KeyError, TypeError):
        sentence, remedy = f"The server answered {response.status_code}.", "Check its address."
    raise ListenRefused(sentence, remedy=remedy)
