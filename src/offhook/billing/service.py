"""The use cases of billing: standing, cards, and money held and taken for an order.

Each function works in the caller's transaction. What a gateway did stays done when that
transaction fails: the callers' sagas look it up again by key (A5). Knows no number and no price.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from offhook import settings
from offhook.billing import rules
from offhook.billing.events import (
    PaymentFailed,
    SubscriptionPastDue,
    SubscriptionRestored,
    SubscriptionSuspended,
)
from offhook.billing.gateway import CardInput, Declined, Gateway, HoldState
from offhook.billing.models import Charge, PaymentMethod, Subscription
from offhook.billing.rules import CardFacts, CardStatus, Standing, Step, SubscriptionState
from offhook.db import Event, Session, new_id, now, publish
from offhook.errors import Conflict, NotFound
from offhook.prices import Money

Suspended = Callable[[Session, str], Awaitable[None]]
_on_suspended: list[Suspended] = []
MAX_CARDS = 10


class CardNotFound(NotFound):
    code = "card_not_found"


class TooManyCards(Conflict):
    code = "too_many_cards"


class StepNotAllowed(Conflict):
    code = "subscription_step_not_allowed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a hold or a capture; `sentence` tells a person why it was declined."""

    ok: bool
    sentence: str = ""
    code: str = ""


def when_suspended(handler: Suspended) -> None:
    """Let a room above end what is live, in the transaction that suspends a team (N11)."""
    _on_suspended.append(handler)


async def on_team_created(session: Session, team_id: str) -> None:
    """A new team starts with an active trial; with the test gateway it does not expire (U10)."""
    await session.execute(
        insert(Subscription)
        .values(
            id=new_id("sub"),
            team_id=team_id,
            state=SubscriptionState.TRIAL,
            since=await now(session),
        )
        .on_conflict_do_nothing()
    )


async def subscription(session: Session, team_id: str, *, lock: bool = False) -> Subscription:
    query = select(Subscription).where(Subscription.team_id == team_id)
    found = await session.scalar(query.with_for_update(key_share=True) if lock else query)
    if found is None:
        await on_team_created(session, team_id)
        found = (await session.scalars(query)).one()
    return found


def is_on() -> bool:
    """Whether this installation charges its teams (U10)."""
    return settings.load().billing


async def standing(session: Session, team_id: str) -> Standing:
    """What the team may do now; every missing thing named (A1). Billing off: everything (U10)."""
    if not is_on():
        return rules.EVERY_TEAM_ACTIVE
    state = await session.scalar(select(Subscription.state).where(Subscription.team_id == team_id))
    at = await now(session)
    card = _charged(await cards(session, team_id), at)
    return rules.standing(
        SubscriptionState(state or SubscriptionState.TRIAL), _facts(card) if card else None, at
    )


async def change_subscription(session: Session, team_id: str, step: Step) -> SubscriptionState:
    """Take one step of the table in rules.py. Raises StepNotAllowed."""
    found = await subscription(session, team_id, lock=True)
    before = SubscriptionState(found.state)
    after = rules.NEXT.get((before, step))
    if after is None:
        shown = step.replace("_", " ")
        raise StepNotAllowed(f"A subscription that is {before} does not take “{shown}”.")
    found.state, found.since = after, await now(session)
    for event in _told(team_id, before, after):
        await publish(session, event)
    if before in rules.SERVICES_ON and after not in rules.SERVICES_ON:
        for handler in _on_suspended:
            await handler(session, team_id)
    return after


async def cards(session: Session, team_id: str, *, lock: bool = False) -> Sequence[PaymentMethod]:
    """The cards on file, the default one first, then the newest."""
    query = (
        select(PaymentMethod)
        .where(PaymentMethod.team_id == team_id, PaymentMethod.removed_at.is_(None))
        .order_by(PaymentMethod.is_default.desc(), PaymentMethod.created_at.desc())
    )
    return (await session.scalars(query.with_for_update(key_share=True) if lock else query)).all()


async def card(session: Session, team_id: str, card_id: str) -> PaymentMethod:
    """Raises CardNotFound."""
    for each in await cards(session, team_id):
        if each.id == card_id:
            return each
    raise CardNotFound(f"There is no card {card_id[:40]}.", remedy="See the cards under Billing.")


async def add_card(
    session: Session, gateway: Gateway, team_id: str, given: CardInput
) -> PaymentMethod:
    """Store a card; the default when there is none that works. Raises CardInvalid."""
    await subscription(session, team_id, lock=True)  # one change of cards at a time
    present = await cards(session, team_id)
    if len(present) >= MAX_CARDS:
        raise TooManyCards(f"There are {MAX_CARDS} cards already.", remedy="Remove one first.")
    at = await now(session)
    stored = await gateway.add_card(given, customer=team_id, at=at)
    is_default = not any(each.is_default and _usable(each, at) for each in present)
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
    await subscription(session, team_id, lock=True)
    chosen = await card(session, team_id, card_id)
    await _clear_default(session, team_id)
    chosen.is_default = True
    await session.flush()
    return chosen


async def remove_card(session: Session, gateway: Gateway, team_id: str, card_id: str) -> None:
    """Forget a card, here and at the gateway; the newest that is left becomes the default."""
    await subscription(session, team_id, lock=True)
    removed = await card(session, team_id, card_id)
    was_default = removed.is_default
    removed.removed_at, removed.is_default = await now(session), False
    await session.flush()
    left = await cards(session, team_id)
    if was_default and left:
        left[0].is_default = True
    await gateway.remove_card(removed.token)


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
    if money.micros == 0 or not is_on():
        return Outcome(ok=True)
    at = await now(session)
    chosen = _charged(await cards(session, team_id, lock=True), at)
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


async def _clear_default(session: Session, team_id: str) -> None:
    await session.execute(
        update(PaymentMethod)
        .where(PaymentMethod.team_id == team_id, PaymentMethod.is_default)
        .values(is_default=False)
    )


def _facts(found: PaymentMethod) -> CardFacts:
    return CardFacts(
        found.brand,
        found.last4,
        found.expiry_month,
        found.expiry_year,
        CardStatus(found.status),
    )


def _usable(found: PaymentMethod, at: datetime) -> bool:
    return rules.is_usable(_facts(found), at)


def _charged(found: Sequence[PaymentMethod], at: datetime) -> PaymentMethod | None:
    index = rules.charged_card([_facts(each) for each in found], at)
    return None if index is None else found[index]


def _told(team_id: str, before: SubscriptionState, after: SubscriptionState) -> list[Event]:
    if after is SubscriptionState.PAST_DUE:
        return [SubscriptionPastDue(team_id=team_id)]
    if after not in rules.SERVICES_ON:
        return [SubscriptionSuspended(team_id=team_id, state=after)]
    if before not in rules.MAY_BUY:
        return [SubscriptionRestored(team_id=team_id)]
    return []
