"""Carries a purchase out, one command of the saga per transaction (A5; faults b).

Each step locks the purchase's row, runs the command, and stores the new state; a worker that dies
in between leaves the state before, and whoever resumes repeats the command. So every command asks
first what is done already: the gateway by key, the carrier by order tag, the table by purchase.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from offhook import billing, usage
from offhook.carriers import Callbacks, Carrier, CarrierProblem, Held, Refused, Unreachable
from offhook.db import Database, Session, new_id, now, publish, touch
from offhook.errors import Problem
from offhook.failpoints import failpoint
from offhook.numbers import activity, problems, saga
from offhook.numbers.events import NumberPurchased
from offhook.numbers.models import Number, Purchase, Quote
from offhook.numbers.rules import NumberStatus
from offhook.numbers.saga import Command, Happened, PurchaseState
from offhook.phone import E164, national
from offhook.prices import Money

log = logging.getLogger(__name__)
LATE = timedelta(hours=1)
_NOT_CONFIRMED = problems.PurchaseNotConfirmed(
    "The payment was not confirmed with the card's bank within 15 minutes."
)


@dataclass(frozen=True, slots=True)
class Shop:
    """What buying needs: our database, the carrier, the gateway, where the carrier reports."""

    database: Database
    carrier: Carrier
    gateway: billing.Gateway
    callbacks: Callbacks


async def carry_out(
    shop: Shop, team_id: str, purchase_id: str, *, passage: Callable[[str], None] = failpoint
) -> PurchaseState | None:
    """Take a purchase as far as it goes; None when somebody else is at it.

    Ends without a final state where the card's owner is to authenticate. Raises the carrier's or
    gateway's Unreachable where a later repetition is to go on. `passage` is told each place where a
    test may let the process die.
    """
    passage("purchase.order.stored")
    while True:
        taken = await step(shop, team_id, purchase_id, passage=passage)
        if taken is None:
            return None
        if taken.state.final or not taken.moved:
            return taken.state


@dataclass(frozen=True, slots=True)
class Taken:
    """A step: the state after it, and whether it got anywhere."""

    state: PurchaseState
    moved: bool


async def step(
    shop: Shop, team_id: str, purchase_id: str, *, passage: Callable[[str], None] = failpoint
) -> Taken | None:
    """Run the next command and store what came of it; None when somebody else is at it."""
    async with shop.database.team(team_id) as session:
        purchase = await session.scalar(
            select(Purchase)
            .where(Purchase.team_id == team_id, Purchase.id == purchase_id)
            .with_for_update(skip_locked=True, key_share=True)
        )
        if purchase is None:
            return None
        before = PurchaseState(purchase.state)
        command = saga.next_command(before)
        if command is None:
            return Taken(before, moved=False)
        happened = await _run(shop, session, purchase, command)
        passage(f"purchase.{command}.done")
        if happened is None:
            return Taken(before, moved=False)
        state = saga.advance(before, happened)
        purchase.state, purchase.updated_at = state, await now(session)
        if saga.starts_anew(before, state):
            purchase.waits_since = purchase.updated_at
        await touch(session, team_id, f"purchase:{purchase.id}")
    passage(f"purchase.{command}.stored")
    return Taken(state, moved=True)


async def release_orphans(shop: Shop) -> None:
    """Give back numbers that the carrier sold to a purchase that has failed (faults b).

    A sale may reach the carrier after we had stopped waiting for it and found nothing.
    """
    for held in await shop.carrier.list_numbers():
        async with shop.database.system() as session:
            state = await session.scalar(
                select(Purchase.state).where(Purchase.id == held.order_tag)
            )
        if state != PurchaseState.FAILED:
            continue
        log.warning("purchase %s failed but has a number; giving it back", held.order_tag)
        try:
            await shop.carrier.release(held.carrier_id)
        except CarrierProblem as problem:  # the others go back all the same
            log.warning("the number of purchase %s stays: %s", held.order_tag, problem.sentence)


async def release_late_holds(shop: Shop) -> None:
    """Let go of money that the gateway held for a purchase that has failed (faults b).

    A request to hold it may reach the gateway after we had stopped waiting for it and found none.
    """
    async with shop.database.system() as session:
        failed = await session.execute(
            select(Purchase.team_id, Purchase.id).where(
                Purchase.state == PurchaseState.FAILED,
                Purchase.failure_code == billing.Unreachable.code,
                Purchase.updated_at > await now(session) - LATE,
            )
        )
        in_doubt = failed.all()
    for team_id, purchase_id in in_doubt:
        try:
            async with shop.database.team(team_id) as session:
                await billing.void(session, shop.gateway, team_id, purchase_id)
        except Problem as problem:  # the others are let go all the same
            log.warning("the hold of purchase %s stays: %s", purchase_id, problem.sentence)


async def _run(
    shop: Shop, session: Session, purchase: Purchase, command: Command
) -> Happened | None:
    """What came of a command; None while the card's owner is at the bank."""
    try:
        happened = await _COMMANDS[command](shop, session, purchase)
        unanswered = None
    except (Unreachable, billing.Unreachable) as error:
        happened, unanswered = None, error
    if happened is not None:
        return happened
    happened = saga.without_answer(
        PurchaseState(purchase.state), since=purchase.waits_since, at=await now(session)
    )
    if happened is None and unanswered is not None:
        raise unanswered
    if happened is not None:
        why = unanswered or _NOT_CONFIRMED
        _because(purchase, why.code, why.sentence)
    return happened


async def _authorise(shop: Shop, session: Session, purchase: Purchase) -> Happened:
    outcome = await billing.hold(
        session,
        shop.gateway,
        purchase.team_id,
        key=purchase.id,
        money=Money(purchase.micros, purchase.currency),
        description=f"First month of {national(E164(purchase.e164))}",
        reference=purchase.id,
    )
    purchase.charge_id = outcome.charge_id or None
    return Happened.ASKED if outcome.waits else _told(purchase, outcome)


async def _look(shop: Shop, session: Session, purchase: Purchase) -> Happened | None:
    """Whether the card's owner has authenticated; None while the bank still waits."""
    outcome = await billing.look(session, shop.gateway, purchase.team_id, purchase.id)
    return None if outcome.waits else _told(purchase, outcome)


async def _buy(shop: Shop, _: Session, purchase: Purchase) -> Happened:
    held = await shop.carrier.find(purchase.id)
    if held is None:
        try:
            held = await shop.carrier.buy(
                E164(purchase.e164), order_tag=purchase.id, callbacks=Callbacks()
            )
        except Refused as refused:
            # An earlier attempt of ours may have reached the carrier only now.
            held = await shop.carrier.find(purchase.id)
            if held is None:
                _because(purchase, refused.code, refused.sentence)
                return Happened.REFUSED
    purchase.carrier_id = held.carrier_id
    return Happened.DONE


async def _record(shop: Shop, session: Session, purchase: Purchase) -> Happened:
    """The row reserves the number; the team holds it once the money is taken (`_capture`)."""
    if await _number(session, purchase) is not None:
        return Happened.DONE
    shown = await session.get_one(Quote, purchase.quote_id)
    held = await shop.carrier.find(purchase.id)
    await session.execute(
        insert(Number)
        .values(_row(purchase, shown, held, await now(session)))
        .on_conflict_do_nothing()
    )
    if await _number(session, purchase) is None:
        _because(purchase, "number_taken", f"{purchase.e164} is held by another team.")
        return Happened.REFUSED
    return Happened.DONE


async def _configure(shop: Shop, _: Session, purchase: Purchase) -> Happened:
    try:
        await shop.carrier.configure(purchase.carrier_id, shop.callbacks)
    except Refused as refused:
        _because(purchase, refused.code, refused.sentence)
        return Happened.REFUSED
    return Happened.DONE


async def _capture(shop: Shop, session: Session, purchase: Purchase) -> Happened:
    outcome = await billing.capture(session, shop.gateway, purchase.team_id, purchase.id)
    if not outcome.ok:
        return _told(purchase, outcome)
    number = await _number(session, purchase)
    assert number is not None  # noqa: S101 - written two states before
    number.held_since = await now(session)
    purchase.number_id = number.id
    await session.flush()
    await usage.open_meter(
        session,
        purchase.team_id,
        number_id=number.id,
        carrier=number.carrier,
        country=number.country,
        number_type=number.type,
    )
    await activity.record(
        session,
        number,
        activity.By(purchase.terms_accepted_by, purchase.buyer),
        "purchased",
        after={"purchase": purchase.id, "terms": purchase.terms_version},
    )
    await publish(
        session,
        NumberPurchased(
            team_id=purchase.team_id,
            number_id=number.id,
            e164=number.e164,
            purchase_id=purchase.id,
        ),
    )
    return Happened.DONE


async def _release(shop: Shop, session: Session, purchase: Purchase) -> Happened:
    await session.execute(
        delete(Number).where(
            Number.team_id == purchase.team_id,
            Number.purchase_id == purchase.id,
            Number.held_since.is_(None),
        )
    )
    carrier_id = purchase.carrier_id
    if not carrier_id:
        held = await shop.carrier.find(purchase.id)
        carrier_id = held.carrier_id if held else ""
    if carrier_id:
        await shop.carrier.release(carrier_id)
    return Happened.DONE


async def _void(shop: Shop, session: Session, purchase: Purchase) -> Happened:
    await billing.void(session, shop.gateway, purchase.team_id, purchase.id)
    return Happened.DONE


_COMMANDS: dict[Command, Callable[[Shop, Session, Purchase], Awaitable[Happened | None]]] = {
    Command.AUTHORISE: _authorise,
    Command.LOOK: _look,
    Command.BUY: _buy,
    Command.RECORD: _record,
    Command.CONFIGURE: _configure,
    Command.CAPTURE: _capture,
    Command.RELEASE: _release,
    Command.VOID: _void,
}


async def _number(session: Session, purchase: Purchase) -> Number | None:
    return await session.scalar(
        select(Number).where(Number.team_id == purchase.team_id, Number.purchase_id == purchase.id)
    )


def _row(purchase: Purchase, shown: Quote, held: Held | None, at: datetime) -> dict[str, object]:
    """What the carrier says of the number it sold wins over what it had offered."""
    able = held.capabilities if held else None
    return {
        "id": new_id("num"),
        "team_id": purchase.team_id,
        "e164": purchase.e164,
        "country": shown.country,
        "type": shown.type,
        "locality": shown.locality,
        "status": NumberStatus.DISABLED,
        "name": "",
        "calls_enabled": False,
        "sms_enabled": False,
        "record_calls": True,
        "recording_notice": True,
        "carrier": purchase.carrier,
        "carrier_id": purchase.carrier_id,
        "has_voice": able.voice if able else shown.has_voice,
        "has_sms": able.sms if able else shown.has_sms,
        "has_mms": able.mms if able else shown.has_mms,
        "registrations": shown.registrations,
        "rent_micros": shown.rent_micros,
        "currency": shown.currency,
        "purchase_id": purchase.id,
        "created_at": at,
    }


def _told(purchase: Purchase, outcome: billing.Outcome) -> Happened:
    if outcome.ok:
        return Happened.DONE
    _because(purchase, outcome.code, outcome.sentence)
    return Happened.REFUSED


def _because(purchase: Purchase, code: str, sentence: str) -> None:
    purchase.failure_code, purchase.failure = code[:40], sentence
