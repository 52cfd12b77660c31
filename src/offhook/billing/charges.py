"""Money held and taken for an order, and let go again.

Each function works in the caller's transaction. What a gateway did stays done when that
transaction fails: the callers' sagas look it up again by key (A5). A payment that its card's bank
wants confirmed waits in the row `authenticating`, or is `declined` for that reason where nobody was
there; `look` asks the gateway what became of it, and `when_settled` tells the rooms above. Knows no
number and no price.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from offhook.billing import cards, customers, subscriptions
from offhook.billing.events import PaymentFailed
from offhook.billing.gateway import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REQUIRED,
    Declined,
    Gateway,
    Hold,
    HoldState,
    Order,
    declined,
)
from offhook.billing.models import Charge, PaymentMethod
from offhook.billing.rules import CardStatus
from offhook.db import Session, new_id, now, publish, touch
from offhook.errors import NotFound
from offhook.prices import Money

NOT_CONFIRMED = "not_confirmed"
# Declines that say nothing about the card itself: it may buy again (A1).
NOT_THE_CARD = frozenset(
    {
        AUTHENTICATION_REQUIRED,
        AUTHENTICATION_FAILED,
        NOT_CONFIRMED,
        "amount_too_small",
        "hold_expired",
    }
)

Settled = Callable[[Session, Charge], Awaitable[None]]
_on_settled: list[Settled] = []


class ChargeNotFound(NotFound):
    code = "charge_not_found"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a hold or a charge; `sentence` tells a person why it was declined.

    `waits`: nothing is held yet, the card's owner is asked by the bank. `charge_id` is the row,
    whose page lets the owner confirm it (also after a decline with `authentication_required`).
    """

    ok: bool
    sentence: str = ""
    code: str = ""
    waits: bool = False
    charge_id: str = ""


NOTHING_TO_PAY = Outcome(ok=True)


def when_settled(handler: Settled) -> None:
    """Let a room above go on when a payment that waited for its owner is confirmed, refused, taken
    or given back; `handler(session, charge)` in the transaction that has learnt it.
    """
    if handler not in _on_settled:
        _on_settled.append(handler)


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
    return await _pay(session, gateway, team_id, key, money, description, reference, at_once=False)


async def charge_now(
    session: Session,
    gateway: Gateway,
    team_id: str,
    *,
    key: str,
    money: Money,
    description: str,
    reference: str,
) -> Outcome:
    """Take `money` at once with nobody there, as for an invoice; `key` names this one attempt.

    Earlier attempts with the same `reference` end first, so that their owner cannot confirm one
    beside this: where one has been paid meanwhile, that is the outcome. As `hold` else; a bank that
    insists on its owner declines with `authentication_required`, and the owner may confirm it on
    the charge's page until the next attempt.
    """
    if money.micros == 0 or not subscriptions.is_on():
        return NOTHING_TO_PAY
    if paid := await _end_earlier(session, gateway, team_id, reference, key):
        return Outcome(ok=True, charge_id=paid.id)
    return await _pay(session, gateway, team_id, key, money, description, reference, at_once=True)


async def _pay(
    session: Session,
    gateway: Gateway,
    team_id: str,
    key: str,
    money: Money,
    description: str,
    reference: str,
    *,
    at_once: bool,
) -> Outcome:
    if money.micros == 0 or not subscriptions.is_on():
        return NOTHING_TO_PAY
    at = await now(session)
    charge = await _by_key(session, team_id, key)
    on_file = await cards.on_file(session, team_id, lock=True)
    chosen = _chosen(charge, on_file) or cards.charged(on_file, at)
    if chosen is None:
        return Outcome(ok=False, sentence="There is no payment method on file.", code="no_card")
    if charge is None:
        charge = Charge(
            id=new_id("chg"),
            team_id=team_id,
            key=key,
            reference=reference,
            description=description,
            micros=money.micros,
            currency=money.currency,
            state="",  # until the gateway has answered; never committed so
            payment_method_id=chosen.id,
            created_at=at,
            updated_at=at,
        )
        session.add(charge)
    order = Order(
        key=key,
        customer=await customers.of_team(session, gateway, team_id),
        money=money,
        token=chosen.token,
        description=description,
    )
    try:
        pay = gateway.charge if at_once else gateway.authorise
        found = await pay(order, at=at)
    except Declined as refused:
        return await _declined(session, charge, refused)
    return await _learn(session, charge, found)


async def look(session: Session, gateway: Gateway, team_id: str, key: str) -> Outcome:
    """Ask the gateway what became of a payment, and write it down. Raises Unreachable.

    What waited and is settled now is told to `when_settled`.
    """
    charge = await _by_key(session, team_id, key)
    if charge is None:
        return NOTHING_TO_PAY
    # Always in this order, that two who learn of it at once do not wait for each other.
    await subscriptions.subscription(session, team_id, lock=True)
    await cards.on_file(session, team_id, lock=True)
    await session.refresh(charge)  # the other may have written it down and told it meanwhile
    before = charge.state
    customer = await customers.of_team(session, gateway, team_id)
    found = await gateway.find(key, customer=customer)
    if found is None:
        outcome = await _declined(session, charge, declined("card_declined"))
    else:
        outcome = await _learn(session, charge, found)
    if charge.state != before:
        await touch(session, team_id, f"charge:{charge.id}", "charges")
        for handler in _on_settled:
            await handler(session, charge)
    return outcome


async def capture(session: Session, gateway: Gateway, team_id: str, key: str) -> Outcome:
    """Take what is held under `key`; repeating it changes nothing. Raises Unreachable."""
    charge = await _by_key(session, team_id, key)
    if charge is None:  # nothing was to pay
        return NOTHING_TO_PAY
    try:
        found = await gateway.capture(
            key, customer=await customers.of_team(session, gateway, team_id)
        )
    except Declined as refused:
        return Outcome(ok=False, sentence=refused.sentence, code=refused.decline_code)
    return await _learn(session, charge, found)


async def void(session: Session, gateway: Gateway, team_id: str, key: str) -> None:
    """Let go what is held under `key`, or give back what was taken. Raises Unreachable."""
    if not subscriptions.is_on() and await _by_key(session, team_id, key) is None:
        return
    await gateway.void(key, customer=await customers.of_team(session, gateway, team_id))
    charge = await _by_key(session, team_id, key)
    if charge is None:
        return
    if charge.state != HoldState.DECLINED:
        charge.state, charge.updated_at = HoldState.VOIDED, await now(session)
    elif charge.confirmable:
        charge.decline_code = NOT_CONFIRMED  # its owner can do so no more


async def get(session: Session, team_id: str, charge_id: str) -> Charge:
    """Raises ChargeNotFound."""
    found = await session.scalar(
        select(Charge).where(Charge.team_id == team_id, Charge.id == charge_id)
    )
    if found is None:
        raise ChargeNotFound(f"There is no charge {charge_id[:40]}.", remedy="See Billing.")
    return found


async def at_gateway(session: Session, gateway: Gateway, charge: Charge) -> Hold | None:
    """The order of a charge as the gateway has it now, with the action that it waits for."""
    customer = await customers.of_team(session, gateway, charge.team_id)
    return await gateway.find(charge.key, customer=customer)


async def _end_earlier(
    session: Session, gateway: Gateway, team_id: str, reference: str, key: str
) -> Charge | None:
    """End the attempts of `reference` before `key`; one that was paid meanwhile, if any."""
    earlier = await session.scalars(
        select(Charge).where(
            Charge.team_id == team_id,
            Charge.reference == reference,
            Charge.key != key,
            Charge.state != HoldState.VOIDED,
        )
    )
    for each in earlier.all():
        if each.confirmable:
            await look(session, gateway, team_id, each.key)
        if each.state == HoldState.CAPTURED:
            return each
        if each.confirmable:
            # Confirmed in this very moment it is given back: never paid twice.
            await void(session, gateway, team_id, each.key)
    return None


async def _learn(session: Session, charge: Charge, found: Hold) -> Outcome:
    """Write down what the gateway says of an order."""
    if found.state is HoldState.DECLINED:
        return await _declined(session, charge, declined(found.decline_code))
    changed = charge.state != found.state
    if changed:
        charge.state, charge.updated_at = found.state, await now(session)
        charge.decline_code = found.decline_code
    if found.state is HoldState.AUTHENTICATING:
        sentence = declined(AUTHENTICATION_REQUIRED).sentence
        return Outcome(
            ok=False,
            sentence=sentence,
            code=AUTHENTICATION_REQUIRED,
            waits=True,
            charge_id=charge.id,
        )
    if found.state is HoldState.VOIDED:
        gone = declined("hold_expired")
        return Outcome(
            ok=False, sentence=gone.sentence, code=gone.decline_code, charge_id=charge.id
        )
    card = await session.get(PaymentMethod, charge.payment_method_id)
    if changed and card is not None:  # old news does not undo what came after it
        card.status = CardStatus.VALID
    return Outcome(ok=True, charge_id=charge.id)


async def _declined(session: Session, charge: Charge, refused: Declined) -> Outcome:
    """Write a decline down, and tell it once."""
    code = refused.decline_code
    outcome = Outcome(ok=False, sentence=refused.sentence, code=code, charge_id=charge.id)
    if charge.state == HoldState.DECLINED and charge.decline_code in {code, NOT_CONFIRMED}:
        return outcome
    charge.state, charge.decline_code = HoldState.DECLINED, code
    charge.updated_at = await now(session)
    if code not in NOT_THE_CARD:
        card = await session.get(PaymentMethod, charge.payment_method_id)
        if card is not None:
            card.status = CardStatus.DECLINED
    await publish(
        session,
        PaymentFailed(
            team_id=charge.team_id,
            charge_id=charge.id,
            reference=charge.reference,
            decline_code=code,
        ),
    )
    return outcome


def _chosen(charge: Charge | None, on_file: Sequence[PaymentMethod]) -> PaymentMethod | None:
    """The card of an attempt that was made before: a repetition does not change cards."""
    if charge is None:
        return None
    return next((each for each in on_file if each.id == charge.payment_method_id), None)


async def _by_key(session: Session, team_id: str, key: str) -> Charge | None:
    return await session.scalar(select(Charge).where(Charge.team_id == team_id, Charge.key == key))
