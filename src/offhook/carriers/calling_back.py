"""A callback sent to ourselves, signed as the carrier signs: whether it would arrive (C1, SEC1).

Asks the configured address of this installation and no other, as the carrier does: through name
service, certificates and proxies. Knows no route and no number of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from offhook.carriers.simulator.account import Account
from offhook.carriers.twilio.signature import HEADER, sign
from offhook.outgoing import public_roots

CONNECT_S = 5.0
READ_S = 10.0
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back. `status` 0: nothing did, for the reason in `text`."""

    status: int
    text: str


async def call_back(account: Account, url: str, fields: Sequence[tuple[str, str]]) -> Answered:
    """Post `fields` to `url`; every outcome is an answer, never an exception."""
    body = urlencode(fields)
    headers = {
        HEADER: sign(account.token, url, fields),
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    }
    patience = httpx.Timeout(READ_S, connect=CONNECT_S)
    try:
        async with httpx.AsyncClient(
            trust_env=False, verify=public_roots(), timeout=patience
        ) as client:
            answer = await client.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answered(0, str(error)[:MOST_SHOWN] or type(error).__name__)
    return Answered(answer.status_code, answer.text[:MOST_SHOWN])
