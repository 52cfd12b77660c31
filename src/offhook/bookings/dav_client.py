"""The caldav library's client, asking through the guarded client instead of its own (SEC24).

Imported on first use: the library is a vendor's. The password goes to the account's own host only,
wherever the server's answers point.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from caldav.async_davclient import AsyncDAVClient
from caldav.response import DAVResponse

from offhook.bookings.problems import CalendarServerFailed, CalendarServerRefused
from offhook.outgoing import Answer, Call, Outgoing, digest

ANSWER_BYTES = 8_000_000
TOTAL_S = 10.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """An answer as the library reads it."""

    headers: Mapping[str, str]
    status_code: int
    content: bytes
    text: str
    reason: str


class GuardedClient(AsyncDAVClient):
    """A client of one account. Raises the problems of `outgoing` and of calendar servers."""

    def __init__(self, outgoing: Outgoing, url: str, username: str, password: str) -> None:
        self._outgoing = outgoing
        self._account = username, password
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._authorization = f"Basic {pair}"
        super().__init__(url=url)  # pyright: ignore[reportUnknownMemberType] - untyped in part

    def _create_session(self) -> None:
        self.session = None  # every request goes through `request` below

    async def close(self) -> None:
        """Nothing is open."""

    async def request(
        self,
        url: str,
        method: str = "GET",
        body: Any = "",
        headers: Any = None,
        rate_limit_time_slept: float = 0,
    ) -> DAVResponse:
        asked = str(self.url.join(url))
        sent = {**self.headers, **cast("Mapping[str, str]", headers or {})}
        if not body:
            sent.pop("Content-Type", None)
        here, there = urlsplit(str(self.url)), urlsplit(asked)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise CalendarServerFailed(
                f"“{here.netloc}” leads to “{there.netloc}”.",
                remedy="Enter the address of the calendar itself.",
            )
        call = Call(
            method,
            asked,
            {**sent, "Authorization": self._authorization},
            body if isinstance(body, bytes) else str(body or "").encode(),
            answer_bytes=ANSWER_BYTES,
            total_s=TOTAL_S,
        )
        answer = await self._outgoing.send(call)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer = await self._once_more(call, answer)
        return _read(answer, here.netloc, self)

    async def _once_more(self, call: Call, refused: Answer) -> Answer:
        """For a server that takes no plain password, but a digest of it."""
        authorization = digest(call, refused, *self._account)
        if authorization is None:
            return refused
        headers = {**call.headers, "Authorization": authorization}
        return await self._outgoing.send(replace(call, headers=headers))


def _read(answer: Answer, host: str, client: GuardedClient) -> DAVResponse:
    status = HTTPStatus(answer.status) if answer.status in set(HTTPStatus) else None
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise CalendarServerRefused(
            f"“{host}” does not accept this user name and password ({answer.status}).",
            remedy="Check them; many providers want a password made for one app.",
        )
    if answer.status in range(300, 400):
        place = answer.headers.get("location", "")[:200]
        raise CalendarServerFailed(
            f"“{host}” leads elsewhere: {place}.", remedy="Enter that address instead."
        )
    if answer.truncated:
        raise CalendarServerFailed(
            f"“{host}” answers with more than {ANSWER_BYTES // 1_000_000} MB.",
            remedy="Use a smaller calendar for bookings.",
        )
    body = answer.body
    seen = _Seen(
        answer.headers,
        answer.status,
        body,
        body.decode("utf-8", "replace"),
        status.phrase if status else "",
    )
    try:
        return DAVResponse(seen, client)  # pyright: ignore[reportArgumentType] - reads these only
    except Exception as error:  # lxml's and the library's own: what the server sent is no XML
        raise CalendarServerFailed(
            f"“{host}” sends what cannot be read.", remedy="Check the address."
        ) from error
