"""The cards on file: stored at the gateway, one of them the default, one of them charged.

Each function works in the caller's transaction. No card number is kept here.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from offhook.billing import rules
from offhook.billing.gateway import CardInput, Gateway
from offhook.billing.models import PaymentMethod, Subscription
from offhook.billing.rules import CardFacts, CardStatus
from offhook.db import Session, new_id, now
from offhook.errors import Conflict, NotFound

MAX_CARDS = 10


class CardNotFound(NotFound):
    code = "card_not_found"


class TooManyCards(Conflict):
    code = "too_many_cards"


async def on_file(session: Session, team_id: str, *, lock: bool = False) -> Sequence[PaymentMethod]:
    """The cards on file, the default one first, then the newest."""
    query = (
        select(PaymentMethod)
        .where(PaymentMethod.team_id == team_id, PaymentMethod.removed_at.is_(None))
        .order_by(PaymentMethod.is_default.desc(), PaymentMethod.created_at.desc())
    )
    return (await session.scalars(query.with_for_update(key_share=True) if lock else query)).all()


async def card(session: Session, team_id: str, card_id: str) -> PaymentMethod:
    """Raises CardNotFound."""
    for each in await on_file(session, team_id):
        if each.id == card_id:
            return each
    raise CardNotFound(f"There is no card {card_id[:40]}.", remedy="See the cards under Billing.")


async def add_card(
    session: Session, gateway: Gateway, team_id: str, given: CardInput
) -> PaymentMethod:
    """Store a card; the default when there is none that works. Raises CardInvalid."""
    await _one_at_a_time(session, team_id)
    present = await on_file(session, team_id)
    if len(present) >= MAX_CARDS:
        raise TooManyCards(f"There are {MAX_CARDS} cards already.", remedy="Remove one first.")
    at = await now(session)
    stored = await gateway.add_card(given, customer=team_id, at=at)
    is_default = not any(each.is_default and is_usable(each, at) for each in present)
    if is_default:
        await _clear_default(session, team_id)
    added = PaymentMethod(
        id=new_id("card"),
        team_id=team_id,
        token=stored.token,
        brand=stored.brand,
        last4=stored.last4,
        expiry_month=stored.expiry_month,
        expiry_year=stored.expiry_year,
        status=CardStatus.VALID,
        is_default=is_default,
        created_at=at,
    )
    session.add(added)
    await session.flush()
    return added


async def set_default(session: Session, team_id: str, card_id: str) -> PaymentMethod:
    await _one_at_a_time(session, team_id)
    chosen = await card(session, team_id, card_id)
    await _clear_default(session, team_id)
    chosen.is_default = True
    await session.flush()
    return chosen


async def remove_card(session: Session, gateway: Gateway, team_id: str, card_id: str) -> None:
    """Forget a card, here and at the gateway; the newest that is left becomes the default."""
    await _one_at_a_time(session, team_id)
    removed = await card(session, team_id, card_id)
    was_default = removed.is_default
    removed.removed_at, removed.is_default = await now(session), False
    await session.flush()
    left = await on_file(session, team_id)
    if was_default and left:
        left[0].is_default = True
    await gateway.remove_card(removed.token)


async def _one_at_a_time(session: Session, team_id: str) -> None:
    """One change of a team's cards at a time."""
    await session.execute(
        select(Subscription.id)
        .where(Subscription.team_id == team_id)
        .with_for_update(key_share=True)
    )


async def _clear_default(session: Session, team_id: str) -> None:
    await session.execute(
        update(PaymentMethod)
        .where(PaymentMethod.team_id == team_id, PaymentMethod.is_default)
        .values(is_default=False)
    )


def facts(found: PaymentMethod) -> CardFacts:
    return CardFacts(
        found.brand,
        found.last4,
        found.expiry_month,
        found.expiry_year,
        CardStatus(found.status),
    )


def is_usable(found: PaymentMethod, at: datetime) -> bool:
    return rules.is_usable(facts(found), at)


def charged(found: Sequence[PaymentMethod], at: datetime) -> PaymentMethod | None:
    index = rules.charged_card([facts(each) for each in found], at)
    return None if index is None else found[index]
