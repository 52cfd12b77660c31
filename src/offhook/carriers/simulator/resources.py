"""Resources in Twilio's JSON, and its errors. Pure: rows of nothing, times as an argument.

Field names and formats are those of Twilio's 2010-04-01 API, against whose OpenAPI documents the
tests validate every answer.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import phonenumbers

API = "2010-04-01"
CALLBACK_NAMES = (
    "voice_url",
    "voice_method",
    "voice_fallback_url",
    "voice_fallback_method",
    "sms_url",
    "sms_method",
    "sms_fallback_url",
    "sms_fallback_method",
    "status_callback",
    "status_callback_method",
)
# What else decides where a number's calls and texts go; where set, the URLs are ignored.
ROUTING_NAMES = ("voice_application_sid", "sms_application_sid", "trunk_sid")
Record = dict[str, Any]


class ApiError(Exception):
    """A refusal of the API: HTTP status, Twilio's code and message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def body(self) -> Record:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def not_found(path: str) -> ApiError:
    return ApiError(404, 20404, f"The requested resource {path} was not found")


def timestamp(at_s: float) -> str:
    """RFC 2822, as Twilio writes times: `Fri, 24 May 2019 17:44:46 +0000`."""
    return format_datetime(datetime.fromtimestamp(int(at_s), UTC))


def account(*, sid: str, name: str, kind: str, now_s: float) -> Record:
    uri = f"/{API}/Accounts/{sid}"
    return {
        "sid": sid,
        "auth_token": None,  # Twilio answers it; nobody here needs it in a second place
        "date_created": timestamp(now_s),
        "date_updated": timestamp(now_s),
        "friendly_name": name,
        "owner_account_sid": sid,
        "status": "active",
        "subresource_uris": {"incoming_phone_numbers": f"{uri}/IncomingPhoneNumbers.json"},
        "type": kind,
        "uri": f"{uri}.json",
    }


def number(
    *, account: str, sid: str, e164: str, capabilities: Record, requirement: str, now_s: float
) -> Record:
    national = phonenumbers.format_number(
        phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.NATIONAL
    )
    return {
        "sid": sid,
        "account_sid": account,
        "phone_number": e164,
        "friendly_name": national,
        "address_requirements": requirement,
        "address_sid": None,
        "api_version": API,
        "beta": False,
        "bundle_sid": None,
        "capabilities": capabilities,
        "date_created": timestamp(now_s),
        "date_updated": timestamp(now_s),
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "emergency_status": "Inactive",
        "identity_sid": None,
        "origin": "twilio",
        "sms_application_sid": None,
        "status": "in-use",
        "trunk_sid": None,
        "type": None,
        "uri": f"/{API}/Accounts/{account}/IncomingPhoneNumbers/{sid}.json",
        "voice_application_sid": None,
        "voice_caller_id_lookup": False,
        "voice_receive_mode": "voice",
    } | {name: "POST" if name.endswith("method") else "" for name in CALLBACK_NAMES}


def message(
    *,
    account: str,
    sid: str,
    sender: str,
    to: str,
    body: str,
    direction: str,
    status: str,
    segments: int,
    now_s: float,
) -> Record:
    uri = f"/{API}/Accounts/{account}/Messages/{sid}"
    return {
        "sid": sid,
        "account_sid": account,
        "api_version": API,
        "body": body,
        "date_created": timestamp(now_s),
        "date_sent": timestamp(now_s) if direction == "inbound" else None,
        "date_updated": timestamp(now_s),
        "direction": direction,
        "error_code": None,
        "error_message": None,
        "from": sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(segments),
        "price": None,
        "price_unit": "USD",
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": to,
        "uri": f"{uri}.json",
    }


def call(
    *,
    account: str,
    sid: str,
    sender: str,
    to: str,
    number_sid: str | None,
    direction: str,
    now_s: float,
    parent: str | None = None,
) -> Record:
    uri = f"/{API}/Accounts/{account}/Calls/{sid}"
    return {
        "sid": sid,
        "account_sid": account,
        "answered_by": None,
        "api_version": API,
        "caller_name": None,
        "date_created": timestamp(now_s),
        "date_updated": timestamp(now_s),
        "direction": direction,
        "duration": None,
        "end_time": None,
        "forwarded_from": None,
        "from": sender,
        "from_formatted": sender,
        "group_sid": None,
        "parent_call_sid": parent,
        "phone_number_sid": number_sid,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "start_time": None,
        "status": "ringing",
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
        "to": to,
        "to_formatted": to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def page(
    key: str, items: list[Record], *, path: str, query: dict[str, str], number: int, size: int
) -> Record:
    """One page of a list, with the addresses of its neighbours."""

    def address(which: int) -> str:
        return f"{path}?{urlencode(query | {'PageSize': str(size), 'Page': str(which)})}"

    start = number * size
    shown = items[start : start + size]
    return {
        key: shown,
        "page": number,
        "page_size": size,
        "start": start,
        "end": max(start, start + len(shown) - 1),
        "uri": address(number),
        "first_page_uri": address(0),
        "next_page_uri": address(number + 1) if start + size < len(items) else None,
        "previous_page_uri": address(number - 1) if number else None,
    }
