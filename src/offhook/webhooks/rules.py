"""What webhooks promise to receivers, as decisions (W6 to W10). Pure: time and dice come in.

pending --2xx--> delivered
pending --10 failures--> failed
pending --endpoint off or removed--> stopped
any but pending --replay--> pending
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before each attempt, counted from the one before (W7)."""
ATTEMPTS = len(SCHEDULE)
JITTER = 0.2
MOST_RETRY_AFTER = timedelta(hours=24)

CONNECT_S = 5.0
TOTAL_S = 15.0
ANSWER_BYTES = 64 * 1024
ANSWER_KEPT = 1024
AT_ONCE = 4
"""Requests to one endpoint at a time (W9); one alone while it fails: it costs others less."""
LEASE = timedelta(seconds=60)
"""A dispatcher that does not report for so long is dead: four times what an attempt may take."""

GIVE_UP_AFTER = timedelta(days=5)
BOTH_SECRETS = timedelta(hours=24)
MOST_SECRETS = 3
KEPT = timedelta(days=30)
EVENTS_KEPT = timedelta(days=90)
"""Each conversation's last event stays: the next one counts on from it (W3)."""
MOST_ENDPOINTS = 50
LISTENER_IDLE = timedelta(minutes=15)

EVERY = "*"


class EndpointKind(StrEnum):
    """URL is a receiver on the internet, LISTENER a program that asks for its deliveries."""

    URL = "url"
    LISTENER = "listener"


class EndpointState(StrEnum):
    """OFF is by hand; FAILING and GONE were switched off by us (W10)."""

    ON = "on"
    OFF = "off"
    FAILING = "failing"
    GONE = "gone"
    REMOVED = "removed"


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    STOPPED = "stopped"


def is_success(status: int | None) -> bool:
    """Whether the receiver has taken it: any 2xx; a redirect is none (W8)."""
    return status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def next_wait(tries: int, dice: float, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait after `tries` failures; None: that was the last (W7).

    `dice` in 0..1 spreads it by 20 % either way. What the receiver asked for is a minimum, which
    no dice undercut, up to a day.
    """
    if tries >= ATTEMPTS:
        return None
    wait = SCHEDULE[tries] * (1 - JITTER + 2 * JITTER * dice)
    return max(wait, min(asked or timedelta(0), MOST_RETRY_AFTER))


def retry_after(values: Sequence[str], at: datetime) -> timedelta | None:
    """What `Retry-After` asks for at `at`; None: nothing that can be read (RFC 9110, 10.2.3).

    Of several the longest counts. Digits are seconds; all else must be a date.
    """
    found = [wait for value in values if (wait := _wait(value.strip(), at)) is not None]
    return max(found, default=None)


def _wait(value: str, at: datetime) -> timedelta | None:
    if value.isascii() and value.isdigit():
        # A number of many digits overflows a timer; more than a day is a day.
        digits = value.lstrip("0")
        is_long = len(digits) > len("86400")
        return MOST_RETRY_AFTER if is_long else timedelta(seconds=int(digits or 0))
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # no date, or one of an absurd year
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(until - at, timedelta(0))


def switches_off(status: int | None, failing_since: datetime, at: datetime) -> EndpointState | None:
    """The state that a failure at `at` brings its endpoint into, or None (W10)."""
    if status == HTTPStatus.GONE:
        return EndpointState.GONE
    return EndpointState.FAILING if at - failing_since >= GIVE_UP_AFTER else None


def slots(*, failing: bool) -> int:
    """How many requests an endpoint may have under way (W9)."""
    return 1 if failing else AT_ONCE


def wants(chosen: Sequence[str], event: str) -> bool:
    """Whether an endpoint that chose these events is sent this one."""
    return EVERY in chosen or event in chosen
