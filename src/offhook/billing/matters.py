"""What a team must know of its payments on every page: one to confirm, one that is disputed."""

from sqlalchemy import select

from offhook.billing.gateway import AUTHENTICATION_FAILED, AUTHENTICATION_REQUIRED, HoldState
from offhook.billing.models import Charge
from offhook.billing.web import confirm_url
from offhook.db import Session
from offhook.web import Banner

# Stripe's words for a dispute that is over, or never became one.
OVER = frozenset({"", "won", "lost", "warning_closed", "prevented"})
MOST = 3


async def banners(session: Session, team_id: str) -> list[Banner]:
    """The newest first, a few at most."""
    to_confirm = (Charge.state == HoldState.AUTHENTICATING) | (
        (Charge.state == HoldState.DECLINED)
        & Charge.decline_code.in_([AUTHENTICATION_REQUIRED, AUTHENTICATION_FAILED])
    )
    rows = await session.scalars(
        select(Charge)
        .where(Charge.team_id == team_id, to_confirm | Charge.dispute.not_in(OVER))
        .order_by(Charge.created_at.desc())
        .limit(MOST)
    )
    return [_banner(each) for each in rows]


def _banner(charge: Charge) -> Banner:
    if charge.confirmable:
        sentence = f"The card's bank asks you to confirm a payment of {charge.money}."
        return Banner("warning", sentence, confirm_url(charge.id), "Confirm")
    sentence = f"A payment of {charge.money} is disputed at the card's bank."
    return Banner("warning", sentence, "/billing", "Billing")
