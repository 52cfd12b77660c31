"""Pictures and other files that come with texts, as the simulated carrier keeps and gives them.

As at Twilio: the callback names an address under the account's messages, which asks for the
account's credentials and leads on to a store of files, which asks for none.
"""

import base64
import sqlite3
import time
import uuid
from typing import Any, NamedTuple

from offhook.carriers.simulator import resources, store
from offhook.carriers.simulator.resources import API, ApiError
from offhook.carriers.simulator.store import Row

MAX_BYTES = 5 * 1024 * 1024
MAX_PICTURES = 10
HOST = "https://api.twilio.com"


class Picture(NamedTuple):
    content_type: str
    content: bytes


def read(given: Any) -> list[Picture]:
    """What a handset sends: [{"content_type", "data": base64}]. Raises ApiError; KeyError and the
    like for anything else.
    """
    pictures = [
        Picture(str(each["content_type"])[:100], base64.b64decode(each["data"], validate=True))
        for each in given
    ]
    if len(pictures) > MAX_PICTURES or sum(len(each.content) for each in pictures) > MAX_BYTES:
        raise ApiError(400, 21620, "The media is too large, or there is too much of it.")
    return pictures


def insert(db: sqlite3.Connection, account: str, message: str, picture: Picture) -> Row:
    sid = f"ME{uuid.uuid4().hex}"
    now = resources.timestamp(time.time())
    data = {
        "sid": sid,
        "account_sid": account,
        "parent_sid": message,
        "content_type": picture.content_type,
        "date_created": now,
        "date_updated": now,
        "uri": f"{_path(account, message, sid)}.json",
    }
    content = base64.b64encode(picture.content).decode("ascii")
    return store.insert(db, "media", sid, data, {"content": content})


def fields(message: Row) -> list[tuple[str, str]]:
    """The callback's fields of what came with a message."""
    account = message.data["account_sid"]
    kept: list[tuple[str, str]] = message.private.get("media", [])
    told: list[tuple[str, str]] = []
    for index, (sid, content_type) in enumerate(kept):
        told += [
            (f"MediaContentType{index}", content_type),
            (f"MediaUrl{index}", HOST + _path(account, message.sid, sid)),
        ]
    return told


def content(row: Row) -> bytes:
    return base64.b64decode(row.private["content"])


def _path(account: str, message: str, sid: str) -> str:
    return f"/{API}/Accounts/{account}/Messages/{message}/Media/{sid}"
