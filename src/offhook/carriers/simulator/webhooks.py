"""Signed form callbacks, with Twilio's time-outs and retries.

Connect 5 s, read and total 15 s, one retry when connecting failed; overrides in the URL's
fragment: `#rc=` retries, `ct= rt= tt=` milliseconds, `rp=` what is retried (4xx, 5xx, ct, rt,
all). Then the fallback URL. Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote_from_bytes, urlsplit

import httpx

from offhook.carriers.simulator.faults import Faults
from offhook.carriers.simulator.store import Store
from offhook.carriers.twilio.forms import to_bytes
from offhook.carriers.twilio.signature import HEADER, sign
from offhook.outgoing import public_roots

Fields = Sequence[tuple[str, str]]
_CLIENT_ERROR = 400
_SERVER_ERROR = 500
MAX_RETRIES = 5


@dataclass(frozen=True, slots=True)
class Overrides:
    """How patient one callback is."""

    retries: int = 1
    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0
    policy: frozenset[str] = frozenset({"ct"})

    def retried(self, failure: str) -> bool:
        return failure in self.policy or "all" in self.policy


def overrides(url: str) -> Overrides:
    """What the fragment asks for; what it does not say stays as the carrier has it."""
    asked = dict(parse_qsl(urlsplit(url).fragment))

    def seconds(name: str, default: float, limit: float) -> float:
        text = asked.get(name, "")
        return min(max(int(text) / 1000, 0.1), limit) if text.isdigit() else default

    retries = asked.get("rc", "")
    return Overrides(
        retries=min(int(retries), MAX_RETRIES) if retries.isdigit() else 1,
        connect_s=seconds("ct", 5.0, 10.0),
        read_s=seconds("rt", 15.0, 15.0),
        total_s=seconds("tt", 15.0, 15.0),
        policy=frozenset(asked.get("rp", "ct").split(",")),
    )


class Webhooks:
    """Posts callbacks, each signed with its account's token, and writes each attempt to the log."""

    def __init__(
        self, *, token: Callable[[str], Awaitable[str]], store: Store, faults: Faults
    ) -> None:
        self._token = token
        self._store = store
        self._faults = faults
        self._client = httpx.AsyncClient(
            trust_env=False, verify=public_roots(), follow_redirects=True
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def post(self, urls: Sequence[str], fields: Fields, *, sid: str) -> str | None:
        """Post to the first URL that answers 2xx; its body, or None when none does."""
        copies = self._faults.copies()
        answer: str | None = None
        for _ in range(copies):
            answer = await self._first(urls, fields, sid) or answer
        if copies == 0:
            await self._store.note("callback_dropped", sid, url=urls[0] if urls else "")
        return answer

    async def _first(self, urls: Sequence[str], fields: Fields, sid: str) -> str | None:
        idempotency = str(uuid.uuid4())
        for url in filter(None, urls):
            answer = await self._with_retries(url, fields, sid, idempotency)
            if answer is not None:
                return answer
        return None

    async def _with_retries(
        self, url: str, fields: Fields, sid: str, idempotency: str
    ) -> str | None:
        patience = overrides(url)
        until = time.monotonic() + patience.total_s
        for attempt in range(patience.retries + 1):
            left_s = until - time.monotonic()
            if left_s <= 0:
                return None
            failure, answer = await self._attempt(url, fields, patience, left_s, idempotency)
            await self._store.note(
                "callback", sid, url=url, attempt=attempt, result=failure or "ok", **dict(fields)
            )
            if not failure:
                return answer
            if not patience.retried(failure):
                return None
        return None

    async def _attempt(
        self, url: str, fields: Fields, patience: Overrides, left_s: float, idempotency: str
    ) -> tuple[str, str]:
        """(failure as the retry policy names it or "", body)."""
        token = await self._token(dict(fields)["AccountSid"])
        body = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in fields)
        try:
            async with asyncio.timeout(left_s):
                answer = await self._client.post(
                    url.partition("#")[0],
                    content=body.encode("ascii"),
                    headers={
                        HEADER: sign(token, url, fields),
                        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
                        "User-Agent": "TwilioProxy/1.1",
                        "I-Twilio-Idempotency-Token": idempotency,
                    },
                    timeout=httpx.Timeout(patience.read_s, connect=patience.connect_s),
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol):
            return "ct", ""
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return "rt", ""
        if answer.status_code >= _SERVER_ERROR:
            return "5xx", ""
        if answer.status_code >= _CLIENT_ERROR:
            return "4xx", ""
        return "", answer.text


def _quoted(text: str) -> str:
    return quote_from_bytes(to_bytes(text), safe="")
