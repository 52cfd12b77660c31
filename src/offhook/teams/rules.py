"""Who may do what, what a password, name, zone or country may be, and when a sign-in ends.

Pure: time comes as an argument.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers

from offhook.mail import AddressInvalid, check_address
from offhook.teams.errors import (
    CountryUnknown,
    EmailInvalid,
    ExpiryInvalid,
    NameInvalid,
    PasswordTooWeak,
    RoleMissing,
    TimezoneUnknown,
)
from offhook.teams.models import Role

MIN_PASSWORD = 8
MAX_PASSWORD = 256
MAX_NAME = 80
MAX_EMAIL = 254
IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=90)
INVITATION_LASTS = timedelta(days=7)
RESET_LASTS = timedelta(minutes=30)
FAILURES_FORGOTTEN = timedelta(minutes=15)
MAX_FAILURES_PER_PERSON = 10
MAX_FAILURES_PER_ADDRESS = 50
MAX_RESETS_PER_PERSON = 3
MAX_RESETS_PER_ADDRESS = 20
SCOPES = ("read", "write", "operator")
OPERATOR_SCOPE = "operator"
RANK = {Role.MEMBER: 0, Role.ADMIN: 1, Role.OWNER: 2}


def allows(held: Role, needed: Role) -> bool:
    return RANK[held] >= RANK[needed]


def may_manage(actor: Role, *roles: Role) -> None:
    """Admins manage members and admins; owners everybody. Raises RoleMissing."""
    if not allows(actor, Role.ADMIN) or (Role.OWNER in roles and actor is not Role.OWNER):
        needed = "an owner" if Role.OWNER in roles else "an owner or admin"
        raise RoleMissing(f"Only {needed} can do this.", remedy="Ask one of them.")


def is_alive(created: datetime, last_seen: datetime, now: datetime) -> bool:
    """A sign-in ends 14 days after its last use and 90 days after its beginning (SEC5)."""
    return now < last_seen + IDLE and now < created + ABSOLUTE


def check_password(password: str, email: str) -> str:
    """At least 8 characters, not a common one, not the address; no other rule (SEC5)."""
    if len(password) < MIN_PASSWORD:
        raise _weak(f"A password of {len(password)} characters is too short.")
    if len(password) > MAX_PASSWORD:
        raise _weak(f"A password of {len(password)} characters is too long.")
    plain = password.casefold()
    known = {email.casefold(), email.casefold().partition("@")[0], "offhook", "offhook123"}
    if plain in known or plain in _common():
        raise _weak("This password is one that people try first.")
    return password


def _weak(sentence: str) -> PasswordTooWeak:
    return PasswordTooWeak(
        sentence,
        remedy=f"Use {MIN_PASSWORD} to {MAX_PASSWORD} characters; 15 or more are better.",
        errors=[{"field": "password", "sentence": sentence}],
    )


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """The 30,000 most frequent passwords; imported on first use, for it is large."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - see above

    return frozenset(FREQUENCY_LISTS["passwords"])


def check_email(email: str) -> str:
    """The address, trimmed and in lower case: one that mail can be sent to, for links and news."""
    text = email.strip().lower()
    if len(text) > MAX_EMAIL or not _can_be_written_to(text):
        sentence = f"“{text[:60]}” is not an email address."
        raise EmailInvalid(
            sentence,
            remedy="Write it as name@example.com.",
            errors=[{"field": "email", "sentence": sentence}],
        )
    return text


def _can_be_written_to(address: str) -> bool:
    try:
        check_address(address)
    except AddressInvalid:
        return False
    return True


def check_name(name: str, field: str = "name") -> str:
    text = " ".join(name.split())
    if not 1 <= len(text) <= MAX_NAME or not text.isprintable():
        sentence = f"A name has 1 to {MAX_NAME} characters; this one has {len(text)}."
        raise NameInvalid(
            sentence,
            remedy="Shorten it." if text else "Write one.",
            errors=[{"field": field, "sentence": sentence}],
        )
    return text


def check_timezone(name: str) -> str:
    if name not in available_timezones():
        sentence = f"“{name[:60]}” is not a time zone."
        raise TimezoneUnknown(
            sentence,
            remedy="Use an IANA name such as Europe/Paris.",
            errors=[{"field": "timezone", "sentence": sentence}],
        )
    return name


def check_country(code: str) -> str:
    text = code.strip().upper()
    if text not in phonenumbers.SUPPORTED_REGIONS:
        sentence = f"“{code[:20]}” is not a country code."
        raise CountryUnknown(
            sentence,
            remedy="Use two letters such as US or DE (ISO 3166).",
            errors=[{"field": "country", "sentence": sentence}],
        )
    return text


def check_expiry(expires: datetime | None, now: datetime) -> datetime | None:
    if expires is not None and (expires.tzinfo is None or expires <= now):
        raise ExpiryInvalid(
            f"A key cannot expire at {expires.isoformat()}.",
            remedy="Name an instant that is still to come, with its offset from UTC.",
        )
    return expires


def zone_at(current: str, following: str | None, since: datetime | None, moment: datetime) -> str:
    """The zone in which `moment` counts (U2)."""
    return following if following and since and moment >= since else current


def month_end(moment: datetime, zone: str) -> datetime:
    """The first instant of the month after the one that `moment` is in, in `zone`."""
    local = moment.astimezone(ZoneInfo(zone))
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)  # noqa: PLR2004 - December
    return datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(moment.tzinfo)
