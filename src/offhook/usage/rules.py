"""Minutes, limits and thresholds, in the words of metering.md. Pure: no clock, no database.

Months are in periods.py, allowance and charges in rating.py, the atomic step in kernel.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from offhook.errors import Invalid
from offhook.prices import FREE_MESSAGES, FREE_MINUTES

MINUTE = timedelta(minutes=1)
MAX_LIMIT = 1_000_000
LEASE_S = 120  # no heart-beat for so long: the call's process is dead (UC3)
VALID_AFTER_END_S = 30  # a reservation outlives its minute by so much (RFC 8506 Validity-Time)
WARNING_PERCENT = 80
REACHED_PERCENT = 100
FROM_CARRIER = "carrier_record"  # marks an entry that only the carrier's record told of (UC5)


class Service(StrEnum):
    CALLS = "calls"
    SMS = "sms"

    @property
    def unit(self) -> str:
        return "minute" if self is Service.CALLS else "message"

    @property
    def free_units(self) -> int:
        """Units free per team and month, shared by its numbers (UF1)."""
        return FREE_MINUTES if self is Service.CALLS else FREE_MESSAGES


class Reason(StrEnum):
    """Why a unit was not granted."""

    LIMIT_REACHED = "limit_reached"
    SPEND_CAP = "spend_cap"  # the unit could take the team's charges of the month over its cap
    CALL_ENDED = "call_ended"  # the call was settled meanwhile, by a hang-up or its lease
    GIVEN_BACK = "given_back"  # this message's unit was returned; a new message needs a new id


class LimitInvalid(Invalid):
    """A monthly limit that is neither empty nor a whole number from 1 to 1,000,000 (U1)."""

    code = "limit_invalid"


def limit_value(value: object) -> int | None:
    """A limit as a program gives it (U1, UL1): None is unlimited, or a whole number.

    Text, fractions and booleans are refused, not read. Raises LimitInvalid.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LIMIT:
        raise LimitInvalid(
            f"A monthly limit cannot be {value!r}.",
            remedy="Enter a whole number from 1 to 1,000,000, or leave it empty for no limit.",
            value=value if isinstance(value, str | int | float) else str(value),
        )
    return value


def limit_from_text(text: str) -> int | None:
    """A limit as a form sends it: empty is unlimited, plain digits are the number (UL1)."""
    if not text:
        return None
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT))
    return limit_value(int(text) if plain else text)


def started_minutes(seconds: float) -> int:
    """Billed minutes of an answered call (UM2, UI4): fractions go up to whole seconds, then to
    whole minutes; an answered call has at least one.
    """
    whole = max(0, math.ceil(seconds))
    return max(1, -(-whole // 60))


def minute_start(answered_at: datetime, index: int) -> datetime:
    """When minute `index` of a call begins (UM7): answer time plus 60 s each."""
    return answered_at + index * MINUTE


def begun_minutes(answered_at: datetime, reserved: int, at: datetime) -> int:
    """How many of a live call's `reserved` minutes have begun by `at`: usage, no longer held."""
    if at < answered_at:
        return 0
    return min(reserved, (at - answered_at) // MINUTE + 1)


class Kind(StrEnum):
    """What an entry of the ledger says about its unit."""

    RESERVED = "reserved"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Resolution:
    """How one reserved unit ends, and when it really started."""

    index: int
    kind: Kind
    starts_at: datetime


def resolutions(
    held: Sequence[tuple[int, datetime]], billed: int, rest: Kind, shift: timedelta
) -> list[Resolution]:
    """The first `billed` held minutes are posted, the others end as `rest` (CCR-Terminate).

    `held`: (index, reserved start). `shift`: how much later than reserved the call was answered;
    each minute belongs to the month in which it really starts (UM6).
    """
    return [
        Resolution(index, Kind.POSTED, starts_at + shift)
        if index < billed
        else Resolution(index, rest, starts_at)
        for index, starts_at in held
    ]


def thresholds_reached(used: int, limit: int | None) -> list[int]:
    """The percentages that `used` units of `limit` have reached (U9), lowest first."""
    if limit is None:
        return []
    return [p for p in (WARNING_PERCENT, REACHED_PERCENT) if used * 100 >= p * limit]
