"""The monthly close: 72 h after a month's end its invoice is made, once, and stays as it is (U10).

One transaction per team and month: the ledger's lines and which entries they hold, the legs of
transfers, the rents of the month that has begun, tax, the balance, the number, the event and the
job that charges. Killed anywhere, nothing of it is there; repeated, the month is closed already.
Two workers meet at the row of the team's earliest open month. A month without anything gets no
invoice.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook import usage
from offhook.billing import legs, opening, parties, rents, subscriptions, totals
from offhook.billing.events import InvoiceFinalized
from offhook.billing.models import Invoice, InvoiceLine, InvoiceNumbers
from offhook.billing.parties import Details, SellerDetails
from offhook.billing.rules import SubscriptionState
from offhook.billing.taxes import Decision
from offhook.billing.totals import InvoiceState, LineKind, Sums
from offhook.db import Database, Session, enqueue, new_id, now, publish
from offhook.failpoints import failpoint
from offhook.prices import Money
from offhook.usage import Period
from offhook.usage.closing import ClosedAs, RatedLine

log = logging.getLogger(__name__)
CHARGE_JOB = "billing.charge"
NUMBERING = 1  # the only row of InvoiceNumbers
Passage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Draft:
    """One line before it is on an invoice."""

    kind: LineKind
    number_id: str
    month: date
    price_id: str
    price: Money
    units: int
    amount: Money
    free: int = 0
    entries: int = 0
    service: str | None = None
    direction: str | None = None
    usage_line_id: int | None = None

    @property
    def description(self) -> str:
        return totals.describe(self.kind, self.service, self.direction, self.month)


@dataclass(frozen=True, slots=True)
class Sides:
    """Who sells, who buys, and the tax that follows."""

    seller: SellerDetails
    buyer: Details
    decision: Decision


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A month's invoice as it would be now."""

    period: Period
    lines: list[Draft]
    sums: Sums
    decision: Decision

    @property
    def closes_at(self) -> datetime:
        return self.period.ends_at + usage.closing.GRACE


async def close_due(database: Database, *, passage: Passage = failpoint) -> list[str]:
    """Close every month whose time has come; the ids of the invoices. Any number at once.

    A team whose close fails does not keep the others from theirs; the next round tries it again.
    """
    async with database.system() as session:
        teams = await usage.closing.teams_due(session, await now(session))
    made: list[str] = []
    for team_id in teams:
        try:
            made += await close_team(database, team_id, passage=passage)
        except Exception:  # whatever it is, it is this team's alone; logged with its id
            log.exception("incident: the month of team %s cannot be closed", team_id)
    return made


async def close_team(
    database: Database, team_id: str, *, passage: Passage = failpoint
) -> list[str]:
    """Close the team's months that are due, in order, each in a transaction of its own."""
    made: list[str] = []
    while True:
        async with database.team(team_id) as session:
            at = await now(session)
            period = await usage.closing.earliest_due(session, team_id, at)
            if period is None:
                return made
            passage("close.locked")
            await usage.period_at(session, team_id, at)  # the months up to now follow it
            invoice = await _close(session, team_id, period, at, passage)
            passage("close.written")
        passage("close.committed")
        made += [invoice.id] if invoice else []


async def preview(session: Session, team_id: str, period: Period) -> Upcoming:
    """What the month's invoice would be if it were closed now; writes nothing."""
    lines = await usage.closing.preview(session, team_id, period.starts_at)
    drafts = [*map(_of_usage, lines), *await _others(session, team_id, period)]
    sides = await _sides(session, team_id)
    return Upcoming(period, drafts, await _sums(session, team_id, drafts, sides), sides.decision)


async def _close(
    session: Session, team_id: str, period: Period, at: datetime, passage: Passage
) -> Invoice | None:
    if not subscriptions.is_on():
        await usage.closing.closed(session, team_id, period.starts_at, ClosedAs.UNBILLED, at)
        return None
    lines = await usage.closing.close(session, team_id, period.starts_at)
    passage("close.rated")
    drafts = [*map(_of_usage, lines), *await _others(session, team_id, period)]
    if not drafts:
        await usage.closing.closed(session, team_id, period.starts_at, ClosedAs.EMPTY, at)
        return None
    sides = await _sides(session, team_id)
    sums = await _sums(session, team_id, drafts, sides)
    # The number as late as can be: its row is locked until the commit, for all teams.
    invoice = _invoice(team_id, period, sums, sides, at, await _next_number(session))
    passage("close.numbered")
    await _write_lines(session, invoice, drafts, passage)
    await usage.closing.closed(session, team_id, period.starts_at, ClosedAs.INVOICED, at)
    await _announce(session, invoice)
    return invoice


def _of_usage(rated: RatedLine) -> Draft:
    line = rated.line
    return Draft(
        kind=LineKind(rated.kind.value),
        number_id=line.number_id,
        month=rated.period.month,
        price_id=line.rate.price_id,
        price=line.rate.money,
        units=line.units,
        free=line.free,
        amount=rated.amount,
        entries=rated.entries,
        service=line.service.value,
        direction=line.rate.direction.value,
        usage_line_id=rated.id,
    )


async def _others(session: Session, team_id: str, period: Period) -> list[Draft]:
    """What is on an invoice beside the ledger's lines."""
    return [*await _legs(session, team_id, period), *await _rents(session, team_id, period)]


async def _legs(session: Session, team_id: str, period: Period) -> list[Draft]:
    """The second legs of transfers that ended in `period`; no free minute is theirs (UM9)."""
    found = await legs.ended(session, team_id, period.starts_at, period.ends_at)
    return [
        Draft(
            kind=LineKind.TRANSFER,
            number_id=number_id,
            month=period.month,
            price_id="",
            price=price,
            units=minutes,
            amount=(price * minutes).rounded(),
        )
        for (number_id, price), minutes in legs.by_price(found).items()
    ]


async def _rents(session: Session, team_id: str, period: Period) -> list[Draft]:
    """The rents of the month after `period`, in advance; a cancelled team rents nothing more."""
    subscription = await subscriptions.subscription(session, team_id)
    if subscription.state == SubscriptionState.CANCELLED:
        return []
    coming = await usage.month_after(session, team_id, period)
    due = await rents.due(session, team_id, coming.starts_at, coming.ends_at)
    return [
        Draft(
            kind=LineKind.RENT,
            number_id=rent.number_id,
            month=coming.month,
            price_id=rent.price_id,
            price=rent.money,
            units=1,
            amount=rent.money.rounded(),
        )
        for rent in due
    ]


async def _sides(session: Session, team_id: str) -> Sides:
    seller, buyer = await parties.seller(session), await parties.buyer(session, team_id)
    return Sides(seller, buyer, parties.decide(seller, buyer))


async def _sums(session: Session, team_id: str, drafts: Sequence[Draft], sides: Sides) -> Sums:
    before = await balance(session, team_id)
    amounts = [draft.amount for draft in drafts]
    return totals.sums(amounts, sides.decision.rate, before, opening.least)


async def balance(session: Session, team_id: str) -> Money:
    """What the team's last invoice left over: negative is a credit."""
    last = await session.scalar(
        select(Invoice).where(Invoice.team_id == team_id).order_by(Invoice.sequence.desc()).limit(1)
    )
    return last.balance_after if last else Money(0)


def _invoice(
    team_id: str, period: Period, sums: Sums, sides: Sides, at: datetime, sequence: int
) -> Invoice:
    return Invoice(
        id=new_id("inv"),
        team_id=team_id,
        sequence=sequence,
        number=f"{sides.seller.prefix}-{sequence:06}",
        seller=sides.seller.snapshot(),
        buyer=sides.buyer.snapshot(),
        tax=_tax(sides.decision),
        period_start=period.starts_at,
        period_end=period.ends_at,
        zone=period.zone,
        finalized_at=at,
        currency=sums.net.currency,
        net_micros=sums.net.micros,
        tax_micros=sums.tax.micros,
        total_micros=sums.total.micros,
        balance_before_micros=sums.balance_before.micros,
        due_micros=sums.due.micros,
        balance_after_micros=sums.balance_after.micros,
        state=InvoiceState.OPEN if sums.due else InvoiceState.SETTLED,
        next_attempt_at=at if sums.due else None,
    )


def _tax(decision: Decision) -> dict[str, Any]:
    """How the tax came about, as the invoice keeps it."""
    rate = decision.rate
    label = f"{rate.label} {rate.percent}" if rate else ""
    return {
        "label": label,
        "thousandths": rate.thousandths if rate else 0,
        "note": decision.note,
    }


async def _write_lines(
    session: Session, invoice: Invoice, drafts: Sequence[Draft], passage: Passage
) -> None:
    session.add(invoice)
    labels = await usage.names(session, invoice.team_id)
    for position, draft in enumerate(drafts, 1):
        label = labels.get(draft.number_id, usage.Label(""))
        session.add(
            InvoiceLine(
                team_id=invoice.team_id,
                invoice_id=invoice.id,
                position=position,
                kind=draft.kind,
                usage_line_id=draft.usage_line_id,
                number_id=draft.number_id,
                number_name=label.name,
                e164=label.e164,
                service=draft.service,
                direction=draft.direction,
                month=draft.month,
                description=draft.description,
                price_id=draft.price_id,
                price_micros=draft.price.micros,
                currency=draft.price.currency,
                units=draft.units,
                free=draft.free,
                entries=draft.entries,
                amount_micros=draft.amount.micros,
            )
        )
        if position == 1:
            await session.flush()
            passage("close.first_line")
    await session.flush()
    passage("close.lines")


async def _next_number(session: Session) -> int:
    """The next number of the installation; given back with the transaction, so without gaps."""
    given = insert(InvoiceNumbers).values(id=NUMBERING, last=1)
    counted = given.on_conflict_do_update(
        index_elements=["id"], set_={"last": InvoiceNumbers.last + 1}
    )
    return (await session.execute(counted.returning(InvoiceNumbers.last))).scalar_one()


async def _announce(session: Session, invoice: Invoice) -> None:
    await publish(
        session,
        InvoiceFinalized(
            team_id=invoice.team_id,
            invoice_id=invoice.id,
            number=invoice.number,
            total_micros=invoice.total_micros,
            due_micros=invoice.due_micros,
            currency=invoice.currency,
        ),
    )
    if invoice.state is InvoiceState.OPEN:
        await enqueue(
            session, CHARGE_JOB, queueing_lock=f"charge {invoice.id}", team_id=invoice.team_id
        )
