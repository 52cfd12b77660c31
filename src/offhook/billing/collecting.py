"""Invoices are charged, tried again, and what follows for the team (UN8 to UN10, U10).

One attempt is one transaction: lock, ask the gateway by the attempt's key, write what it said, step
the subscription. Killed in between, the same key is asked again and the gateway answers with what
it did: nothing is taken twice. Lock order: subscription, invoice, cards.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update

from offhook import settings
from offhook.billing import cards, charges, dunning, opening, subscriptions
from offhook.billing.charges import Outcome
from offhook.billing.events import PaymentFailed
from offhook.billing.gateway import Gateway, HoldState
from offhook.billing.models import MAX_FAILURE, Charge, Invoice, PaymentMethod, Subscription
from offhook.billing.rules import CardStatus, Step, SubscriptionState
from offhook.billing.totals import InvoiceState
from offhook.db import Database, Session, now, publish, touch
from offhook.errors import Conflict
from offhook.failpoints import failpoint

log = logging.getLogger(__name__)
Passage = Callable[[str], None]
NO_CARD = "no_card"
TOPIC = "invoices"


async def collect_due(
    database: Database, gateway: Gateway, *, passage: Passage = failpoint
) -> None:
    """Charge what is due, and step every subscription whose time has come. Any number at once."""
    async with database.system() as session:
        teams = await _teams_due(session)
    for team_id in teams:
        try:
            await collect(database, gateway, team_id, passage=passage)
        except Exception:  # whatever it is, it is this team's alone; logged with its id
            log.exception("the invoices of team %s cannot be charged now", team_id)


async def collect(
    database: Database, gateway: Gateway, team_id: str, *, passage: Passage = failpoint
) -> None:
    """Charge the team's invoices that are due, the oldest first, then step its subscription.

    Raises gateway.Unreachable: nothing is counted as an attempt, the next round asks again.
    """
    while await _next(database, gateway, team_id, passage):
        passage("charge.committed")
    async with database.team(team_id) as session:
        await settle(session, team_id)


class BillingOff(Conflict):
    code = "billing_off"


class CardNeeded(Conflict):
    code = "payment_method_needed"


async def pay(session: Session, gateway: Gateway, invoice: Invoice) -> Outcome:
    """Charge an open invoice now, beside its schedule, because somebody asks for it.

    Raises BillingOff: what is not charged is not paid.
    """
    if not subscriptions.is_on():
        raise BillingOff("Billing is switched off: nothing is charged.")
    await subscriptions.subscription(session, invoice.team_id, lock=True)
    await session.refresh(invoice, with_for_update={"key_share": True})
    if invoice.state is not InvoiceState.OPEN:
        return Outcome(ok=True)
    outcome = await _attempt(session, gateway, invoice, await now(session), lambda _: None)
    await settle(session, invoice.team_id)
    return outcome


async def on_charge_settled(session: Session, charge: Charge) -> None:
    """A charge that waited for its card's owner was confirmed: its invoice is paid."""
    if charge.state != HoldState.CAPTURED:
        return
    await subscriptions.subscription(session, charge.team_id, lock=True)
    invoice = await session.scalar(
        select(Invoice)
        .where(Invoice.team_id == charge.team_id, Invoice.id == charge.reference)
        .with_for_update(key_share=True)
    )
    if invoice is not None and invoice.state is InvoiceState.OPEN:
        await _paid(session, invoice, await now(session))
        await settle(session, charge.team_id)


async def unpaid(session: Session, team_id: str) -> Sequence[Invoice]:
    """The open invoices whose charge has failed, the one that failed first before the others."""
    rows = await session.scalars(
        select(Invoice)
        .where(
            Invoice.team_id == team_id,
            Invoice.state == InvoiceState.OPEN,
            Invoice.failed_since.is_not(None),
        )
        .order_by(Invoice.failed_since, Invoice.sequence)
    )
    return rows.all()


async def settle(session: Session, team_id: str) -> SubscriptionState:
    """Take every step of the subscription that is due now; the state after it."""
    found = await subscriptions.subscription(session, team_id, lock=True)
    if not subscriptions.is_on():
        return SubscriptionState(found.state)
    at = await now(session)
    while step := dunning.step(await _facts(session, found, at)):
        await subscriptions.change_subscription(session, team_id, step)
    return SubscriptionState(found.state)


async def activate(session: Session, team_id: str) -> SubscriptionState:
    """Take up a cancelled subscription again; the state after it. Where a trial needs a card to go
    on, so does this: a trial that is over does not begin anew. Raises CardNeeded, StepNotAllowed.
    """
    if subscriptions.is_on() and _trials_end() and not await _has_card(session, team_id):
        raise CardNeeded("There is no card that works.", remedy="Add one under Billing first.")
    await subscriptions.change_subscription(session, team_id, Step.ACTIVATE)
    return await settle(session, team_id)


async def _has_card(session: Session, team_id: str) -> bool:
    at = await now(session)
    return any(cards.is_usable(each, at) for each in await cards.on_file(session, team_id))


async def _facts(session: Session, found: Subscription, at: datetime) -> dunning.Facts:
    failed = await unpaid(session, found.team_id)
    return dunning.Facts(
        state=SubscriptionState(found.state),
        unpaid=bool(failed),
        exhausted=any(
            dunning.is_exhausted(each.failed_since, each.last_attempt_at) for each in failed
        ),
        trial_over=(ends := trial_ends(found)) is not None and at >= ends,
        has_card=await _has_card(session, found.team_id),
    )


def trial_length() -> timedelta:
    return timedelta(days=settings.load().trial_days)


def trial_ends(found: Subscription) -> datetime | None:
    """When a trial needs a card to go on; None: it is none, or with the test gateway (U10)."""
    is_trial = found.state == SubscriptionState.TRIAL
    return found.since + trial_length() if is_trial and _trials_end() else None


def _trials_end() -> bool:
    return opening.configured() != opening.TEST


async def _next(database: Database, gateway: Gateway, team_id: str, passage: Passage) -> bool:
    """One attempt at the oldest invoice that is due; whether there was one."""
    async with database.team(team_id) as session:
        await subscriptions.subscription(session, team_id, lock=True)
        at = await now(session)
        invoice = await session.scalar(
            select(Invoice)
            .where(Invoice.team_id == team_id, _is_due(at))
            .order_by(Invoice.sequence)
            .limit(1)
            .with_for_update(key_share=True)
        )
        if invoice is None or not subscriptions.is_on():
            return False
        passage("charge.locked")
        await _attempt(session, gateway, invoice, at, passage)
        await settle(session, team_id)
        passage("charge.written")
    return True


async def _attempt(
    session: Session, gateway: Gateway, invoice: Invoice, at: datetime, passage: Passage
) -> Outcome:
    outcome = await charges.charge_now(
        session,
        gateway,
        invoice.team_id,
        key=f"{invoice.id}/{invoice.attempt}",
        money=invoice.due,
        description=f"Invoice {invoice.number}",
        reference=invoice.id,
    )
    passage("charge.answered")
    if outcome.ok:
        await _paid(session, invoice, at)
    else:
        await _failed(session, invoice, outcome, at)
    return outcome


async def _paid(session: Session, invoice: Invoice, at: datetime) -> None:
    invoice.state, invoice.paid_at = InvoiceState.PAID, at
    invoice.next_attempt_at, invoice.failure = None, ""
    await session.flush()
    # The card works: what else is open need not wait for its next retry.
    await session.execute(
        update(Invoice)
        .where(
            Invoice.team_id == invoice.team_id,
            Invoice.state == InvoiceState.OPEN,
            Invoice.failed_since.is_not(None),
        )
        .values(next_attempt_at=at)
    )
    await touch(session, invoice.team_id, TOPIC)


async def _failed(session: Session, invoice: Invoice, outcome: Outcome, at: datetime) -> None:
    if outcome.code == NO_CARD:  # no charge was made that could have told it
        told = PaymentFailed(
            team_id=invoice.team_id, charge_id="", reference=invoice.id, decline_code=NO_CARD
        )
        await publish(session, told)
    since = invoice.failed_since or at
    invoice.attempt += 1
    invoice.failed_since, invoice.last_attempt_at = since, at
    invoice.failure = outcome.sentence[:MAX_FAILURE]  # a bank's own words
    invoice.next_attempt_at = dunning.next_retry(since, at)
    await session.flush()
    await touch(session, invoice.team_id, TOPIC)


def _is_due(at: datetime) -> ColumnElement[bool]:
    """Open, and its time has come or a card was added since it failed."""
    newer_card = exists().where(
        PaymentMethod.team_id == Invoice.team_id,
        PaymentMethod.removed_at.is_(None),
        PaymentMethod.status == CardStatus.VALID,
        PaymentMethod.created_at > Invoice.last_attempt_at,
    )
    return and_(Invoice.state == InvoiceState.OPEN, or_(Invoice.next_attempt_at <= at, newer_card))


async def _teams_due(session: Session) -> list[str]:
    """Teams with an invoice to charge, with a trial at its end, or that may be restored."""
    if not subscriptions.is_on():
        return []
    at = await now(session)
    found = set((await session.scalars(select(Invoice.team_id).where(_is_due(at)))).all())
    waiting = [SubscriptionState.SUSPENDED]
    if _trials_end():
        waiting.append(SubscriptionState.TRIAL)
    found |= set(
        (
            await session.scalars(
                select(Subscription.team_id).where(
                    Subscription.state.in_(waiting),
                    or_(
                        Subscription.state != SubscriptionState.TRIAL,
                        Subscription.since <= at - trial_length(),
                    ),
                )
            )
        ).all()
    )
    return sorted(found)
