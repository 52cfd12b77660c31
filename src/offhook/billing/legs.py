"""What second legs of transfers cost a team (UM9), told by the room above that keeps the transfers.

app.py joins them: `billing.legs_from(calls.legs_of)`. A leg is on the invoice of the month in which
it ended: told once a month is over, it is told the same at its close.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from offhook.db import Session
from offhook.prices import Money


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg that was answered; `price` is for a started minute, as it was when the leg ended."""

    call_id: str
    number_id: str
    name: str
    ended_at: datetime
    minutes: int
    price: Money


Source = Callable[[Session, str, datetime, datetime], Awaitable[Sequence[Leg]]]
_sources: list[Source] = []


def legs_from(source: Source) -> None:
    """Let `source(session, team_id, start, end)` tell the legs that ended in [start, end)."""
    if source not in _sources:
        _sources.append(source)


async def ended(session: Session, team_id: str, start: datetime, end: datetime) -> list[Leg]:
    """The legs of a month, in order of time."""
    found: list[Leg] = []
    for source in _sources:
        found += await source(session, team_id, start, end)
    return sorted(found, key=lambda leg: (leg.ended_at, leg.call_id))


def by_price(legs: Sequence[Leg]) -> dict[tuple[str, Money], int]:
    """Minutes by number and price: what each line of an invoice holds."""
    minutes: dict[tuple[str, Money], int] = defaultdict(int)
    for leg in legs:
        minutes[leg.number_id, leg.price] += leg.minutes
    return dict(minutes)
