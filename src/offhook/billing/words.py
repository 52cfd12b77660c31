"""How a subscription stands, in a sentence: what is open, what works, until when (UN8 to UN11).

The line across every page and the first card of the billing page say the same. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from offhook.billing.dunning import GRACE
from offhook.billing.models import Invoice
from offhook.billing.rules import SubscriptionState
from offhook.billing.totals import InvoiceState
from offhook.prices import Money
from offhook.web import money_text


@dataclass(frozen=True, slots=True)
class Unpaid:
    """An invoice whose charge has failed."""

    id: str
    number: str
    due: Money
    failed_since: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """What a team is told about. Times are instants; `zone` is how they are written."""

    state: SubscriptionState
    unpaid: Sequence[Unpaid]
    has_card: bool
    trial_ends: datetime | None
    releases_at: datetime | None
    zone: str


@dataclass(frozen=True, slots=True)
class Said:
    """`kind` is info, warning or error; `href` leads to what mends it."""

    kind: str
    sentence: str
    href: str = "/billing"


def say(found: Situation) -> Said | None:
    """What the team must know, or None when there is nothing."""
    match found.state:
        case SubscriptionState.TRIAL:
            return _trial(found)
        case SubscriptionState.PAST_DUE if found.unpaid:
            until = _day(found.unpaid[0].failed_since + GRACE, found.zone)
            return Said(
                "warning",
                f"{_open(found.unpaid)} Everything works but buying until {until}; "
                "then calls and texts are no longer answered.",
                _address(found.unpaid),
            )
        case SubscriptionState.SUSPENDED:
            return _suspended(found)
        case SubscriptionState.CANCELLED:
            sentence = "The subscription is cancelled. Calls and texts are not answered."
            return Said("error", sentence)
        case _:
            return None


def state_of(invoice: Invoice) -> tuple[str, str]:
    """An invoice's state as a pill: text and kind."""
    match invoice.state:
        case InvoiceState.PAID:
            return ("Paid", "on")
        case InvoiceState.OPEN:
            return ("Unpaid", "error") if invoice.failed_since else ("Being charged", "busy")
        case InvoiceState.SETTLED if invoice.balance_after.micros < 0:
            return ("Credit", "on")
        case InvoiceState.SETTLED if invoice.balance_after.micros > 0:
            return ("Carried forward", "off")
        case _:
            return ("Nothing due", "off")


def _trial(found: Situation) -> Said | None:
    if found.trial_ends is None or found.has_card:
        return None
    until = _day(found.trial_ends, found.zone)
    return Said("info", f"The trial ends on {until}. Add a card, and everything goes on after it.")


def _suspended(found: Situation) -> Said:
    if not found.unpaid:
        return Said(
            "error",
            "The trial has ended. Calls and texts are not answered until a card is added.",
        )
    sentence = f"{_open(found.unpaid)} Calls and texts are not answered until it is paid."
    if found.releases_at is not None:
        day = _day(found.releases_at, found.zone)
        sentence += f" On {day} the numbers go back to the carrier, for good."
    return Said("error", sentence, _address(found.unpaid))


def _open(unpaid: Sequence[Unpaid]) -> str:
    if len(unpaid) == 1:
        return f"Invoice {unpaid[0].number} over {money_text(unpaid[0].due)} is unpaid."
    total = sum((each.due for each in unpaid[1:]), unpaid[0].due)
    return f"{len(unpaid)} invoices over {money_text(total)} in all are unpaid."


def _address(unpaid: Sequence[Unpaid]) -> str:
    return f"/billing/invoices/{unpaid[0].id}"


def _day(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b}"
