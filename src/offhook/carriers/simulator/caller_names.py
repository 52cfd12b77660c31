"""The directory of caller names of the simulated network, as Twilio's Lookup tells it.

Everybody of +1 has an entry that follows from the number, so the same caller always has the same
name; like in a real directory some entries hold no name. Knows no HTTP.
"""

from typing import Any

from offhook.phone import country_of, national
from offhook.phone import sender as read_sender

CONSUMERS = ("BAKER,ANN", "MILLER,BOB", "GARCIA LUCIA", "NGUYEN,MINH", "OKAFOR ADA", "ROSSI,PAOLO")
BUSINESSES = ("ACME BAKERY INC", "NORTH DENTAL")
NAMELESS = ("WIRELESS CALLER", "CHICAGO      IL", None)
ENTRIES: tuple[tuple[str | None, str | None], ...] = (
    *((name, "CONSUMER") for name in CONSUMERS),
    *((name, "BUSINESS") for name in BUSINESSES),
    *((name, None) for name in NAMELESS),
)


def look_up(number: str, *, with_name: bool) -> dict[str, Any] | None:
    """The resource of Lookup v2; None for what is no number."""
    e164 = read_sender(number).e164
    if e164 is None:
        return None
    name, kind = ENTRIES[int(e164[1:]) % len(ENTRIES)]
    if country_of(e164) != "US":
        name, kind = None, None
    return {
        "calling_country_code": e164[1],
        "country_code": country_of(e164) or None,
        "phone_number": e164,
        "national_format": national(e164),
        "valid": True,
        "validation_errors": [],
        "caller_name": {"caller_name": name, "caller_type": kind, "error_code": None}
        if with_name
        else None,
        "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{e164}",
    }
