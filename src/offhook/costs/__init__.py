"""What conversations cost the operator: tokens, seconds, characters, carriers; and the margin.

    await costs.record(session, team_id, conversation_id=..., number_id=..., used=[
        costs.Used(costs.Kind.TOKENS_IN, "openai", "gpt-4.1-mini", 1204)])  # with what used it
    await costs.record_carrier(session, team_id, carrier_id="CA...", number_id=..., money=...,
                               at=..., conversation_id=...)                 # once per carrier id
    found = await costs.of_conversation(session, team_id, conversation_id)  # .lines .total
    months = await costs.months(session)                                    # .margin of each team

A page shows a conversation's lines by its fragment: {% include "costs/part.html" %} with
`conversation_id`. Rooms above tell the operator's overview more: `rents_from`, `standings_from`,
`hints_from`. Knows no billing.
"""

from offhook.costs.overview import Hint, Standing, hints_from, standings_from
from offhook.costs.reading import Cost, Costs, MonthOfTeam, months, of_conversation, rents_from
from offhook.costs.recording import record, record_carrier
from offhook.costs.rules import Kind, Rate, Used

__all__ = [
    "Cost",
    "Costs",
    "Hint",
    "Kind",
    "MonthOfTeam",
    "Rate",
    "Standing",
    "Used",
    "hints_from",
    "months",
    "of_conversation",
    "record",
    "record_carrier",
    "rents_from",
    "standings_from",
]
