"""What billing announces (webhooks.md)."""

from datetime import datetime
from typing import ClassVar

from offhook.db import Event


class PaymentFailed(Event):
    """A charge was declined. `reference` names what it was for, such as a purchase."""

    event: ClassVar[str] = "payment.failed"
    charge_id: str
    reference: str
    decline_code: str


class SubscriptionPastDue(Event):
    """A charge of the subscription failed; everything works but buying."""

    event: ClassVar[str] = "subscription.past_due"


class SubscriptionSuspended(Event):
    """All numbers of the team are treated as disabled from now on (N11)."""

    event: ClassVar[str] = "subscription.suspended"
    state: str


class SubscriptionReleasing(Event):
    """The numbers of the suspended team go back to the carrier at `releases_at`, for good (UN11).

    Told 14, 7, 3 and 1 days before, where the operator has turned that on.
    """

    event: ClassVar[str] = "subscription.releasing"
    days: int
    releases_at: datetime


class SubscriptionRestored(Event):
    """What was unpaid is paid; everything works again."""

    event: ClassVar[str] = "subscription.restored"


class InvoiceFinalized(Event):
    """A month was closed into an invoice, which never changes again. Money in millionths."""

    event: ClassVar[str] = "invoice.finalized"
    invoice_id: str
    number: str
    total_micros: int
    due_micros: int
    currency: str
