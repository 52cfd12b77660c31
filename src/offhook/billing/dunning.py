"""What happens to an unpaid invoice, and to a trial that ends (UN8 to UN11, U10). Pure.

    day 0    the charge fails: past due; everything works but buying
    to 14    eight more attempts (RETRY_AFTER)
    day 14   the last one fails: suspended, numbers are treated as disabled
    later    whatever pays it, a new card or by hand, restores the team at once

A suspended team's numbers go back to the carrier only where the operator has turned that on, and
only after notices that were recorded (NOTICES): each came as long before as it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from offhook.billing.rules import Step, SubscriptionState

GRACE = timedelta(days=14)
RETRY_AFTER = (
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=2),
    timedelta(days=4),
    timedelta(days=6),
    timedelta(days=8),
    timedelta(days=11),
    GRACE,
)
RELEASE_AFTER = timedelta(days=30)
NOTICES = (14, 7, 3, 1)  # days before the release


def next_retry(failed_since: datetime, at: datetime) -> datetime | None:
    """When to try again after an attempt at `at` has failed; None: the last one is over.

    One that was missed, as while no worker ran, is not made up for.
    """
    times = (failed_since + after for after in RETRY_AFTER)
    return next((time for time in times if time > at), None)


def is_exhausted(failed_since: datetime | None, last_attempt_at: datetime | None) -> bool:
    """Whether the grace is over and an attempt after it has failed as well (UN9)."""
    if failed_since is None or last_attempt_at is None:
        return False
    return last_attempt_at >= failed_since + GRACE


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides the next step of a subscription."""

    state: SubscriptionState
    unpaid: bool  # an invoice whose charge has failed is open
    exhausted: bool  # and all of its retries have failed as well
    trial_over: bool
    has_card: bool  # one that charges can go to


def step(facts: Facts) -> Step | None:
    """The step that is due, or None. Cancelled is left only by hand."""
    match facts.state:
        case SubscriptionState.TRIAL | SubscriptionState.ACTIVE if facts.unpaid:
            return Step.CHARGE_FAILED
        case SubscriptionState.TRIAL if facts.trial_over:
            return Step.ACTIVATE if facts.has_card else Step.UNPAID
        case SubscriptionState.PAST_DUE if not facts.unpaid:
            return Step.PAID
        case SubscriptionState.PAST_DUE if facts.exhausted:
            return Step.UNPAID
        case SubscriptionState.SUSPENDED if facts.has_card and not facts.unpaid:
            return Step.PAID
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Release:
    """When a suspended team's numbers go back, and the notice that is due now, if any."""

    at: datetime
    notice: int | None

    def is_due(self, at: datetime) -> bool:
        return self.notice is None and at >= self.at


def release(suspended_since: datetime, told: Mapping[int, datetime], at: datetime) -> Release:
    """The plan of UN11 as it is at `at`; `told` are the notices recorded: days before, and when.

    30 days after the suspension, and later where a notice was given later than it should: each
    leaves the team the days that it says.
    """
    planned = suspended_since + RELEASE_AFTER
    for days in NOTICES:
        if days not in told:
            planned = max(planned, at + timedelta(days=days))
            is_time = at >= planned - timedelta(days=days)
            return Release(planned, days if is_time else None)
        planned = max(planned, told[days] + timedelta(days=days))
    return Release(planned, None)
