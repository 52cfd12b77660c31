"""What else a month costs: rents, told by the room above that keeps the numbers (A6).

app.py joins them: `billing.rents_from(numbers.rents_due)`. Billing itself knows only ids.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from offhook.db import Session
from offhook.prices import Money


@dataclass(frozen=True, slots=True)
class Rent:
    """The rent of one number for one month, in advance."""

    number_id: str
    price_id: str
    money: Money


Source = Callable[[Session, str, datetime, datetime], Awaitable[Sequence[Rent]]]
_sources: list[Source] = []


def rents_from(source: Source) -> None:
    """Let `source(session, team_id, start, end)` tell the rents of the month [start, end)."""
    if source not in _sources:
        _sources.append(source)


async def due(session: Session, team_id: str, start: datetime, end: datetime) -> list[Rent]:
    found: list[Rent] = []
    for source in _sources:
        found += await source(session, team_id, start, end)
    return found
