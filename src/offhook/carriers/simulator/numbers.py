"""Numbers of an account at the simulated carrier: bought, configured, given back."""

import sqlite3
import time
import uuid
from collections.abc import Mapping

from offhook.carriers.simulator import inventory, resources, store
from offhook.carriers.simulator.resources import CALLBACK_NAMES, ROUTING_NAMES, ApiError
from offhook.carriers.simulator.store import Row

MAX_NAME_CHARACTERS = 64
MAGIC_UNAVAILABLE = "+15005550000"


def buy(db: sqlite3.Connection, account: str, form: Mapping[str, str]) -> Row:
    """Raises ApiError: 21421 no number, 21422 not for sale or sold."""
    e164 = form.get("PhoneNumber", "")
    block = inventory.block_of(e164)
    if not e164.startswith("+") or not e164[1:].isdigit():
        raise ApiError(400, 21421, f"PhoneNumber {e164[:40]} is not valid")
    if block is None or e164 == MAGIC_UNAVAILABLE or store.select(db, "number", _is(e164)):
        raise ApiError(400, 21422, f"PhoneNumber {e164} is not available")
    sid = f"PN{uuid.uuid4().hex}"
    data = resources.number(
        account=account,
        sid=sid,
        e164=e164,
        capabilities=inventory.capabilities(block),
        requirement=inventory.address_requirement(block),
        now_s=time.time(),
    )
    data |= _settings(form)
    store.log(db, "number_bought", sid, number=e164, name=data["friendly_name"])
    return store.insert(db, "number", sid, data, {})


def configure(db: sqlite3.Connection, account: str, sid: str, form: Mapping[str, str]) -> Row:
    row = fetch(db, account, sid)
    changed = _settings(form)
    store.log(db, "number_configured", sid, **changed)
    return store.change(db, row, **changed, date_updated=resources.timestamp(time.time()))


def release(db: sqlite3.Connection, account: str, sid: str) -> None:
    row = fetch(db, account, sid)
    store.remove(db, row)
    store.log(db, "number_released", sid, number=row.data["phone_number"])


def fetch(db: sqlite3.Connection, account: str, sid: str) -> Row:
    """Raises ApiError for a number that this account has not."""
    row = store.fetch(db, "number", sid)
    if row is None or row.data["account_sid"] != account:
        raise resources.not_found(f"/IncomingPhoneNumbers/{sid}.json")
    return row


def taken(db: sqlite3.Connection) -> set[str]:
    return {row.data["phone_number"] for row in store.select(db, "number")}


def _is(e164: str) -> dict[str, str]:
    return {"phone_number": e164}


def _settings(form: Mapping[str, str]) -> dict[str, str | None]:
    """The fields of a form that a number keeps, by their names in its resource."""
    changed: dict[str, str | None] = {}
    for name in ROUTING_NAMES:
        sid = form.get(_parameter(name))
        if sid is not None:
            changed[name] = sid or None
    for name in CALLBACK_NAMES:
        given = form.get(_parameter(name))
        if given is None:
            continue
        if name.endswith("method") and given not in {"GET", "POST"}:
            raise ApiError(400, 21403, f"{name} {given[:10]} is not valid")
        if not name.endswith("method") and given and not given.startswith(("http://", "https://")):
            raise ApiError(400, 21502, f"{name} {given[:60]} is not a valid URL")
        changed[name] = given
    if name_given := form.get("FriendlyName"):
        if len(name_given) > MAX_NAME_CHARACTERS:
            raise ApiError(400, 21464, "FriendlyName is too long")
        changed["friendly_name"] = name_given
    return changed


def _parameter(name: str) -> str:
    """A field as the API's forms name it: `VoiceUrl`."""
    return "".join(part.title() for part in name.split("_"))
