"""What the ledger announces (U9): each once per number, service, month and limit value."""

from datetime import datetime
from enum import StrEnum

from offhook.db import Event
from offhook.usage.rules import Service


class Scope(StrEnum):
    """What a limit is of."""

    NUMBER = "number"  # one service of one number, in units
    SPEND_CAP = "spend_cap"  # the whole team, in money


class LimitEvent(Event):
    """What is told of a limit.

    `scope` number: number_id, service, used, held (reserved and not yet begun), limit. `scope`
    spend_cap: charged (with what is held) and cap, decimal text of `currency`.
    """

    scope: Scope = Scope.NUMBER
    number_id: str | None = None
    service: Service | None = None
    used: int | None = None
    held: int | None = None
    limit: int | None = None
    charged: str | None = None
    cap: str | None = None
    currency: str | None = None
    resets_at: datetime


class LimitWarning(LimitEvent):
    """80 % of a number's monthly limit, or of the team's spend cap, is used."""

    event = "limit.warning"


class LimitReached(LimitEvent):
    """A number's monthly limit, or the team's spend cap, is used up: the service, or everything
    that costs, stops until `resets_at`.
    """

    event = "limit.reached"


class AllowanceUsed(Event):
    """The team's free minutes or messages of the month are used up; units are charged from now."""

    event = "allowance.used"
    service: Service
    free_units: int
    resets_at: datetime
