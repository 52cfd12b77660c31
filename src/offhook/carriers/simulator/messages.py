"""Messages at the simulated carrier: accepted, sent, delivered, and received for us.

An accepted message goes on after a restart from where it was. Numbers that fail on purpose, as
Twilio's test credentials have them, and two of our own for failures after acceptance:

    +15005550001 invalid (21211)     +15005550002 no route (21612)
    +15005550003 country not permitted (21408)     +15005550004 has stopped us (21610)
    +15005550009 takes no texts (21614)
    +15005550010 undelivered (30003)     +15005550011 failed (30008)
"""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

from offhook.carriers.simulator import charges, documents, media, resources, store
from offhook.carriers.simulator.handsets import Handsets
from offhook.carriers.simulator.media import Picture
from offhook.carriers.simulator.resources import ApiError
from offhook.carriers.simulator.segments import segments
from offhook.carriers.simulator.store import Row, Store
from offhook.carriers.simulator.webhooks import Webhooks
from offhook.phone import SenderKind, sender

MAX_CHARACTERS = 1_600
MAGIC_RECIPIENTS = {
    "+15005550001": (21211, "The 'To' number {to} is not a valid phone number."),
    "+15005550002": (21612, "The message cannot be sent with this 'To' and 'From' combination."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region."),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number: {to}, is not a valid mobile number"),
}
MAGIC_FAILURES = {
    "+15005550010": ("undelivered", 30003, "Unreachable destination handset"),
    "+15005550011": ("failed", 30008, "Unknown error"),
}
_PENDING = ("queued", "sent")


class Messages:
    """`pace_s` is the time between a message's states."""

    def __init__(
        self,
        *,
        database: Store,
        webhooks: Webhooks,
        handsets: Handsets,
        pace_s: float = 0.05,
    ) -> None:
        self._store = database
        self._webhooks = webhooks
        self._handsets = handsets
        self._pace_s = pace_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """Take up what was under way when the process ended."""
        rows = await self._store.do(lambda db: store.select(db, "message"))
        for row in reversed(rows):
            if row.data["direction"] == "inbound":
                if row.private.get("callback") == "due":
                    self._start(self._call_back(row))
            elif row.data["status"] in _PENDING:
                self._start(self._deliver(row))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def create(
        self, *, account: str, to: str, sender: str, body: str, status_url: str
    ) -> Row:
        """Accept a message for sending. Raises ApiError."""
        row = await self._store.do(
            lambda db: _accept(
                db, account=account, to=to, sender=sender, body=body, status_url=status_url
            )
        )
        self._start(self._deliver(row))
        return row

    async def receive(
        self, *, sender: str, to: str, body: str, pictures: Sequence[Picture] = ()
    ) -> Row:
        """A text from a telephone. Raises ApiError when `to` is nobody's number."""

        def accept(db: sqlite3.Connection) -> Row:
            held = store.select(db, "number", {"phone_number": to})
            if not held:
                raise ApiError(404, 21211, f"The number {to} is not in use.")
            text = _Text(held[0].data["account_sid"], sender, to, body)
            row = _insert(db, text, "inbound", "received", {"callback": "due"}, pictures)
            row = store.change(db, row, price=_price(row))
            _log(db, "message_received", row)
            return row

        row = await self._store.do(accept)
        self._start(self._call_back(row))
        return row

    async def opt_out(self, *, number: str, contact: str, stopped: bool) -> None:
        """Let the carrier refuse (21610), or no longer refuse, texts from `number` to `contact`."""

        def act(db: sqlite3.Connection) -> None:
            sid = f"{number}|{contact}"
            found = store.fetch(db, "opt_out", sid)
            if stopped and not found:
                store.insert(db, "opt_out", sid, {"number": number, "contact": contact}, {})
            if not stopped and found:
                store.remove(db, found)

        await self._store.do(act)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call_back(self, row: Row) -> None:
        """Tell the number's application of a received text; its document may answer."""
        held = await self._store.do(
            lambda db: store.select(db, "number", {"phone_number": row.data["to"]})
        )
        answer = None
        if held:
            number = held[0].data
            urls = [number["sms_url"], number["sms_fallback_url"]]
            answer = await self._webhooks.post(urls, inbound_fields(row), sid=row.sid)
        await self._store.do(
            lambda db: store.change_private(db, row, callback="lost" if answer is None else "done")
        )
        await self._reply(row, answer or "")

    async def _reply(self, row: Row, document: str) -> None:
        try:
            verbs = documents.parse(document) if document.strip().startswith("<") else []
        except documents.DocumentError as error:
            await self._store.note("document_error", row.sid, reason=str(error))
            return
        for verb in verbs:
            if isinstance(verb, documents.Reply):
                await self.create(
                    account=row.data["account_sid"],
                    to=row.data["from"],
                    sender=row.data["to"],
                    body=verb.body,
                    status_url="",
                )

    async def _deliver(self, row: Row) -> None:
        """Step by step: sent, then delivered to the telephone, or the failure of its number."""
        to = row.data["to"]
        if row.data["status"] == "queued":
            await asyncio.sleep(self._pace_s)
            row = await self._advance(row, "sent")
        await asyncio.sleep(self._pace_s)
        if to in MAGIC_FAILURES:
            status, code, text = MAGIC_FAILURES[to]
            await self._advance(row, status, error_code=code, error_message=text)
            return
        held = await self._store.do(lambda db: store.select(db, "number", {"phone_number": to}))
        if held:  # a text from one of our numbers to another
            await self.receive(sender=row.data["from"], to=to, body=row.data["body"])
        self._handsets.tell(to, as_text(row))
        await self._advance(row, "delivered")

    async def _advance(self, row: Row, status: str, **changes: Any) -> Row:
        now = resources.timestamp(time.time())

        def act(db: sqlite3.Connection) -> Row:
            sent = {"date_sent": now, "price": _price(row)} if status == "sent" else {}
            changed = store.change(db, row, status=status, date_updated=now, **sent, **changes)
            store.log(db, f"message_{status}", row.sid)
            return changed

        changed = await self._store.do(act)
        self._handsets.tell(row.data["to"], {"type": "text_state", "id": row.sid, "state": status})
        if row.private.get("status_url"):
            urls = [row.private["status_url"]]
            self._start(self._report(urls, changed))
        return changed

    async def _report(self, urls: list[str], row: Row) -> None:
        await self._webhooks.post(urls, _status_fields(row), sid=row.sid)


def as_text(row: Row) -> dict[str, Any]:
    """A message as a handset shows it."""
    return {
        "type": "text",
        "id": row.sid,
        "from": row.data["from"],
        "to": row.data["to"],
        "body": row.data["body"],
        "files": len(row.private.get("media", ())),
        "at_s": row.created_s,
        "state": row.data["status"],
    }


def _accept(
    db: sqlite3.Connection, *, account: str, to: str, sender: str, body: str, status_url: str
) -> Row:
    if not body:
        raise ApiError(400, 21602, "Message body is required.")
    if len(body) > MAX_CHARACTERS:
        raise ApiError(
            400, 21617, "The concatenated message body exceeds the 1600 character limit."
        )
    if to in MAGIC_RECIPIENTS:
        code, text = MAGIC_RECIPIENTS[to]
        raise ApiError(400, code, text.format(to=to))
    if not _can_receive(to):
        raise ApiError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
    held = store.select(db, "number", {"phone_number": sender, "account_sid": account})
    if not held:
        raise ApiError(400, 21606, f"The 'From' number {sender} is not a number of your account.")
    if not held[0].data["capabilities"]["sms"]:
        raise ApiError(400, 21606, f"The 'From' number {sender} cannot send messages.")
    if store.fetch(db, "opt_out", f"{sender}|{to}"):
        raise ApiError(400, 21610, "Attempt to send to unsubscribed recipient")
    private = {"status_url": status_url}
    text = _Text(account, sender, to, body)
    row = _insert(db, text, "outbound-api", "queued", private)
    _log(db, "message_accepted", row)
    return row


def _log(db: sqlite3.Connection, event: str, row: Row) -> None:
    """A text's line in the log: its ends, its words, and what it counts for."""
    told = {name: row.data[name] for name in ("from", "to", "body")}
    store.log(db, event, row.sid, **told, segments=int(row.data["num_segments"]))


def _price(row: Row) -> str:
    return charges.of_message(row.data["direction"], int(row.data["num_segments"]))


def _can_receive(to: str) -> bool:
    return sender(to).kind is SenderKind.NUMBER


class _Text(NamedTuple):
    account: str
    sender: str
    to: str
    body: str


def _insert(
    db: sqlite3.Connection,
    text: _Text,
    direction: str,
    status: str,
    private: dict[str, str],
    pictures: Sequence[Picture] = (),
) -> Row:
    sid = f"{'MM' if pictures else 'SM'}{uuid.uuid4().hex}"
    kept = [media.insert(db, text.account, sid, each) for each in pictures]
    data = resources.message(
        **text._asdict(),
        sid=sid,
        direction=direction,
        status=status,
        segments=segments(text.body),
        now_s=time.time(),
    ) | {"num_media": str(len(kept))}
    told = {"media": [[each.sid, each.data["content_type"]] for each in kept]} if kept else {}
    return store.insert(db, "message", sid, data, {**private, **told})


def inbound_fields(row: Row) -> list[tuple[str, str]]:
    data = row.data
    return [
        ("ToCountry", "US"),
        ("SmsMessageSid", row.sid),
        ("NumMedia", data["num_media"]),
        *media.fields(row),
        ("SmsSid", row.sid),
        ("SmsStatus", "received"),
        ("Body", data["body"]),
        ("To", data["to"]),
        ("NumSegments", data["num_segments"]),
        ("MessageSid", row.sid),
        ("AccountSid", data["account_sid"]),
        ("From", data["from"]),
        ("ApiVersion", resources.API),
    ]


def _status_fields(row: Row) -> list[tuple[str, str]]:
    data = row.data
    fields = [
        ("SmsSid", row.sid),
        ("SmsStatus", data["status"]),
        ("MessageStatus", data["status"]),
        ("To", data["to"]),
        ("MessageSid", row.sid),
        ("AccountSid", data["account_sid"]),
        ("From", data["from"]),
        ("ApiVersion", resources.API),
    ]
    if data["error_code"]:
        fields.append(("ErrorCode", str(data["error_code"])))
    return fields
