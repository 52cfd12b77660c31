"""Requests to addresses that users give: one client, one filter (SEC24).

    async with Outgoing(settings) as out:
        answer = await out.send(Call("POST", url, headers=signed, body=body))

Raises `UrlRefused`, `NotPublic` or `NotReached`, each a `Problem`; any HTTP status is an answer.
Other HTTP clients are forbidden outside the vendors' own rooms (ruff's banned-api).
"""

from offhook.outgoing.addresses import Policy, check_url
from offhook.outgoing.client import Answer, Call, GuardedTransport, Outgoing, policy_of
from offhook.outgoing.digest import digest
from offhook.outgoing.problems import NotPublic, NotReached, OutgoingProblem, UrlRefused
from offhook.outgoing.trust import public_roots

__all__ = [
    "Answer",
    "Call",
    "GuardedTransport",
    "NotPublic",
    "NotReached",
    "Outgoing",
    "OutgoingProblem",
    "Policy",
    "UrlRefused",
    "check_url",
    "digest",
    "policy_of",
    "public_roots",
]
