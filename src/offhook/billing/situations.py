"""The situation of a team's subscription, read for words.py."""

from offhook.billing import cards, collecting, releasing, subscriptions
from offhook.billing.rules import SubscriptionState
from offhook.billing.words import Situation, Unpaid
from offhook.db import Session, now


async def of_team(session: Session, team_id: str, zone: str) -> Situation:
    """How the team stands. With billing off nothing is open and nothing ends."""
    found = await subscriptions.subscription(session, team_id)
    if not subscriptions.is_on():
        return Situation(
            SubscriptionState.ACTIVE,
            unpaid=[],
            has_card=False,
            trial_ends=None,
            releases_at=None,
            zone=zone,
        )
    at = await now(session)
    on_file = await cards.on_file(session, team_id)
    plan = await releasing.plan(session, found)
    return Situation(
        state=SubscriptionState(found.state),
        unpaid=[
            Unpaid(each.id, each.number, each.due, each.failed_since)
            for each in await collecting.unpaid(session, team_id)
            if each.failed_since is not None
        ],
        has_card=any(cards.is_usable(each, at) for each in on_file),
        trial_ends=collecting.trial_ends(found),
        releases_at=plan.at if plan else None,
        zone=zone,
    )
