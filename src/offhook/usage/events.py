"""What the ledger announces (U9): each once per number, service, month and limit value."""

from datetime import datetime

from offhook.db import Event
from offhook.usage.rules import Service


class LimitWarning(Event):
    """80 % of a number's monthly limit is used."""

    event = "limit.warning"
    number_id: str
    service: Service
    used: int
    held: int  # reserved and not yet begun
    limit: int
    resets_at: datetime


class LimitReached(Event):
    """A number's monthly limit is used up; the service stops until `resets_at`."""

    event = "limit.reached"
    number_id: str
    service: Service
    used: int
    held: int  # reserved and not yet begun
    limit: int
    resets_at: datetime


class AllowanceUsed(Event):
    """The team's free minutes or messages of the month are used up; units are charged from now."""

    event = "allowance.used"
    service: Service
    free_units: int
    resets_at: datetime
