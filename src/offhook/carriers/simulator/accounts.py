"""Accounts at the simulated carrier: the operator's, and customers' with numbers of their own.

The operator's account follows from the installation's secret. A customer's is made on demand, as
if it had been in use for years: its numbers report to somebody else already. Asked by
`POST /simulator/accounts` and `POST /simulator/accounts/{sid}` with the operator's credentials.
"""

import base64
import binascii
import hmac
import secrets
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from offhook.carriers.simulator import inventory, numbers, resources, store
from offhook.carriers.simulator.account import Account
from offhook.carriers.simulator.inventory import Wanted
from offhook.carriers.simulator.resources import ApiError
from offhook.carriers.simulator.store import Row, Store

MAX_NUMBERS = 20
MAX_NAME_CHARACTERS = 64
ELSEWHERE = "https://old-office.example"
STATES = ("active", "suspended", "closed")
TYPES = ("Full", "Trial")
NOT_ACTIVE = ApiError(403, 20005, "Account not active")
AREA_CODES = ("212", "312", "415")


class Accounts:
    """Who may use the API, and the token that each account's callbacks are signed with."""

    def __init__(self, operator: Account, database: Store) -> None:
        self.operator = operator
        self._store = database

    async def start(self) -> None:
        """See to it that the operator's account is there."""
        await self._store.do(
            lambda db: (
                store.fetch(db, "account", self.operator.sid)
                or _insert(db, self.operator.sid, self.operator.token, "Offhook", "Full")
            )
        )

    async def token(self, sid: str) -> str:
        """The auth token of an account; empty for one that is not there."""
        found = await self._store.do(lambda db: store.fetch(db, "account", sid))
        return str(found.private["token"]) if found else ""

    async def signed_in(self, authorization: str) -> Row | None:
        """The account whose SID and token a Basic authorization header carries."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            sid, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        found = await self._store.do(lambda db: store.fetch(db, "account", sid))
        if found is None or scheme.lower() != "basic":
            return None
        same = hmac.compare_digest(str(found.private["token"]).encode(), token.encode())
        return found if same else None

    async def is_operator(self, authorization: str) -> bool:
        account = await self.signed_in(authorization)
        return account is not None and account.sid == self.operator.sid

    async def make(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """A new account. Wish: `name`, `type`, `numbers` (how many), `callbacks` (their fields).

        Raises ValueError where the wish cannot be read.
        """
        name = str(wish.get("name") or "My Twilio account")[:MAX_NAME_CHARACTERS]
        kind, count = str(wish.get("type", "Full")), int(wish.get("numbers", len(AREA_CODES)))
        if kind not in TYPES or not 0 <= count <= MAX_NUMBERS:
            raise ValueError(kind)
        routing = {"status_callback": f"{ELSEWHERE}/status", **_elsewhere()}
        routing |= {str(key): str(value) for key, value in dict(wish.get("callbacks", {})).items()}

        def act(db: sqlite3.Connection) -> dict[str, Any]:
            row = _insert(db, f"AC{secrets.token_hex(16)}", secrets.token_hex(16), name, kind)
            held = [_give(db, row.sid, index, routing) for index in range(count)]
            return {"sid": row.sid, "token": row.private["token"], "numbers": held}

        return await self._store.do(act)

    async def change(self, sid: str, wish: Mapping[str, Any]) -> str | None:
        """Set `status` or `type`, or make a new token (`new_token`); the token, None: no account.

        Raises ValueError.
        """
        status, kind = wish.get("status"), wish.get("type")
        if status not in {None, *STATES} or kind not in {None, *TYPES}:
            raise ValueError(status)

        def act(db: sqlite3.Connection) -> str | None:
            row = store.fetch(db, "account", sid)
            if row is None:
                return None
            changes = {"status": status, "type": kind}
            store.change(db, row, **{name: each for name, each in changes.items() if each})
            token = secrets.token_hex(16) if wish.get("new_token") else str(row.private["token"])
            store.change_private(db, row, token=token)
            return token

        return await self._store.do(act)


def _insert(db: sqlite3.Connection, sid: str, token: str, name: str, kind: str) -> Row:
    data = resources.account(sid=sid, name=name, kind=kind, now_s=time.time())
    store.log(db, "account_made", sid, name=name)
    return store.insert(db, "account", sid, data, {"token": token})


def _elsewhere() -> dict[str, str]:
    return {
        "voice_url": f"{ELSEWHERE}/voice",
        "voice_method": "GET",
        "voice_fallback_url": f"{ELSEWHERE}/voice-fallback",
        "sms_url": f"{ELSEWHERE}/sms",
    }


def _give(db: sqlite3.Connection, account: str, index: int, routing: Mapping[str, str]) -> str:
    """A number that nobody has, as if the account had bought it long ago."""
    wanted = Wanted("US", "Local", area_code=AREA_CODES[index % len(AREA_CODES)], sms=True)
    _, e164 = inventory.search(wanted, taken=numbers.taken(db))[-1]
    row = numbers.buy(db, account, {"PhoneNumber": e164})
    store.change(db, row, **routing)
    return e164
