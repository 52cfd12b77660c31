"""Money held and taken for an order, and let go again.

Each function works in the caller's transaction. What a gateway did stays done when that
transaction fails: the callers' sagas look it up again by key (A5). Knows no number and no price.
"""

from dataclasses import dataclass

from sqlalchemy import select

from offhook.billing import cards, subscriptions
from offhook.billing.events import PaymentFailed
from offhook.billing.gateway import Declined, Gateway, HoldState
from offhook.billing.models import Charge, PaymentMethod
from offhook.billing.rules import CardStatus
from offhook.db import Session, new_id, now, publish
from offhook.prices import Money


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a hold or a capture; `sentence` tells a person why it was declined."""

    ok: bool
    sentence: str = ""
    code: str = ""


async def hold(
    session: Session,
    gateway: Gateway,
    team_id: str,
    *,
    key: str,
    money: Money,
    description: str,
    reference: str,
) -> Outcome:
    """Hold `money` for an order on the card that charges go to; repeating it changes nothing.

    A decline is an outcome, not an error, so that it is recorded with its card (A1). Nothing is
    held when there is nothing to pay or billing is off. Raises gateway.Unreachable.
    """
    if money.micros == 0 or not subscriptions.is_on():
        return Outcome(ok=True)
    at = await now(session)
    chosen = cards.charged(await cards.on_file(session, team_id, lock=True), at)
    if chosen is None:
        return Outcome(ok=False, sentence="There is no payment method on file.", code="no_card")
    charge = await _charge(session, team_id, key) or Charge(
        id=new_id("chg"),
        team_id=team_id,
        key=key,
        reference=reference,
        description=description,
        micros=money.micros,
        currency=money.currency,
        payment_method_id=chosen.id,
        created_at=at,
        updated_at=at,
    )
    session.add(charge)
    try:
        await gateway.authorise(key, money, token=chosen.token, at=at)
    except Declined as declined:
        return await _declined(session, charge, chosen, declined)
    charge.state = HoldState.HELD
    chosen.status = CardStatus.VALID
    return Outcome(ok=True)


async def capture(session: Session, gateway: Gateway, team_id: str, key: str) -> Outcome:
    """Take what is held under `key`; repeating it changes nothing. Raises Unreachable."""
    charge = await _charge(session, team_id, key)
    if charge is None:  # nothing was to pay
        return Outcome(ok=True)
    try:
        await gateway.capture(key)
    except Declined as declined:
        return Outcome(ok=False, sentence=declined.sentence, code=declined.decline_code)
    charge.state, charge.updated_at = HoldState.CAPTURED, await now(session)
    return Outcome(ok=True)


async def void(session: Session, gateway: Gateway, team_id: str, key: str) -> None:
    """Let go what is held under `key`, or give back what was taken. Raises Unreachable."""
    await gateway.void(key)
    charge = await _charge(session, team_id, key)
    if charge is not None and charge.state != HoldState.DECLINED:
        charge.state, charge.updated_at = HoldState.VOIDED, await now(session)


async def _declined(
    session: Session, charge: Charge, chosen: PaymentMethod, declined: Declined
) -> Outcome:
    charge.state, charge.decline_code = HoldState.DECLINED, declined.decline_code
    chosen.status = CardStatus.DECLINED
    await publish(
        session,
        PaymentFailed(
            team_id=charge.team_id,
            charge_id=charge.id,
            reference=charge.reference,
            decline_code=declined.decline_code,
        ),
    )
    return Outcome(ok=False, sentence=declined.sentence, code=declined.decline_code)


async def _charge(session: Session, team_id: str, key: str) -> Charge | None:
    return await session.scalar(select(Charge).where(Charge.team_id == team_id, Charge.key == key))
