"""All that decides where a Twilio number's calls and texts go, told and put back. Pure.

"If a voice_application_sid is present, we ignore all of the voice urls"; a trunk's SID overrules
both. Source: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource.
"""

from collections.abc import Mapping
from typing import Any

OVERRULING = ("voice_application_sid", "sms_application_sid", "trunk_sid")
URLS = (
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
NAMES = (*URLS, *OVERRULING)


def told(record: Mapping[str, Any]) -> dict[str, str]:
    """The routing of a number's record; an empty text is "not set"."""
    return {name: str(record[name] or "") for name in NAMES}


def form(routing: Mapping[str, str]) -> dict[str, str]:
    """What to write so that the number is routed so. A method cannot be empty: it then stays."""
    return {
        name: routing[name]
        for name in NAMES
        if name in routing and (routing[name] or not name.endswith("method"))
    }
