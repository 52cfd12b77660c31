"""The situation of a team's subscription, read for words.py; and an invoice that was not paid."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from offhook.billing import cards, collecting, dunning, releasing, subscriptions
from offhook.billing.gateway import declined
from offhook.billing.models import Invoice
from offhook.billing.rules import SubscriptionState
from offhook.billing.words import Situation, Unpaid
from offhook.db import Session, now
from offhook.prices import Money


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


@dataclass(frozen=True, slots=True)
class NotPaid:
    """An invoice whose charge was declined, why, and until when everything works (UN8)."""

    number: str
    due: Money
    why: str
    until: datetime


async def not_paid(
    session: Session, team_id: str, reference: str, decline_code: str
) -> NotPaid | None:
    """What a declined charge was for, if that is an invoice."""
    invoice = await session.scalar(
        select(Invoice).where(Invoice.team_id == team_id, Invoice.id == reference)
    )
    if invoice is None:
        return None
    since = invoice.failed_since or await now(session)
    no_card = decline_code == collecting.NO_CARD
    why = "There is no card on file." if no_card else declined(decline_code).sentence
    return NotPaid(invoice.number, invoice.due, why, since + dunning.GRACE)
