"""Calls and messages as the official client tells them, read into the port's records.

Prices come as decimal text, negative because they are charged; they are empty until Twilio has
rated the call or message. Source: twilio.com/docs/voice/api/call-resource, /docs/messaging/api/
message-resource. Pure; asks nobody.
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from offhook.carriers.port import (
    AccountStatus,
    CallerName,
    CallRecord,
    CallState,
    Described,
    Direction,
    Message,
    MessageState,
    Unreachable,
)

MICROS = 1_000_000
Record = dict[str, Any]


def described(record: Record) -> Described:
    return Described(
        name=record["friendly_name"] or "",
        status=AccountStatus(record["status"]),
        trial=record["type"] == "Trial",
    )


def caller_name(record: Record) -> CallerName | None:
    """Source: twilio.com/docs/lookup/v2-api/caller-name."""
    told: Record = record["caller_name"] or {}
    name = str(told.get("caller_name") or "")
    return CallerName(name, business=told.get("caller_type") == "BUSINESS") if name else None


def message(record: Record) -> Message:
    return Message(
        carrier_id=record["sid"],
        sender=record["from_"] or "",
        to=record["to"] or "",
        body=record["body"] or "",
        state=_message_state(str(record["status"])),
        created_at=record["date_created"] or datetime.now(UTC),
        error_code=record["error_code"],
        segments=int(record["num_segments"] or 1),
        files=int(record["num_media"] or 0),
        direction=_direction(record),
        price_micros=_price_micros(record["price"]),
        currency=_currency(record),
    )


def call(record: Record) -> CallRecord:
    return CallRecord(
        carrier_id=record["sid"],
        sender=record["_from"] or "",  # messages have `from_`, calls `_from`
        to=record["to"] or "",
        state=CallState(record["status"]),
        started_at=record["start_time"],
        ended_at=record["end_time"],
        duration_s=int(record["duration"] or 0),
        created_at=record["date_created"] or datetime.now(UTC),
        direction=_direction(record),
        price_micros=_price_micros(record["price"]),
        currency=_currency(record),
        parent_id=record["parent_call_sid"] or "",
    )


def _direction(record: Record) -> Direction:
    """`outbound-api`, `outbound-reply`, `outbound-dial` are all outbound."""
    inbound = str(record["direction"]) in {"inbound", "trunking-originating"}
    return Direction.INBOUND if inbound else Direction.OUTBOUND


def _price_micros(price: str | None) -> int | None:
    if price is None:
        return None
    try:
        return round(abs(Decimal(price)) * MICROS)
    except (InvalidOperation, ValueError):
        raise Unreachable(
            f"The carrier names no price that can be read, “{price[:40]}”.", outcome_unknown=False
        ) from None


def _currency(record: Record) -> str:
    return str(record["price_unit"] or "").upper()


def _message_state(status: str) -> MessageState:
    """States that stand before sending or beside delivery are told as the nearest of ours."""
    nearest = {
        "accepted": MessageState.QUEUED,
        "scheduled": MessageState.QUEUED,
        "receiving": MessageState.RECEIVED,
        "read": MessageState.DELIVERED,
        "partially_delivered": MessageState.DELIVERED,
    }
    try:
        return nearest.get(status) or MessageState(status)
    except ValueError:
        raise Unreachable(
            f"The carrier names an unknown message state, “{status[:40]}”.", outcome_unknown=True
        ) from None
