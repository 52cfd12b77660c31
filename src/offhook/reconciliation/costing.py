"""What the carrier charged for a day's records goes to the costs of their teams and threads.

Of our own accounts only: what a team's own carrier account is charged is the team's cost (A7).
Told again, as the day is compared again, a record is one cost with its newest price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from offhook import costs
from offhook.db import Database
from offhook.prices import Money


@dataclass(frozen=True, slots=True)
class Priced:
    """One record of the carrier's that has a price, and whose it is."""

    team_id: str
    number_id: str
    conversation_id: str | None
    carrier_id: str
    at: datetime
    money: Money


async def book(database: Database, records: Sequence[Priced]) -> None:
    """Write them down, one transaction for each team."""
    for team_id in sorted({record.team_id for record in records}):
        async with database.team(team_id) as session:
            for record in records:
                if record.team_id == team_id:
                    await costs.record_carrier(
                        session,
                        team_id,
                        carrier_id=record.carrier_id,
                        number_id=record.number_id,
                        conversation_id=record.conversation_id,
                        money=record.money,
                        at=record.at,
                    )
